"""A table that is read some rows at a time, as often as asked: what intake passes along, so that none is held whole."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

_MOST_ROWS, _CELLS = 262_144, 2**23
"""A batch of cells of eight bytes is then 64 MiB at most, however wide its table is."""


def rows_at_once(width: int) -> int:
    """Say how many rows of a table are held together; no bit of a result depends on it."""
    return max(1, min(_MOST_ROWS, _CELLS // max(1, width)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """A table on its way.

    Attributes:
        schema: The name and the type of each column.
        read: Begins anew at the first row, and gives some columns of it and of all that follow, in order.
    """

    schema: Mapping[str, pl.DataType]
    read: Callable[[list[str]], Iterator[pl.DataFrame]]

    @classmethod
    def of(cls, frame: pl.DataFrame, size: int | None = None) -> Stream:
        """Give the rows of a frame, `size` at a time."""
        at_once = size or rows_at_once(frame.width)
        return cls(schema=frame.schema, read=lambda names: iter(frame.select(names).iter_slices(at_once)))

    def batches(self, columns: Iterable[str] | None = None) -> Iterator[pl.DataFrame]:
        """Give the rows in order, each batch in one piece; all columns where none are named."""
        names = list(self.schema if columns is None else columns)
        for part in self.read(names):
            yield part.select(names).rechunk()

    def collect(self, columns: Iterable[str] | None = None) -> pl.DataFrame:
        """Read all rows of some columns."""
        names = list(self.schema if columns is None else columns)
        empty = pl.DataFrame(schema={name: self.schema[name] for name in names})
        return pl.concat([empty, *self.batches(names)], rechunk=True)

    def in_batches_of(self, size: int) -> Stream:
        """Give the same rows, at most `size` at a time."""
        return Stream(schema=self.schema, read=lambda names: _cut(self.batches(names), size))


def _cut(batches: Iterator[pl.DataFrame], size: int) -> Iterator[pl.DataFrame]:
    for part in batches:
        yield from part.iter_slices(size)


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
