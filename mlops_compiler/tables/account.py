"""What each step did to the training rows: rows and columns in and out, values changed, values missing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from mlops_compiler.ir.ops.prepare import Deduplicate, Filter
from mlops_compiler.tables.learned import in_short
from mlops_compiler.tables.steps import LABEL, WEIGHT

if TYPE_CHECKING:
    from mlops_compiler.tables.preparation import FittedPreparation


ROW = "\x00row"
"""The hidden column that numbers rows, so that those which a step drops can be named."""


def account(preparation: FittedPreparation, rows: pl.DataFrame) -> tuple[list[dict[str, Any]], pl.DataFrame]:
    """Run a fitted preparation step by step and keep count.

    Args:
        preparation: Fitted on these rows.
        rows: The training rows, label included; it is not counted. They are numbered by `ROW`, or here.

    Returns:
        For each step its name, kind, rows and columns in and out, values in and out (those that are not missing),
        values changed and lost (in rows and columns that are there before and after it), nulls in and out, and what it
        learned, shortened; and the rows that filters and deduplications dropped: ``row``, ``step`` and ``op``.
    """
    rows = rows if ROW in rows.columns else rows.with_row_index(ROW)
    told, dropped = [], [pl.DataFrame(schema={"row": pl.UInt32, "step": pl.String, "op": pl.String})]
    for step in preparation.steps:
        after = step.apply(rows, "training")
        changed, lost = _changed(rows, after)
        told.append(
            {
                "step": step.name,
                "op": step.step.op,
                "rows_in": rows.height,
                "rows_out": after.height,
                "columns_in": len(_shown(rows)),
                "columns_out": len(_shown(after)),
                "values_in": rows.height * len(_shown(rows)) - _nulls(rows),
                "values_out": after.height * len(_shown(after)) - _nulls(after),
                "values_changed": changed,
                "values_lost": lost,
                "nulls_in": _nulls(rows),
                "nulls_out": _nulls(after),
                "learned": in_short(step.step, step.learned),
            }
        )
        if isinstance(step.step, Filter | Deduplicate):
            gone = rows.join(after, on=ROW, how="anti").select(pl.col(ROW).alias("row"))
            dropped.append(gone.with_columns(step=pl.lit(step.name), op=pl.lit(step.step.op)))
        rows = after
    return told, pl.concat(dropped)


def _changed(before: pl.DataFrame, after: pl.DataFrame) -> tuple[int, int]:
    """Count the values that differ, and of these the ones that are missing now, in what is there before and after."""
    shared = [name for name in _shown(after) if name in before.columns]
    if not before[ROW].equals(after[ROW]):  # rows were dropped, or repeated
        before = after.select(ROW).join(
            before.select(ROW, *shared).unique(ROW), on=ROW, how="left", maintain_order="left"
        )
    changed = sum(int(_differ(before[name], after[name]).sum()) for name in shared)
    lost = sum(int((before[name].is_not_null() & after[name].is_null()).sum()) for name in shared)
    return changed, lost


def _differ(before: pl.Series, after: pl.Series) -> pl.Series:
    if before.dtype == after.dtype or (before.dtype.is_numeric() and after.dtype.is_numeric()):
        return before.ne_missing(after)
    return pl.repeat(value=True, n=len(before), eager=True)


def _shown(frame: pl.DataFrame) -> list[str]:
    """The columns that a recipe can name: neither label nor weight, and no number of a row."""
    return [name for name in frame.columns if name not in (LABEL, WEIGHT, ROW)]


def _nulls(frame: pl.DataFrame) -> int:
    shown = _shown(frame)
    return sum(frame.select(shown).null_count().row(0)) if shown else 0
