"""`prepare:` is a named mapping of steps; they run in the order written."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from mlops_compiler.recipe.data import ColumnType
from mlops_compiler.section import Section

Selector = str | tuple[str, ...] | Annotated[dict[Literal["all_except"], tuple[str, ...]], Field(min_length=1)]


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


class RobustScale(Step):
    """Subtract the median and divide by the interquartile range of the training rows: outliers weigh little."""

    op: Literal["robust_scale"]
    columns: Selector
    """What is scaled: names, a group such as `numeric`, a pattern, or all but some."""


class MinMaxScale(Step):
    """Bring the range of the training rows to 0 to 1."""

    op: Literal["min_max_scale"]
    columns: Selector
    """What is scaled: names, a group such as `numeric`, a pattern, or all but some."""
    clip: bool = False
    """Whether values beyond that range are brought to its ends."""


class Clip(Step):
    """Bring outliers back to bounds learned from the training rows; missing values stay missing."""

    op: Literal["clip"]
    columns: Selector
    """What is clipped: names, a group such as `numeric`, a pattern, or all but some."""
    lower: Annotated[float, Field(ge=0, lt=1)] = 0.01
    """The quantile of the training rows that is the lower bound."""
    upper: Annotated[float, Field(gt=0, le=1)] = 0.99
    """The quantile that is the upper bound."""
    iqr: Annotated[float, Field(gt=0)] | None = None
    """Instead of quantiles: so many interquartile ranges beyond the quartiles; 1.5 is Tukey's fence."""

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.lower >= self.upper:
            raise ValueError(f"`lower` is {self.lower:g} and `upper` is {self.upper:g}")
        if self.iqr is not None and self.model_fields_set & {"lower", "upper"}:
            raise ValueError("`iqr` and quantiles are two ways to say the bounds; keep one")
        return self


class Bins(Step):
    """Put the number of its bin for each value, from 0; missing values stay missing."""

    op: Literal["bins"]
    columns: Selector
    """What is cut: names, a group such as `numeric`, a pattern, or all but some."""
    edges: Annotated[tuple[float, ...], Field(min_length=1)] | None = None
    """Where bins begin, rising: ``[18, 65]`` makes three."""
    quantiles: Annotated[int, Field(ge=2, le=1000)] | None = None
    """So many bins of about as many training rows each."""
    equal_width: Annotated[int, Field(ge=2, le=1000)] | None = None
    """So many bins of equal width over the range of the training rows."""

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        given = [name for name in ("edges", "quantiles", "equal_width") if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError("bins are cut in one way: give `edges`, `quantiles` or `equal_width`")
        if self.edges is not None and list(self.edges) != sorted(set(self.edges)):
            raise ValueError("`edges` rise, and none stands twice")
        return self


class Ordinal(Step):
    """Put its place in order for each level, from 0; -1 for what is missing or was not known."""

    op: Literal["ordinal"]
    columns: Selector
    """What is encoded: names, a group such as `categorical`, a pattern, or all but some."""
    order: Annotated[tuple[str, ...], Field(min_length=1)] | None = None
    """The levels in order; where not given, those of the training rows, as texts are sorted."""

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        if self.order is not None and len(set(self.order)) != len(self.order):
            raise ValueError("`order` names a level twice")
        return self


class Frequency(Step):
    """Put the share of the training rows that hold it for each level; 0 for what is missing or was not known."""

    op: Literal["frequency"]
    columns: Selector
    """What is encoded: names, a group such as `categorical`, a pattern, or all but some."""


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


AnyStep = Annotated[
    Impute
    | Derive
    | Log1p
    | Clip
    | Bins
    | Standardize
    | RobustScale
    | MinMaxScale
    | OneHot
    | Ordinal
    | Frequency
    | Drop
    | Cast
    | Filter,
    Field(discriminator="op"),
]
