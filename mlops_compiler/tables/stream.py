"""A table that is read some rows at a time, as often as asked: what intake passes along, so that none is held whole."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

_MOST_ROWS, _CELLS = 262_144, 2**23
"""A batch of cells of eight bytes is then 64 MiB at most, however wide its table is."""


def rows_at_once(width: int) -> int:
    """Say how many rows of a table are held together; no bit of a result depends on it."""
    return max(1, min(_MOST_ROWS, _CELLS // max(1, width)))


def in_one_piece(rows: pl.DataFrame) -> pl.DataFrame:
    """Hold each column as one array. Of equal rows Polars keeps one, and computes with it as with a single row."""
    return pl.DataFrame([values.rechunk() for values in rows.get_columns()])


def doubled(row: pl.DataFrame) -> pl.DataFrame:
    """Put a copy of a row below it, each column as one array."""
    return pl.DataFrame([pl.concat([values, values], rechunk=True) for values in row.get_columns()])


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """A table on its way.

    Attributes:
        schema: The name and the type of each column.
        read: Begins anew at the first row, and gives some columns of it and of all that follow, in order.
        height: How many rows there are at most, where that is known before they are read.
    """

    schema: Mapping[str, pl.DataType]
    read: Callable[[list[str]], Iterator[pl.DataFrame]]
    height: int | None = None

    @classmethod
    def of(cls, frame: pl.DataFrame, size: int | None = None) -> Stream:
        """Give the rows of a frame, `size` at a time."""
        at_once = size or rows_at_once(frame.width)
        if frame.is_empty():  # no slice would say so
            return cls(schema=frame.schema, read=lambda names: iter([frame.select(names)]), height=0)
        cut = frame.select
        return cls(schema=frame.schema, read=lambda names: cut(names).iter_slices(at_once), height=frame.height)

    @classmethod
    def scan(cls, table: pl.LazyFrame, height: int | None = None) -> Stream:
        """Give the rows of a query, which Polars runs for the columns that are asked for."""

        def read(names: list[str]) -> Iterator[pl.DataFrame]:
            return iter(table.select(names).collect_batches(chunk_size=rows_at_once(len(names))))

        return cls(schema=table.collect_schema(), read=read, height=height)

    @property
    def columns(self) -> list[str]:
        """The names of the columns."""
        return list(self.schema)

    def batches(self, columns: Iterable[str] | None = None) -> Iterator[pl.DataFrame]:
        """Give the rows in order, each batch in one piece; all columns where none are named."""
        names = list(self.schema if columns is None else columns)
        for part in self.read(names):
            yield in_one_piece(part.select(names))

    def collect(self, columns: Iterable[str] | None = None) -> pl.DataFrame:
        """Read all rows of some columns."""
        names = list(self.schema if columns is None else columns)
        empty = pl.DataFrame(schema={name: self.schema[name] for name in names})
        return in_one_piece(pl.concat([empty, *self.batches(names)]))

    def in_batches_of(self, size: int) -> Stream:
        """Give the same rows, at most `size` at a time."""
        return replace(self, read=lambda names: _cut(self.batches(names), size))

    def filter(self, keep: pl.Series) -> Stream:
        """Keep rows by a mark of each; shape (rows,)."""
        return replace(self, read=lambda names: _kept(self.batches(names), keep), height=int(keep.sum()))

    def numbered(self, name: str) -> Stream:
        """Add the number of each row, from 0."""
        schema = {name: pl.UInt32(), **self.schema}

        def read(names: list[str]) -> Iterator[pl.DataFrame]:
            place = 0
            for part in self.batches([item for item in names if item != name] or list(self.schema)[:1]):
                yield part.with_row_index(name, offset=place)
                place += part.height

        return replace(self, schema=schema, read=read)


def _cut(batches: Iterator[pl.DataFrame], size: int) -> Iterator[pl.DataFrame]:
    for part in batches:
        yield from part.iter_slices(size)


def _kept(batches: Iterator[pl.DataFrame], keep: pl.Series) -> Iterator[pl.DataFrame]:
    place = 0
    for part in batches:
        yield part.filter(keep.slice(place, part.height))
        place += part.height


def stacked(streams: Sequence[Stream], columns: Sequence[str]) -> Stream:
    """Put tables below each other: columns by name, of a type that holds the values of all.

    Raises:
        polars.exceptions.PolarsError: The types of a column do not go together.
    """
    empty = [pl.DataFrame(schema={name: stream.schema[name] for name in columns}) for stream in streams]
    schema = pl.concat(empty, how="vertical_relaxed").schema

    def read(names: list[str]) -> Iterator[pl.DataFrame]:
        for stream in streams:
            for part in stream.batches(names):
                yield part.cast({name: schema[name] for name in names})

    return Stream(schema=schema, read=read)
