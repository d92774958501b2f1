"""`validate:` says which rows judge the model: folds during the search, the holdout once, at the end."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from mlops_compiler.recipe.amounts import Stretch
from mlops_compiler.section import Section

_MOST_FOLDS = 200
SplitKind = Literal["stratified", "random", "grouped", "time_ordered"]


class Holdout(Section):
    """Rows that nothing sees before the final score."""

    kind: SplitKind = "stratified"
    """``stratified`` keeps the share of each class, ``grouped`` keeps the rows of a group together, and
    ``time_ordered`` takes the latest rows."""
    fraction: Annotated[float, Field(gt=0, lt=1)] = 0.2
    """Its share of the rows."""
    gap: Stretch | None = None
    """What is left out right before a ``time_ordered`` holdout: so many rows, or so long (``5d``)."""

    @model_validator(mode="after")
    def _a_gap_needs_an_order(self) -> Self:
        if self.gap is not None and self.kind != "time_ordered":
            raise ValueError(f"`gap` is between rows in order of time, and the holdout is {self.kind}")
        return self


class Folds(Section):
    """The cross-validation of the search."""

    kind: SplitKind = "stratified"
    """As for the holdout; ``time_ordered`` folds train on all that came before the rows that they judge by."""
    k: Annotated[int, Field(ge=2, le=50)] = 5
    """How many."""
    repeats: Annotated[int, Field(ge=1, le=50)] = 1
    """How often the rows are dealt to folds anew, so that less depends on one deal."""
    window: Literal["expanding", "rolling"] = "expanding"
    """Whether ``time_ordered`` folds learn from all that came before, or from a window that rolls along."""
    max_train: Stretch | None = None
    """How long that window is: so many rows at most, or so long; as long as the first, where not given."""
    gap: Stretch | None = None
    """What is left out right before each ``time_ordered`` fold: so many rows, or so long."""

    @model_validator(mode="after")
    def _what_needs_an_order(self) -> Self:
        ordered = self.kind == "time_ordered"
        for name, given in (("gap", self.gap is not None), ("window", self.window == "rolling")):
            if given and not ordered:
                raise ValueError(f"`{name}` is of folds in order of time, and these are {self.kind}")
        if self.max_train is not None and self.window != "rolling":
            raise ValueError("`max_train` says how long a window is that rolls: write `window: rolling` as well")
        if self.repeats > 1 and ordered:
            raise ValueError("folds in order of time are the same each time: they cannot be repeated")
        if self.k * self.repeats > _MOST_FOLDS:
            raise ValueError(f"{self.k} folds {self.repeats} times are more than {_MOST_FOLDS}")
        return self


class Nested(Section):
    """Outer folds that judge the whole procedure, search and selection included."""

    k: Annotated[int, Field(ge=2, le=20)] = 3
    """How many; dealt as ``folds`` are. Each runs a search of its own, of the same budget."""


class Validation(Section):
    """The split of the rows."""

    holdout: Holdout = Holdout()
    folds: Folds = Folds()
    nested: Nested | None = None
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 7
    """Seeds the split, the search and every estimator."""
