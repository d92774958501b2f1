"""`prepare:` is a named mapping of steps; they run in the order written."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from mlops_compiler.recipe.data import ColumnType
from mlops_compiler.section import Section

Selector = str | tuple[str, ...] | dict[Literal["all_except"], tuple[str, ...]]


class Step(Section):
    """What every step may say."""

    because: str | None = None
    """Why the step is there; shown in the report, part of no result."""


class Impute(Step):
    """Fill missing values with a constant, or with a statistic of the training rows."""

    op: Literal["impute"]
    columns: Selector
    """What is filled: names, a group such as `numeric`, a pattern, or all but some."""
    with_: Annotated[int | float | bool | str, Field(alias="with")]
    """A constant, or one of ``mean``, ``median``, ``mode`` (in a text column, ``mode`` only)."""


class Derive(Step):
    """Make columns from SQL expressions over the columns that reach the step."""

    op: Literal["derive"]
    columns: Annotated[dict[str, str], Field(min_length=1)]
    """New (or replaced) column to expression, in Polars's SQL dialect."""


class Log1p(Step):
    """Take log(1 + x); negative values are an error."""

    op: Literal["log1p"]
    columns: Selector
    """What is transformed: names, a group such as `numeric`, a pattern, or all but some."""


class Standardize(Step):
    """Subtract the mean and divide by the standard deviation of the training rows."""

    op: Literal["standardize"]
    columns: Selector
    """What is scaled: names, a group such as `numeric`, a pattern, or all but some."""


class OneHot(Step):
    """Replace each column by one indicator for each level seen in the training rows."""

    op: Literal["one_hot"]
    columns: Selector
    """What is encoded: names, a group such as `categorical`, a pattern, or all but some."""
    max_levels: Annotated[int, Field(ge=1, le=1000)] = 20
    """Most levels a column may keep; the most frequent are kept."""
    rare: Literal["group", "error"] = "group"
    """What happens to levels past `max_levels`: grouped into one indicator, or an error."""


class Drop(Step):
    """Remove columns."""

    op: Literal["drop"]
    columns: Selector
    """What is removed: names, a group such as `numeric`, a pattern, or all but some."""


class Cast(Step):
    """Change the type of columns; a value that does not survive is an error that shows it."""

    op: Literal["cast"]
    columns: Selector
    """What is cast: names, a group such as `numeric`, a pattern, or all but some."""
    to: ColumnType
    """The new type."""


class Filter(Step):
    """Keep the rows for which a SQL expression is true, in training and scoring; a prediction drops no row."""

    op: Literal["filter"]
    where: Annotated[str, Field(min_length=1)]
    """A SQL expression that is true for the rows to keep."""
    max_loss: Annotated[float, Field(ge=0, le=1)] = 1.0
    """The greatest share of rows that the step may drop."""


AnyStep = Annotated[Impute | Derive | Log1p | Standardize | OneHot | Drop | Cast | Filter, Field(discriminator="op")]
