"""`validate:` says which rows judge the model: folds during the search, the holdout once, at the end."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from mlops_compiler.section import Section

SplitKind = Literal["stratified", "random", "grouped", "time_ordered"]


class Holdout(Section):
    """Rows that nothing sees before the final score."""

    kind: SplitKind = "stratified"
    """``stratified`` keeps the share of each class, ``grouped`` keeps the rows of a group together, and
    ``time_ordered`` takes the latest rows."""
    fraction: Annotated[float, Field(gt=0, lt=1)] = 0.2
    """Its share of the rows."""


class Folds(Section):
    """The cross-validation of the search."""

    kind: SplitKind = "stratified"
    """As for the holdout; ``time_ordered`` folds train on all that came before the rows that they judge by."""
    k: Annotated[int, Field(ge=2, le=50)] = 5
    """How many."""


class Validation(Section):
    """The split of the rows."""

    holdout: Holdout = Holdout()
    folds: Folds = Folds()
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 7
    """Seeds the split, the search and every estimator."""
