"""What each step did to the training rows: rows and columns in and out, values changed, values missing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from mlops_compiler.ir.ops.prepare import Deduplicate, Filter
from mlops_compiler.tables.flow import flow
from mlops_compiler.tables.learned import in_short
from mlops_compiler.tables.steps import HIDDEN
from mlops_compiler.tables.stream import Stream

if TYPE_CHECKING:
    from mlops_compiler.tables.preparation import FittedPreparation


ROW = "\x00row"
"""The hidden column that numbers rows, so that those which a step drops can be named."""
_COUNTED = (
    *("rows_in", "rows_out", "columns_in", "columns_out", "values_in", "values_out"),
    *("values_changed", "values_lost", "nulls_in", "nulls_out"),
)


def account(preparation: FittedPreparation, rows: pl.DataFrame | Stream) -> tuple[list[dict[str, Any]], pl.DataFrame]:
    """Run a fitted preparation step by step, some rows at a time, and keep count.

    Args:
        preparation: Fitted on these rows.
        rows: The training rows, label included; it is not counted. They are numbered by `ROW`, or here.

    Returns:
        For each step its name, kind, rows and columns in and out, values in and out (those that are not missing),
        values changed and lost (in rows and columns that are there before and after it), nulls in and out, and what it
        learned, shortened; and the rows that filters and deduplications dropped: ``row``, ``step`` and ``op``.
    """
    rows = Stream.of(rows) if isinstance(rows, pl.DataFrame) else rows
    rows = rows if ROW in rows.schema else rows.numbered(ROW)
    ledger = _Ledger(preparation)
    for _ in flow(preparation.steps, rows, "training", ledger.watch).batches():
        pass
    return ledger.told(), ledger.dropped()


class _Ledger:
    """Counts, step by step, what happens to batches."""

    def __init__(self, preparation: FittedPreparation) -> None:
        self._steps = preparation.steps
        self._counts = [dict.fromkeys(_COUNTED, 0) for _ in self._steps]
        self._dropped: list[list[pl.DataFrame]] = [[] for _ in self._steps]

    def watch(self, index: int, before: pl.DataFrame, after: pl.DataFrame) -> None:
        """Count a batch before and after a step."""
        step, counts = self._steps[index], self._counts[index]
        counts["rows_in"] += before.height
        counts["rows_out"] += after.height
        counts["columns_in"], counts["columns_out"] = len(_shown(before)), len(_shown(after))
        changed, lost = _changed(before, after)
        counts["values_changed"] += changed
        counts["values_lost"] += lost
        nulls_in, nulls_out = _nulls(before), _nulls(after)
        counts["values_in"] += before.height * len(_shown(before)) - nulls_in
        counts["values_out"] += after.height * len(_shown(after)) - nulls_out
        counts["nulls_in"] += nulls_in
        counts["nulls_out"] += nulls_out
        if isinstance(step.step, Filter | Deduplicate):
            gone = before.join(after, on=ROW, how="anti").select(pl.col(ROW).alias("row"))
            self._dropped[index].append(gone.with_columns(step=pl.lit(step.name), op=pl.lit(step.step.op)))

    def told(self) -> list[dict[str, Any]]:
        """Tell of each step."""
        return [
            {
                "step": step.name,
                "op": step.step.op,
                **counts,
                "learned": in_short(step.step, step.learned),
            }
            for step, counts in zip(self._steps, self._counts, strict=True)
        ]

    def dropped(self) -> pl.DataFrame:
        """List the rows that were dropped, step by step."""
        none = pl.DataFrame(schema={"row": pl.UInt32, "step": pl.String, "op": pl.String})
        return pl.concat([none, *(part for parts in self._dropped for part in parts)])


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
    return [name for name in frame.columns if name not in HIDDEN and name != ROW]


def _nulls(frame: pl.DataFrame) -> int:
    shown = _shown(frame)
    return sum(frame.select(shown).null_count().row(0)) if shown else 0
