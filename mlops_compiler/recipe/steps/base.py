"""What every step says, and what many say alike."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from mlops_compiler.section import Section

Selector = str | tuple[str, ...] | Annotated[dict[Literal["all_except"], tuple[str, ...]], Field(min_length=1)]
Statistic = Literal["mean", "median", "min", "max", "std", "count"]
TextCount = Literal["chars", "words", "digits", "capitals"]
DatePart = Literal["year", "quarter", "month", "week", "day", "weekday", "day_of_year", "hour", "minute"]
Names = str | tuple[str, ...]
"""One name, or several."""


class Step(Section):
    """What every step may say."""

    because: str | None = None
    """Why the step is there; shown in the report, part of no result."""
    max_loss: Annotated[float, Field(ge=0, le=1)] | None = None
    """The greatest share of the training rows that the step may drop, and of the values it finds that may be missing
    after it in the columns that stay."""


def names_of(names: Names) -> tuple[str, ...]:
    """Take one name as a list of it."""
    return (names,) if isinstance(names, str) else names
