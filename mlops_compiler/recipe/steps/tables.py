"""Steps on whole tables: which columns and rows there are, and what is computed from several."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from mlops_compiler.recipe.steps.base import Names, Selector, Statistic, Step


class Derive(Step):
    """Make columns from SQL expressions over the columns that reach the step."""

    op: Literal["derive"]
    columns: Annotated[dict[str, str], Field(min_length=1)]
    """New (or replaced) column to expression, in Polars's SQL dialect."""


class Ratio(Step):
    """Divide one column by another; where that is 0, the ratio is missing."""

    op: Literal["ratio"]
    columns: Annotated[dict[str, tuple[str, str]], Field(min_length=1)]
    """New column to the two that are divided: ``{debt_to_income: [expenses, income]}``."""


class Cross(Step):
    """Make one level of the levels of several columns: what they say together."""

    op: Literal["cross"]
    columns: Annotated[dict[str, Annotated[tuple[str, ...], Field(min_length=2)]], Field(min_length=1)]
    """New column to those that are crossed: ``{route: [origin, dest]}``; missing where one of them is."""


class GroupAggregate(Step):
    """Add what the training rows of the same group are like: ``delay_mean_by_carrier``."""

    op: Literal["group_aggregate"]
    columns: Selector
    """What is summarised: names, `numeric`, a pattern, or all but some."""
    by: Annotated[Names, Field(min_length=1)]
    """The columns that make the groups; one that was not known gets the statistics of all rows."""
    statistics: Annotated[tuple[Statistic, ...], Field(min_length=1)] = ("mean",)
    """What is added for each column."""


class Sql(Step):
    """Choose and compute columns with a SELECT over one row: `derive`, `rename` and `drop` in one."""

    op: Literal["sql"]
    query: Annotated[str, Field(min_length=1)]
    """``SELECT *, a / b AS c FROM rows``, or ``SELECT * EXCLUDE (a), ...``; features that are not chosen go."""


class Rename(Step):
    """Give columns other names."""

    op: Literal["rename"]
    columns: Annotated[dict[str, Annotated[str, Field(min_length=1)]], Field(min_length=1)]
    """The name that a column has, to the one that it gets."""


class Drop(Step):
    """Remove columns."""

    op: Literal["drop"]
    columns: Selector
    """What is removed: names, a group such as `numeric`, a pattern, or all but some."""


class SelectKBest(Step):
    """Keep the columns that tell most of the target by themselves, by mutual information; one of the last steps."""

    op: Literal["select_k_best"]
    k: Annotated[int, Field(ge=1)]
    """How many stay, an indicator of a one-hot encoding counted as one."""
    columns: Selector = "all"
    """Among which is chosen: names, `all` features, a pattern, or all but some; others stay."""


class DropConstant(Step):
    """Remove columns that do not vary in the training rows; one of the last steps."""

    op: Literal["drop_constant"]
    columns: Selector = "all"
    """Which are looked at: names, `all` features, a pattern, or all but some."""
    min_variance: Annotated[float, Field(ge=0)] = 0.0
    """The greatest variance that counts as none."""


class DropCorrelated(Step):
    """Of columns that say nearly the same in the training rows, keep the first; one of the last steps."""

    op: Literal["drop_correlated"]
    columns: Selector = "all"
    """Which are compared: names, `all` features, a pattern, or all but some."""
    above: Annotated[float, Field(gt=0, lt=1)] = 0.95
    """The absolute correlation (Pearson's) from which a column goes."""


class Filter(Step):
    """Keep the rows for which a SQL expression is true, in training and scoring; a prediction drops no row."""

    op: Literal["filter"]
    where: Annotated[str, Field(min_length=1)]
    """A SQL expression that is true for the rows to keep."""
    max_loss: Annotated[float, Field(ge=0, le=1)] = 1.0
    """The greatest share of rows that the step may drop."""


class Deduplicate(Step):
    """Learn from one only of rows that are equal; rows that are scored all stay."""

    op: Literal["deduplicate"]
    columns: Selector = "all"
    """What must be equal: names, `all` features, a pattern, or all but some."""
    max_loss: Annotated[float, Field(ge=0, le=1)] = 1.0
    """The greatest share of rows that the step may drop."""


class Balance(Step):
    """Let both classes weigh the same where a model learns; rows that are scored stay as they are."""

    op: Literal["balance"]
    method: Literal["weights", "over", "under"] = "weights"
    """``weights``, or repeat rows of the rarer class (``over``), or leave out rows of the other (``under``)."""
