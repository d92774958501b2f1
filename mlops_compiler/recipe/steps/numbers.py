"""Steps on numbers, and on what is missing."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from mlops_compiler.recipe.data import ColumnType  # noqa: TC001 - Pydantic reads the annotations
from mlops_compiler.recipe.steps.base import Names, Selector, Step


class Impute(Step):
    """Fill missing values with a constant, a statistic of the training rows, or what other columns let expect."""

    op: Literal["impute"]
    columns: Selector
    """What is filled: names, a group such as `numeric`, a pattern, or all but some."""
    with_: Annotated[int | float | bool | str, Field(alias="with")]
    """A constant, ``mean``, ``median``, ``mode`` (in a text column, ``mode`` only), or ``model`` for a regression."""
    by: Names = ()
    """Columns that make groups: each group gets its own statistic, and one that was not known that of all rows."""
    using: Selector | None = None
    """Numbers that ``model`` expects the value from; the other numeric columns where it is not given."""
    indicator: bool = False
    """Whether a column ``NAME_missing`` says which values were missing."""

    @model_validator(mode="after")
    def _goes_together(self) -> Self:
        if self.by and self.with_ not in ("mean", "median", "mode"):
            raise ValueError("`by` gives each group its own statistic: it goes with `mean`, `median` or `mode`")
        if self.using is not None and self.with_ != "model":
            raise ValueError("`using` says what a regression expects the value from: it goes with `with: model`")
        return self


class Log1p(Step):
    """Take log(1 + x); negative values are an error."""

    op: Literal["log1p"]
    columns: Selector
    """What is transformed: names, a group such as `numeric`, a pattern, or all but some."""


class YeoJohnson(Step):
    """Bring numbers near to a normal distribution by a power whose exponent is learned; negative ones too."""

    op: Literal["yeo_johnson"]
    columns: Selector
    """What is transformed: names, a group such as `numeric`, a pattern, or all but some."""


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


class Winsorize(Step):
    """Bring the smallest and the greatest values of the training rows to where so many lie beyond; as `clip` does."""

    op: Literal["winsorize"]
    columns: Selector
    """What is brought in: names, a group such as `numeric`, a pattern, or all but some."""
    share: Annotated[float, Field(gt=0, lt=0.5)] = 0.05
    """The share of the training rows at each end."""


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


class QuantileScale(Step):
    """Put for each value the share of the training rows that lie below it: outliers and skew are gone."""

    op: Literal["quantile_scale"]
    columns: Selector
    """What is scaled: names, a group such as `numeric`, a pattern, or all but some."""
    quantiles: Annotated[int, Field(ge=2, le=1000)] = 100
    """At how many places the distribution is kept; linear between them."""
    to: Literal["uniform", "normal"] = "uniform"
    """The distribution that the training rows get: 0 to 1 evenly, or a normal one."""


class Cast(Step):
    """Change the type of columns; a value that does not survive is an error that shows it."""

    op: Literal["cast"]
    columns: Selector
    """What is cast: names, a group such as `numeric`, a pattern, or all but some."""
    to: ColumnType
    """The new type."""
    max_loss: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """The greatest share of the training rows whose value may be lost; what is lost is missing then."""
