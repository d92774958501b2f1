"""Values that a step may not take although Polars would: found on real rows, wherever the step runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_compiler.ir.ops.prepare import Cast, Log1p
from mlops_compiler.tables.casts import SAMPLES, lost_in

if TYPE_CHECKING:
    import polars as pl

    from mlops_compiler.ir.ops.prepare import StepOp


def refused(step: StepOp, before: pl.DataFrame, after: pl.DataFrame) -> str | None:
    """Say which values a step may not take: negative ones of a logarithm, and those that do not survive a cast.

    Args:
        step: The step.
        before: The rows that reach it.
        after: The rows that it gives.

    Returns:
        The reason, with the first column and its values; None where all is well.
    """
    match step:
        case Log1p(columns=columns):
            bad = {name: (before[name] < 0).fill_null(value=False) for name in columns}
            what = "is negative, which `log1p` does not take"
        case Cast(columns=columns, to=to):
            bad = {name: lost_in(before[name], after[name]) for name in columns}
            what = f"does not survive the cast to {to}"
        case _:
            return None
    for name, rows in bad.items():
        if rows.any():
            return f"column `{name}` holds what {what}: {_sample(before[name].filter(rows))}"
    return None


def _sample(values: pl.Series) -> str:
    distinct = values.unique(maintain_order=True).to_list()
    return ", ".join(map(repr, distinct[:SAMPLES])) + (", …" if len(distinct) > SAMPLES else "")
