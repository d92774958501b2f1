"""Values that a step may not take although Polars would: found on real rows, wherever the step runs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mlops_compiler.ir.ops.prepare import Cast, Log1p
from mlops_compiler.tables.casts import SAMPLES, lost_in

if TYPE_CHECKING:
    from collections.abc import Iterator

    import polars as pl

    from mlops_compiler.ir.ops.prepare import StepOp
    from mlops_compiler.tables.steps import Mode

_NEGATIVE = "is negative, which `log1p` does not take"


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
    refusals = Refusals()
    refusals.look("", step, before, after, mode)
    return next((reason for _, reason in refusals.reasons()), None)


@dataclass(slots=True, kw_only=True)
class _Bad:
    """What is wrong with a column: how many of its rows, and some distinct values, the first ones."""

    what: str
    most: float
    rows: int = 0
    bad: int = 0
    values: dict[Any, None] = field(default_factory=dict)


class Refusals:
    """Counts, over batches of rows, the values that steps may not take."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, str], _Bad] = {}

    def look(self, name: str, step: StepOp, before: pl.DataFrame, after: pl.DataFrame, mode: Mode) -> None:
        """Look at a batch before and after a step."""
        match step:
            case Log1p(columns=columns):
                for column in columns:
                    wrong = (before[column] < 0).fill_null(value=False)
                    self._count((name, column), _Bad(what=_NEGATIVE, most=0.0), before[column], wrong)
            case Cast(columns=columns, to=to, max_loss=most) if most == 0 or mode == "training":
                for column in columns:
                    wrong = lost_in(before[column], after[column])
                    bad = _Bad(what=f"does not survive the cast to {to}", most=most)
                    self._count((name, column), bad, before[column], wrong)
            case _:
                return

    def _count(self, key: tuple[str, str], fresh: _Bad, values: pl.Series, wrong: pl.Series) -> None:
        bad = self._found.setdefault(key, fresh)
        bad.rows += len(values)
        if count := int(wrong.sum()):
            bad.bad += count
            if len(bad.values) <= SAMPLES:
                bad.values |= dict.fromkeys(
                    values.filter(wrong).unique(maintain_order=True).head(SAMPLES + 1).to_list()
                )

    def reasons(self) -> Iterator[tuple[str, str]]:
        """Name the steps that do not take what they were given, each with the reason."""
        for (name, column), bad in self._found.items():
            if bad.bad and bad.bad > bad.most * bad.rows:
                values = list(bad.values)
                shown = ", ".join(map(repr, values[:SAMPLES])) + (", …" if len(values) > SAMPLES else "")
                yield name, f"column `{column}` holds what {bad.what}: {shown}"
