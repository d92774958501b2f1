"""`data.history` adds to each row what earlier rows of its group say."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from mlops_compiler.recipe.steps.base import Names
from mlops_compiler.section import Section

Windowed = Literal["mean", "std", "min", "max", "median"]


class Past(Section):
    """What every look back says."""

    columns: Annotated[Names, Field(min_length=1)]
    """Columns of numbers."""
    by: Names = ()
    """Columns that make the groups; no row looks into another group."""


class Lag(Past):
    """The value of an earlier row: ``close_lag_1``; of a later one, which is known only after the outcome."""

    op: Literal["lag"]
    periods: Annotated[tuple[int, ...], Field(min_length=1)] = (1,)
    """How many rows back; a negative number looks ahead, for a target: ``-1`` makes ``close_lead_1``."""

    @model_validator(mode="after")
    def _another_row(self) -> Self:
        if 0 in self.periods:
            raise ValueError("`periods` holds 0, and a row is no lag of itself")
        return self


class Difference(Past):
    """How much a value changed since an earlier row: ``close_diff_1``."""

    op: Literal["difference"]
    periods: Annotated[tuple[Annotated[int, Field(ge=1)], ...], Field(min_length=1)] = (1,)
    """Since how many rows back."""


class Rolling(Past):
    """A statistic of a row and of those before it: ``close_mean_of_5``; missing until there are so many."""

    op: Literal["rolling"]
    window: Annotated[int, Field(ge=2, le=100_000)]
    """Of how many rows, its own included."""
    statistics: Annotated[tuple[Windowed, ...], Field(min_length=1)] = ("mean",)
    """Which statistics."""


class ForwardFill(Past):
    """The value, or where it is missing that of the last row before that has one: ``pressure_filled``."""

    op: Literal["forward_fill"]
    limit: Annotated[int, Field(ge=1)] | None = None
    """Over how many rows a value is carried at most; over any number where it is not given."""


AnyPast = Annotated[Lag | Difference | Rolling | ForwardFill, Field(discriminator="op")]
