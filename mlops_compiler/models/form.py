"""The structure of a fitted model, where it is one that can be explained exactly: a weighted sum, or a sum of trees."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

from mlops_compiler.models.adapters.level_sets import unknown_as_missing

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mlops_compiler.ir.task import Task
    from mlops_compiler.models.adapters.trees import Trees
    from mlops_compiler.models.kind import Matrix

Scale: TypeAlias = Literal["log_odds", "probability", "value", "log_value"]
"""What a sum is: log-odds of the positive class or of each class, such probabilities, a value as the target's, or its
logarithm."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Linear:
    """A weighted sum of the features.

    Attributes:
        weights: Shape (features, outputs); of a feature that is spread, a row for each of its indicators.
        intercept: Shape (outputs,).
        scale: What the sum is.
        spread: For each feature how many levels the model sees as indicators, 0 of one that it sees as it is; empty
            where it sees all as they are.
    """

    weights: NDArray[np.float64]
    intercept: NDArray[np.float64]
    scale: Scale
    spread: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TreeSum:
    """A sum of trees.

    Attributes:
        trees: Those of all outputs, or one set for each output.
        first: Where each output starts, shape (outputs,).
        factor: What each leaf is multiplied by.
        scale: What the sum is.
        rounds: Whether the trees see features rounded to float32.
        known: For each feature how many levels are known, 0 of a number; empty where all are numbers.
    """

    trees: tuple[Trees, ...]
    first: NDArray[np.float64]
    factor: float = 1.0
    scale: Scale
    rounds: bool = False
    known: tuple[int, ...] = ()

    @property
    def walked(self) -> int:
        """Count the nodes that an explanation walks: those of all trees, once for each output."""
        return sum(len(trees.feature) * trees.outputs for trees in self.trees)

    def asked(self, X: Matrix) -> Matrix:
        """Give the features as the trees see them."""
        rows = unknown_as_missing(X, self.known)
        if not self.rounds:
            return rows
        with np.errstate(over="ignore"):
            return rows.astype(np.float32).astype(np.float64)

    @property
    def chooses(self) -> bool:
        """Whether a tree splits by levels."""
        return any(trees.chooses is not None and bool((trees.chooses >= 0).any()) for trees in self.trees)

    def scores(self, X: Matrix) -> Matrix:
        """Add up the trees; shape (rows, outputs)."""
        sums = [trees.sum_of_leaves(self.asked(X)) for trees in self.trees]
        return self.first + self.factor * np.concatenate(sums, axis=1)


Form: TypeAlias = Linear | TreeSum


def linked_scale(task: Task) -> Scale:
    """Name what a model with a logistic link adds up."""
    return "value" if task == "regression" else "log_odds"


def averaged_scale(task: Task) -> Scale:
    """Name what a model that averages leaves adds up."""
    return "value" if task == "regression" else "probability"
