"""Writes a table as Parquet while it comes: equal tables give equal bytes, however they were cut on their way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import polars as pl

from mlops_compiler.tables.stream import rows_at_once

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


class ParquetWriter:
    """A file that rows are added to; its groups of rows are cut by their number alone.

    Attributes:
        height: The rows that were added.
    """

    def __init__(self, path: Path, schema: Mapping[str, pl.DataType]) -> None:
        self.height = 0
        self._path = path
        self._empty = pl.DataFrame(schema=schema)
        self._size = rows_at_once(len(schema))
        self._waiting: list[pl.DataFrame] = []
        self._held = 0
        self._file: Any

    def __enter__(self) -> Self:
        from pyarrow.parquet import ParquetWriter as File

        self._file = File(self._path, _arrow(self._empty).schema, compression="zstd")
        return self

    def __exit__(self, *_: object) -> None:
        with self._file:
            if self._held:
                self._write(pl.concat(self._waiting))

    def add(self, rows: pl.DataFrame) -> None:
        """Add rows, with the columns and types of the file."""
        self.height += rows.height
        self._held += rows.height
        self._waiting.append(rows)
        while self._held >= self._size:
            whole = pl.concat(self._waiting)
            self._write(whole.head(self._size))
            rest = whole.slice(self._size)
            self._waiting, self._held = [rest], rest.height

    def _write(self, rows: pl.DataFrame) -> None:
        self._file.write_table(_arrow(rows.rechunk()), row_group_size=self._size)


def _arrow(rows: pl.DataFrame) -> Any:
    return rows.to_arrow(compat_level=pl.CompatLevel.oldest())
