"""A step with what it learned, applied to rows."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import polars as pl

from mlops_compiler.diagnostics import DataError, Diagnostic, Note
from mlops_compiler.tables.refusals import refused
from mlops_compiler.tables.steps import Change, Learned, change
from mlops_compiler.tables.stream import doubled

if TYPE_CHECKING:
    from mlops_compiler.ir.ops.prepare import StepOp
    from mlops_compiler.tables.steps import Mode


@dataclass(frozen=True, slots=True, kw_only=True)
class FittedStep:
    """A step with what it learned.

    Attributes:
        name: Its name in the recipe.
        step: The step.
        learned: What it learned, as JSON.
        change: How it changes a table; made once, and asked of each row.
    """

    name: str
    step: StepOp
    learned: Learned
    change: Change = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "change", change(self.step, self.learned))

    def apply(self, frame: pl.DataFrame, mode: Mode, place: int = 0) -> pl.DataFrame:
        """Apply the step's change to all rows of a table.

        Args:
            frame: The rows.
            mode: What they are for.
            place: How many rows went before.

        Raises:
            DataError: A value cannot go through it.
        """
        after = self.pass_on(frame, mode, place)
        if (reason := refused(self.step, frame, after, mode)) is not None:
            raise DataError([step_failed(self.name, reason)])
        return after

    def pass_on(self, frame: pl.DataFrame, mode: Mode, place: int = 0) -> pl.DataFrame:
        """Apply the change to some rows; who asks looks at what may be refused.

        Polars divides a column by a constant as a product with its reciprocal, but for a chunk of one row. So a single
        row goes beside a copy of itself.

        Raises:
            DataError: Polars cannot do it.
        """
        single = frame.height == 1 and not (mode == "training" and self.change.resample is not None)
        try:
            if not single:
                return self.change.apply(frame, mode, place)
            twice = self.change.apply(doubled(frame), mode, place)
        except pl.exceptions.PolarsError as error:
            raise DataError([step_failed(self.name, str(error))]) from error
        return twice.head(twice.height // 2)


def step_failed(name: str, reason: str) -> Diagnostic:
    """Make the diagnostic of a step that the data broke; a reason's first line tells column and values."""
    return Diagnostic(
        code="step-failed",
        headline=f"step `{name}` cannot run on these rows",
        notes=(Note(text=reason.split("\n", 1)[0]),),
    )
