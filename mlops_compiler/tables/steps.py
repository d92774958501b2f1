"""Each step as Polars expressions: what it reads, what it learns from the training rows, how it changes a table.

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
from mlops_compiler.ir.ops.prepare import (
    Cast,
    Derive,
    Drop,
    Filter,
    Impute,
    Log1p,
    OneHot,
    Standardize,
    StepOp,
)
from mlops_compiler.tables.casts import cast_expression
from mlops_compiler.tables.expressions import parse_expression

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Frame = TypeVar("Frame", pl.DataFrame, pl.LazyFrame)
RARE = "(rare)"
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


@reads.register(Derive)
def _(step: Derive) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for _, text in step.expressions for name in parse_expression(text)[1]))


@reads.register(Filter)
def _(step: Filter) -> tuple[str, ...]:
    return parse_expression(step.where)[1]


@singledispatch
def writes(step: StepOp) -> tuple[str, ...]:
    """Name the columns that a step sets or removes; the indicators of a one-hot encoding are new and not named."""
    return step.columns  # type: ignore[union-attr]


@writes.register(Derive)
def _(step: Derive) -> tuple[str, ...]:
    return tuple(name for name, _ in step.expressions)


@writes.register(Filter)
def _(_step: Filter) -> tuple[str, ...]:
    return ()


@singledispatch
def statistics(step: StepOp, column: Callable[[str], pl.Expr]) -> dict[str, pl.Expr]:  # noqa: ARG001 - the signature of all
    """Give what a step asks of the training rows: name to an expression of one row.

    Args:
        step: The step.
        column: Gives the expression that reads a column as it reaches the step.
    """
    return {}


@statistics.register(Impute)
def _(step: Impute, column: Callable[[str], pl.Expr]) -> dict[str, pl.Expr]:
    match step.statistic:
        case None:
            return {}
        case "mean":
            return {name: _present(column(name)).mean() for name in step.columns}
        case "median":
            return {name: _present(column(name)).median() for name in step.columns}
        case "mode":  # the smallest of the most frequent values, so that ties do not depend on the order of rows
            return {name: _present(column(name)).mode().sort().first() for name in step.columns}


@statistics.register(Standardize)
def _(step: Standardize, column: Callable[[str], pl.Expr]) -> dict[str, pl.Expr]:
    asked: dict[str, pl.Expr] = {}
    for name in step.columns:
        values = _present(column(name))
        asked |= {f"{name}|mean": values.mean(), f"{name}|std": values.std(ddof=0)}
    return asked


@statistics.register(OneHot)
def _(step: OneHot, column: Callable[[str], pl.Expr]) -> dict[str, pl.Expr]:
    return {name: _as_level(column(name)).drop_nulls().value_counts().implode() for name in step.columns}


def _present(values: pl.Expr) -> pl.Expr:
    """Drop what is missing: nulls, and the NaNs that Polars does not count among them."""
    return values.drop_nulls().drop_nans()


def _as_level(values: pl.Expr) -> pl.Expr:
    return values.cast(pl.String)


@singledispatch
def learn(step: StepOp, answers: Mapping[str, Any]) -> Learned:  # noqa: ARG001 - the signature of all
    """Turn the answers to `statistics` into what the step keeps, as JSON.

    Raises:
        DataError: The training rows do not hold what the step needs.
    """
    return {}


@learn.register(Impute)
def _(step: Impute, answers: Mapping[str, Any]) -> Learned:
    if step.statistic is None:
        return {}
    empty = [name for name in step.columns if answers[name] is None]
    if empty:
        raise DataError([_nothing_to_learn(empty, f"the {step.statistic}")])
    _must_be_finite({name: answers[name] for name in step.columns}, f"the {step.statistic}")
    return {"fill": {name: answers[name] for name in step.columns}}


@learn.register(Standardize)
def _(step: Standardize, answers: Mapping[str, Any]) -> Learned:
    empty = [name for name in step.columns if answers[f"{name}|mean"] is None]
    if empty:
        raise DataError([_nothing_to_learn(empty, "a mean")])
    _must_be_finite({name: answers[f"{name}|std"] for name in step.columns}, "a mean")
    # A constant column is only centred: dividing by zero would make it infinite.
    return {
        "mean": {name: answers[f"{name}|mean"] for name in step.columns},
        "std": {name: answers[f"{name}|std"] or 1.0 for name in step.columns},
    }


@learn.register(OneHot)
def _(step: OneHot, answers: Mapping[str, Any]) -> Learned:
    levels: dict[str, list[str]] = {}
    rare: list[str] = []
    for name in step.columns:
        counted = sorted((-item["count"], item[_value_field(item)]) for item in answers[name])
        if len(counted) > step.max_levels:
            if step.rare == "error":
                raise DataError([_too_many_levels(name, len(counted), step.max_levels)])
            rare.append(name)
        levels[name] = sorted(level for _, level in counted[: step.max_levels])
    return {"levels": levels, "rare": rare}


def _value_field(item: Mapping[str, Any]) -> str:
    return next(key for key in item if key != "count")


def _must_be_finite(learned: Mapping[str, Any], what: str) -> None:
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


def _nothing_to_learn(columns: list[str], what: str) -> Diagnostic:
    verb = "has" if len(columns) == 1 else "have"
    return Diagnostic(
        code="nothing-to-learn",
        headline=f"{listing(columns)} {verb} no value in the training rows to learn {what} from",
        help="impute a constant, or drop the column",
    )


def _too_many_levels(name: str, found: int, most: int) -> Diagnostic:
    return Diagnostic(
        code="too-many-levels",
        headline=f"column `{name}` has {found} levels, more than `max_levels: {most}`",
        help="raise `max_levels`, or group the rare ones with `rare: group`",
    )


@singledispatch
def change(step: StepOp, learned: Learned) -> Change:
    """Give the change that a step makes, with what it learned as literals."""
    raise TypeError(f"no change is registered for {step!r} and {learned!r}")


@change.register(Impute)
def _(step: Impute, learned: Learned) -> Change:
    fill = learned.get("fill", {})
    return Change(columns=tuple(_fill(name, fill.get(name, step.value)) for name in step.columns))


def _fill(name: str, value: Any) -> pl.Expr:
    filled = pl.col(name).fill_null(pl.lit(value))
    return filled.fill_nan(value) if isinstance(value, float) else filled


@change.register(Derive)
def _(step: Derive, learned: Learned) -> Change:  # noqa: ARG001
    return Change(columns=tuple(parse_expression(text)[0].alias(name) for name, text in step.expressions))


@change.register(Log1p)
def _(step: Log1p, learned: Learned) -> Change:  # noqa: ARG001
    return Change(columns=tuple(pl.col(name).cast(pl.Float64).log1p() for name in step.columns))


@change.register(Standardize)
def _(step: Standardize, learned: Learned) -> Change:
    mean, std = learned["mean"], learned["std"]
    return Change(columns=tuple((pl.col(name).cast(pl.Float64) - mean[name]) / std[name] for name in step.columns))


@change.register(OneHot)
def _(step: OneHot, learned: Learned) -> Change:
    made: list[pl.Expr] = []
    for name in step.columns:
        value, levels = _as_level(pl.col(name)), learned["levels"][name]
        made += [value.eq_missing(pl.lit(level)).cast(pl.UInt8).alias(f"{name}={level}") for level in levels]
        if name in learned["rare"]:
            rare = value.is_not_null() & ~value.is_in(levels)
            made.append(rare.fill_null(value=False).cast(pl.UInt8).alias(f"{name}={RARE}"))
    return Change(columns=tuple(made), remove=step.columns)


@change.register(Drop)
def _(step: Drop, learned: Learned) -> Change:  # noqa: ARG001
    return Change(remove=step.columns)


@change.register(Cast)
def _(step: Cast, learned: Learned) -> Change:  # noqa: ARG001
    return Change(casts=tuple((name, step.to) for name in step.columns))


@change.register(Filter)
def _(step: Filter, learned: Learned) -> Change:  # noqa: ARG001
    return Change(keep=parse_expression(step.where)[0])
