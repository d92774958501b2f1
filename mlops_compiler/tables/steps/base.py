"""What every step can be asked: what it reads, what it learns from the training rows, how it changes a table.

Training, a file scored in batch and one request at the service run these very expressions; there is no
second implementation. What a step learns comes back as JSON and goes into the expressions as literals.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import singledispatch
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, TypeVar

import polars as pl

from mlops_compiler.diagnostics import DataError, Diagnostic, listing
from mlops_compiler.tables.casts import cast_expression

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from mlops_compiler.ir.ops.prepare import StepOp
    from mlops_compiler.ir.schema import Schema

Frame = TypeVar("Frame", pl.DataFrame, pl.LazyFrame)
Learned = dict[str, Any]
Mode: TypeAlias = Literal["training", "scoring", "serving"]
"""What rows are prepared for: to learn from them, to score a model on them, or to answer a request. A filter drops rows
in the first two; what is cross-fitted, deduplicated or balanced is so in the first alone."""
LABEL = "\x00label"
"""The encoded target travels with the rows to learn from, under a name that no recipe can write."""
WEIGHT = "\x00weight"
"""What each of them weighs, where a step says so."""
SAMPLE_WEIGHT = "\x00sample_weight"
"""What each row weighs by the recipe's column: it is learned from by the product of both, and scored by this."""
NAIVE = "\x00naive"
"""What a seasonal naive forecast says of each row, where the target lies ahead."""
HIDDEN = frozenset({LABEL, WEIGHT, SAMPLE_WEIGHT, NAIVE})
PLACE = "\x00place"
"""How many rows to learn from went before each: for steps that deal them into parts, while they run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """How a step changes a table; in this order.

    How a column is cast depends on the type that it has, hence casts are no expressions yet.

    Attributes:
        keep: The rows that stay; a request keeps its rows.
        resample: Which rows a model learns from, and how often: their numbers, computed from all of them.
        once: Columns that several of those that follow read, computed once; they are removed again.
        columns: The columns that are set.
        taught: The same in rows to learn from, where they get others: those of cross-fitting.
        casts: Columns to the types that they are cast to.
        strict: Whether a value that does not survive its cast is an error, else it is missing.
        remove: The columns that go.
    """

    keep: pl.Expr | None = None
    resample: pl.Expr | None = None
    once: tuple[pl.Expr, ...] = ()
    columns: tuple[pl.Expr, ...] = ()
    taught: tuple[pl.Expr, ...] | None = None
    casts: tuple[tuple[str, str], ...] = ()
    strict: bool = True
    remove: tuple[str, ...] = ()

    def apply(self, frame: Frame, mode: Mode, place: int = 0) -> Frame:
        """Apply the change to a frame, before which `place` rows went."""
        if self.keep is not None and mode != "serving":
            frame = frame.filter(self.keep)
        if self.resample is not None and mode == "training":
            frame = frame.select(pl.all().gather(self.resample))
        if self.once:
            frame = frame.with_columns(*self.once)
        if self.taught is not None and mode == "training":
            frame = frame.with_row_index(PLACE, offset=place).with_columns(*self.taught).drop(PLACE)
        elif self.columns:
            frame = frame.with_columns(*self.columns)
        if self.casts:
            given = frame.collect_schema()
            frame = frame.with_columns(
                cast_expression(pl.col(name), to, strict=self.strict, given=given[name]) for name, to in self.casts
            )
        return frame.drop(*self.remove) if self.remove else frame


@singledispatch
def reads(step: StepOp) -> tuple[str, ...]:
    """Name the columns that a step reads."""
    return step.columns  # type: ignore[union-attr]


@singledispatch
def writes(step: StepOp) -> tuple[str, ...]:
    """Name the columns that a step sets or removes; the indicators of a one-hot encoding are new and not named."""
    return tuple(dict.fromkeys((*step.columns, *makes(step))))  # type: ignore[union-attr]


@singledispatch
def makes(step: StepOp) -> dict[str, tuple[str, ...]]:  # noqa: ARG001 - the signature of all
    """Map each column that a step computes from others to those; what is changed in place is not among them."""
    return {}


@singledispatch
def opens(step: StepOp) -> dict[str, tuple[str, ...]]:  # noqa: ARG001 - the signature of all
    """Map each group of columns that only the data can name (``contract=*``) to those that it is made from."""
    return {}


@singledispatch
def removes(step: StepOp) -> tuple[str, ...]:  # noqa: ARG001 - the signature of all
    """Name the columns that a step removes."""
    return ()


@singledispatch
def narrow(step: StepOp, live: AbstractSet[str]) -> StepOp | None:
    """Cut a step down to what is needed after it; None where nothing is.

    Args:
        step: The step.
        live: The columns that are needed after it.
    """
    made = {**makes(step), **opens(step)}
    wanted = {parent for name, parents in made.items() if name in live for parent in parents}
    needed = tuple(name for name in step.columns if name in live or name in wanted)  # type: ignore[union-attr]
    return replace(step, columns=needed) if needed else None  # type: ignore[arg-type]


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


@singledispatch
def adds_up(step: StepOp) -> bool:  # noqa: ARG001 - the signature of all
    """Whether a step asks for counts of rows by value only: those of batches add up to those of all."""
    return False


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


def level_counts(names: Sequence[str], column: Callable[[str], pl.Expr]) -> dict[str, pl.Expr]:
    """Ask of each column how many rows each level has; `counts` reads the answers."""
    return {name: as_level(column(name)).drop_nulls().value_counts().implode() for name in names}
