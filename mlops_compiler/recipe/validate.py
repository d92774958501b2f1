"""`validate:` says which rows judge the model: folds during the search, the holdout once, at the end."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from mlops_compiler.section import Section


class Holdout(Section):
    """Rows that nothing sees before the final score."""

    kind: Literal["stratified", "random"] = "stratified"
    fraction: Annotated[float, Field(gt=0, lt=1)] = 0.2


class Folds(Section):
    """The cross-validation of the search."""

    kind: Literal["stratified", "random"] = "stratified"
    k: Annotated[int, Field(ge=2, le=50)] = 5


class Validation(Section):
    """The split of the rows."""

    holdout: Holdout = Holdout()
    folds: Folds = Folds()
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 7
    """Seeds the split, the search and every estimator."""
