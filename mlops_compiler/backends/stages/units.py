"""What the holdout's bootstrap samples are drawn of: what the split held together is drawn together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_compiler.backends.stages.windows import group_numbers
from mlops_compiler.evaluation.samples import blocks_of_time, rows_by_class, whole_groups
from mlops_compiler.ir.task import has_classes

if TYPE_CHECKING:
    import polars as pl

    from mlops_compiler.evaluation.samples import Units
    from mlops_compiler.ir.ops.lifecycle import Split
    from mlops_compiler.models.kind import Target


def units_of(split: Split, rows: pl.DataFrame, y: Target) -> Units:
    """Choose the units of the holdout.

    Args:
        split: How the holdout was dealt.
        rows: Its rows, with the columns that it was dealt by.
        y: What came; shape (rows,).
    """
    if split.holdout == "grouped" and split.group is not None:
        return whole_groups(group_numbers(rows, split.group))
    if split.holdout == "time_ordered" and split.time is not None:
        return blocks_of_time(rows[split.time].rank("dense").to_numpy())
    return rows_by_class(y if has_classes(split.task) else None, len(y))
