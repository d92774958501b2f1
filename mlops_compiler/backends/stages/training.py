"""The rows that a preparation learns from: at hand where there is room for them, else read some at a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from mlops_compiler.backends.stages.rows import LEARNS, open_rows, part_column
from mlops_compiler.tables.parts import size_of
from mlops_compiler.tables.stream import Stream

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from mlops_compiler.backends.stages.context import Context
    from mlops_compiler.ir.ops.preparation import NamedStep

ROOM = 2**29
"""Bytes of rows that are held whole: preparing them takes several times as much."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Training:
    """Rows of the snapshot.

    Attributes:
        rows: The rows, with the label in `LABEL`.
        split: As `Rows` has it.
    """

    rows: pl.DataFrame | Stream
    split: pl.DataFrame

    def learns(self, fold: int | None = None) -> pl.Series:
        """Say which rows the model of a fold learns from, or of none the final model; shape (rows,)."""
        return self.split[part_column(fold)] == LEARNS

    def numbered(self, name: str) -> Stream:
        """Number the rows."""
        return (Stream.of(self.rows) if isinstance(self.rows, pl.DataFrame) else self.rows).numbered(name)


def training_rows(context: Context, columns: Iterable[str] | None, filters: Sequence[NamedStep] = ()) -> Training:
    """Open the rows of the snapshot, and read them where there is room for them.

    Args:
        context: The stage that reads.
        columns: The columns to keep; None for all.
        filters: Steps that drop rows.
    """
    stream, split = open_rows(context, columns, filters)
    fits = size_of(stream.schema, stream.schema, split.height) <= ROOM
    return Training(rows=stream.collect() if fits else stream, split=split)


def sampled(rows: Stream, most: int) -> pl.DataFrame:
    """Read as many rows at most, evenly from first to last."""
    every, place, parts = max(1, -(-(rows.height or 0) // most)), 0, list[pl.DataFrame]()
    for part in rows.batches():
        parts.append(part.gather_every(every, -place % every))
        place += part.height
    return pl.concat(parts, rechunk=True)
