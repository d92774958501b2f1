"""`explain:` says what is told of the chosen model: what it looks at, what it adds up, where it is wrong."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from mlops_compiler.section import Section


class Explain(Section):
    """What a run finds out about the model that it trained; shown in the report and kept as data."""

    importance: Literal["permutation", "none"] = "permutation"
    """How much worse the metric gets where the values of one column, or of one feature, are shuffled."""
    repeats: Annotated[int, Field(ge=1, le=100)] = 5
    """How often each is shuffled; the spread is told."""
    shap: bool = True
    """What each feature adds to the answers (Shapley values): exact for trees and weighted sums, sampled for others."""
    partial_dependence: Annotated[int, Field(ge=0, le=50)] | Annotated[tuple[str, ...], Field(min_length=1)] = 3
    """For which columns to draw how the answer moves with their value: how many of the most important, or which."""
    slices: tuple[str, ...] = ()
    """Columns by whose levels, or quarters of whose numbers, rows are sliced: is the model worse in one of them?"""
    find_slices: bool = True
    """Search the levels of all columns, and pairs of them, for where the model is worst."""
    sample: Annotated[int, Field(ge=100, le=1_000_000)] = 1000
    """The most rows of the holdout that columns are shuffled in; slices look at all of them."""
