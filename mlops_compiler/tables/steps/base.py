"""What every step can be asked: what it reads, what it learns from the training rows, how it changes a table.

Training, a file scored in batch and one request at the service run these very expressions; there is no
second implementation. What a step learns comes back as JSON and goes into the expressions as literals.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import singledispatch
from typing import TYPE_CHECKING, Any, TypeVar

import polars as pl

from mlops_compiler.diagnostics import DataError, Diagnostic, listing
from mlops_compiler.tables.casts import cast_expression

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from mlops_compiler.ir.ops.prepare import StepOp
    from mlops_compiler.ir.schema import Schema

Frame = TypeVar("Frame", pl.DataFrame, pl.LazyFrame)
Learned = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """How a step changes a table: rows to keep, columns to set or to cast, columns to remove; in this order.

    How a column is cast depends on the type that it has, hence casts are no expressions yet.
    """

    keep: pl.Expr | None = None
    columns: tuple[pl.Expr, ...] = ()
    casts: tuple[tuple[str, str], ...] = ()
    remove: tuple[str, ...] = ()

    def apply(self, frame: Frame, *, filter_rows: bool) -> Frame:
        """Apply the change to a frame; rows are dropped only where `filter_rows` says so."""
        if self.keep is not None and filter_rows:
            frame = frame.filter(self.keep)
        if self.columns:
            frame = frame.with_columns(*self.columns)
        if self.casts:
            given = frame.collect_schema()
            frame = frame.with_columns(
                cast_expression(pl.col(name), to, strict=True, given=given[name]) for name, to in self.casts
            )
        return frame.drop(*self.remove) if self.remove else frame


@singledispatch
def reads(step: StepOp) -> tuple[str, ...]:
    """Name the columns that a step reads."""
    return step.columns  # type: ignore[union-attr]


@singledispatch
def writes(step: StepOp) -> tuple[str, ...]:
    """Name the columns that a step sets or removes; the indicators of a one-hot encoding are new and not named."""
    return step.columns  # type: ignore[union-attr]


@singledispatch
def statistics(step: StepOp, column: Callable[[str], pl.Expr]) -> dict[str, pl.Expr]:  # noqa: ARG001 - the signature of all
    """Give what a step asks of the training rows: name to an expression of one row.

    Args:
        step: The step.
        column: Gives the expression that reads a column as it reaches the step.
    """
    return {}


@singledispatch
def learn(step: StepOp, answers: Mapping[str, Any]) -> Learned:  # noqa: ARG001 - the signature of all
    """Turn the answers to `statistics` into what the step keeps, as JSON.

    Raises:
        DataError: The training rows do not hold what the step needs.
    """
    return {}


@singledispatch
def change(step: StepOp, learned: Learned) -> Change:
    """Give the change that a step makes, with what it learned as literals."""
    raise TypeError(f"no change is registered for {step!r} and {learned!r}")


@singledispatch
def neutral(step: StepOp, schema: Schema) -> Learned:  # noqa: ARG001 - the signature of all
    """What a step could have learned, for typing only; its values meet no row."""
    return {}


def present(values: pl.Expr) -> pl.Expr:
    """Drop what is missing: nulls, and the NaNs that Polars does not count among them."""
    return values.drop_nulls().drop_nans()


def must_be_finite(learned: Mapping[str, Any], what: str) -> None:
    """Refuse infinite values; the deviation of a column that holds some is no number."""
    infinite = [name for name, value in learned.items() if isinstance(value, float) and not math.isfinite(value)]
    if not infinite:
        return
    verb = "holds" if len(infinite) == 1 else "hold"
    finding = Diagnostic(
        code="infinite-values",
        headline=f"{listing(infinite)} {verb} infinite values in the training rows; {what} of them says nothing",
        help="a division by zero makes them: divide by `greatest(x, 1)`, or filter such rows",
    )
    raise DataError([finding])


def nothing_to_learn(columns: list[str], what: str) -> Diagnostic:
    """Say that columns have no value in the training rows."""
    verb = "has" if len(columns) == 1 else "have"
    return Diagnostic(
        code="nothing-to-learn",
        headline=f"{listing(columns)} {verb} no value in the training rows to learn {what} from",
        help="impute a constant, or drop the column",
    )


def must_have_learned(learned: Mapping[str, Any], what: str) -> None:
    """Refuse columns that have no value in the training rows, or infinite ones.

    Raises:
        DataError: All of them.
    """
    if empty := [name for name, value in learned.items() if value is None]:
        raise DataError([nothing_to_learn(empty, what)])
    must_be_finite(learned, what)


def as_level(values: pl.Expr) -> pl.Expr:
    """Write values as the levels that they are."""
    return values.cast(pl.String)


def counts(answer: Sequence[Mapping[str, Any]]) -> list[tuple[str, int]]:
    """Read an answer of `value_counts`: each level with its rows, in no order."""
    return [(item[next(key for key in item if key != "count")], item["count"]) for item in answer]
