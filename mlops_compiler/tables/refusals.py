"""Values that a step may not take although Polars would: found on real rows, wherever the step runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_compiler.ir.ops.prepare import Cast, Log1p
from mlops_compiler.tables.casts import SAMPLES, lost_in

if TYPE_CHECKING:
    import polars as pl

    from mlops_compiler.ir.ops.prepare import StepOp
    from mlops_compiler.tables.steps import Mode


def refused(step: StepOp, before: pl.DataFrame, after: pl.DataFrame, mode: Mode) -> str | None:
    """Say which values a step may not take: negative ones of a logarithm, and those that do not survive a cast.

    Args:
        step: The step.
        before: The rows that reach it.
        after: The rows that it gives.
        mode: What the rows are prepared for; a request may lose any value that a cast may lose some of.

    Returns:
        The reason, with the first column and its values; None where all is well.
    """
    match step:
        case Log1p(columns=columns):
            bad = {name: (before[name] < 0).fill_null(value=False) for name in columns}
            most, what = 0.0, "is negative, which `log1p` does not take"
        case Cast(max_loss=max_loss) if max_loss > 0 and mode != "training":
            return None
        case Cast(columns=columns, to=to, max_loss=max_loss):
            bad = {name: lost_in(before[name], after[name]) for name in columns}
            most, what = max_loss, f"does not survive the cast to {to}"
        case _:
            return None
    for name, rows in bad.items():
        if rows.any() and rows.sum() > most * len(rows):
            return f"column `{name}` holds what {what}: {_sample(before[name].filter(rows))}"
    return None


def _sample(values: pl.Series) -> str:
    distinct = values.unique(maintain_order=True).to_list()
    return ", ".join(map(repr, distinct[:SAMPLES])) + (", …" if len(distinct) > SAMPLES else "")
