"""Steps that turn levels, texts and dates into numbers, or into fewer levels."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from mlops_compiler.recipe.steps.base import DatePart, Selector, Step, TextCount


class OneHot(Step):
    """Replace each column by one indicator for each level seen in the training rows."""

    op: Literal["one_hot"]
    columns: Selector
    """What is encoded: names, a group such as `categorical`, a pattern, or all but some."""
    max_levels: Annotated[int, Field(ge=1, le=1000)] = 20
    """Most levels a column may keep; the most frequent are kept."""
    rare: Literal["group", "error"] = "group"
    """What happens to levels past `max_levels`: grouped into one indicator, or an error."""


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


class TargetEncode(Step):
    """Put how often the rows of a level have the positive outcome; cross-fitted, so that no row sees its own."""

    op: Literal["target_encode"]
    columns: Selector
    """What is encoded: names, a group such as `categorical`, a pattern, or all but some."""
    smoothing: Annotated[float, Field(gt=0)] = 10.0
    """So many rows at the rate of all are added to each level: what is rare says little."""
    folds: Annotated[int, Field(ge=2, le=20)] = 5
    """In how many parts the rows to learn from are cut; each gets the rates of the others."""


class Hash(Step):
    """Replace each column by indicators of the bucket that its value falls into; nothing is learned, nothing is new."""

    op: Literal["hash"]
    columns: Selector
    """What is encoded: names, a group such as `categorical`, a pattern, or all but some."""
    buckets: Annotated[int, Field(ge=2, le=1024)] = 16
    """How many indicators a column gets; levels share them by chance."""


class GroupRare(Step):
    """Put one level for all that are rare in the training rows, and for those that were not known."""

    op: Literal["group_rare"]
    columns: Selector
    """What is grouped: names, a group such as `categorical`, a pattern, or all but some."""
    min_share: Annotated[float, Field(ge=0, lt=1)] = 0.01
    """A level that fewer of the training rows hold is rare."""
    keep: Annotated[int, Field(ge=1)] | None = None
    """The most levels that stay, the most frequent ones."""
    level: Annotated[str, Field(min_length=1)] = "(rare)"
    """The level that stands for them."""


class TextTopics(Step):
    """Replace texts by numbers: the weights (TF-IDF) of their words, reduced by a truncated SVD."""

    op: Literal["text_topics"]
    columns: Selector
    """Which texts: names, a pattern, or all but some."""
    components: Annotated[int, Field(ge=1, le=500)] = 20
    """How many numbers a text becomes."""
    max_terms: Annotated[int, Field(ge=2, le=100_000)] = 5000
    """The most words that are known, the most frequent ones."""
    min_rows: Annotated[int, Field(ge=1)] = 2
    """In how many training rows a word must stand."""


class TextCounts(Step):
    """Count the characters, words, digits and capitals of texts."""

    op: Literal["text_counts"]
    columns: Selector
    """Which texts: names, a pattern, or all but some."""
    counts: Annotated[tuple[TextCount, ...], Field(min_length=1)] = ("chars", "words")
    """What is counted; each makes a column such as ``NAME_words``."""
    keep: bool = False
    """Whether the text itself stays, for another step."""


class DateParts(Step):
    """Replace dates by numbers: year, month, weekday, hour, ..."""

    op: Literal["date_parts"]
    columns: Selector
    """Which dates: names, `temporal`, a pattern, or all but some."""
    parts: Annotated[tuple[DatePart, ...], Field(min_length=1)] = ("year", "month", "weekday")
    """What is taken; each makes a column such as ``NAME_month``."""
    cyclical: bool = False
    """Whether a part that comes round again becomes a sine and a cosine, so that December is next to January."""
    keep: bool = False
    """Whether the date itself stays, for another step."""
