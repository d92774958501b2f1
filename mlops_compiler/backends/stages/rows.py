"""Reads the rows of the snapshot beside the parts that they were dealt to; of all rows and columns, what is needed."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from mlops_compiler.tables.steps import LABEL, change

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from mlops_compiler.backends.stages.context import Context
    from mlops_compiler.ir.ops.lifecycle import NamedStep


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """Rows of the snapshot.

    Attributes:
        frame: The rows, with the label in `LABEL`.
        parts: The part that each belongs to; shape (rows,).
    """

    frame: pl.DataFrame
    parts: pl.Series


def read_rows(context: Context, columns: Iterable[str] | None, filters: Sequence[NamedStep] = ()) -> Rows:
    """Read rows of the snapshot.

    Filters are part of the query that reads: columns that only they need are not kept, and parts of the file that they
    rule out by its statistics are not read.

    Args:
        context: The stage that reads.
        columns: The columns to keep; None for all.
        filters: Steps that drop rows.
    """
    digest = context.inputs["snapshot"].outputs["snapshot"]
    path = context.store.objects.local_path(digest)
    table = pl.scan_parquet(path or io.BytesIO(context.store.objects.get(digest)))
    split = context.read_table("split", "split")
    kept = [change(named.step, {}).keep for named in filters]
    predicates = [condition for condition in kept if condition is not None]
    if predicates:
        keep = table.select(pl.all_horizontal(*predicates).fill_null(value=False).alias("keep")).collect()["keep"]
        split, table = split.filter(keep), table.filter(*predicates)
    names = table.collect_schema().names() if columns is None else list(columns)
    frame = table.select(names).collect().with_columns(split["label"].alias(LABEL))
    return Rows(frame=frame, parts=split["part"])
