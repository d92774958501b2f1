"""What fitted models have in common: checks of the rows before, and a right answer after.

Scores are made of elementwise operations only. A matrix product would be faster, and would round a row
differently with the rows beside it: BLAS chooses its order of summation by the shape of the whole.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from mlops_compiler.diagnostics import DataError, Diagnostic
from mlops_compiler.models.adapters.checks import check_rows_to_score
from mlops_compiler.models.kind import FittedModel

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mlops_compiler.ir.task import Task
    from mlops_compiler.models.kind import Matrix

    Vector = NDArray[np.float64]


class ScoringModel(FittedModel):
    """The part that every model shares.

    Attributes:
        kind: The name of its kind.
        accepts_missing: Whether it scores rows with NaN.
        task: What it was fitted for.
    """

    kind: ClassVar[str]
    accepts_missing: ClassVar[bool] = False
    task: Task

    @property
    @abstractmethod
    def features(self) -> int:
        """How many columns it was fitted on."""

    @abstractmethod
    def answer(self, X: Matrix) -> Matrix:
        """Answer checked rows.

        Returns:
            Of two classes the probability of class 1, and of a regression the value, shape (rows, 1); of more classes
            the probability of each, shape (rows, classes).
        """

    def predict(self, X: Matrix) -> Matrix:
        """Score rows, each alone."""
        check_rows_to_score(X, kind=self.kind, features=self.features, accepts_missing=self.accepts_missing)
        answer = self.answer(X)
        if not np.isfinite(answer).all():
            rows = int((~np.isfinite(answer)).any(axis=1).sum())
            headline = f"{rows} rows hold values too large for the {self.kind} model to score"
            raise DataError([Diagnostic(code="feature-too-large", headline=headline)])
        return np.column_stack([1.0 - answer[:, 0], answer[:, 0]]) if self.task == "binary_classification" else answer


def outputs_of(task: Task, classes: int) -> int:
    """Count the columns of an answer."""
    return classes if task == "multiclass_classification" else 1


def answers_task(task: Task, weights: Matrix, bias: Vector) -> bool:
    """Say whether an affine map, of shapes (inputs, outputs) and (outputs,), has the outputs of a task."""
    outputs = len(bias) if bias.ndim == 1 else 0
    fits = outputs > 1 if task == "multiclass_classification" else outputs == 1
    return fits and weights.ndim == 2 and weights.shape[1] == outputs  # noqa: PLR2004 - a matrix


def linked(task: Task, margins: Matrix) -> Matrix:
    """Turn what a linear last layer gives, shape (rows, outputs), into an answer."""
    if task == "binary_classification":
        return sigmoid(margins)
    return softmax(margins) if task == "multiclass_classification" else margins


def sigmoid(margin: Vector) -> Vector:
    """Turn log-odds into probabilities; an overflow is the limit that it stands for."""
    with np.errstate(over="ignore"):
        probability: Vector = 1.0 / (1.0 + np.exp(-margin))
    return probability


def softmax(margins: Matrix) -> Matrix:
    """Turn log-odds of classes, shape (rows, classes), into probabilities; classes are added one after the other."""
    with np.errstate(over="ignore", invalid="ignore"):
        parts = np.exp(margins - margins.max(axis=1, keepdims=True, initial=-np.inf))
    total = np.zeros(len(parts))
    for column in parts.T:
        total += column
    probability: Matrix = parts / total[:, None]
    return probability


def affine(X: Matrix, weights: Matrix, bias: Vector) -> Matrix:
    """Compute ``X @ weights + bias``, one input after the other.

    Args:
        X: Shape (rows, inputs).
        weights: Shape (inputs, outputs), C order.
        bias: Shape (outputs,).
    """
    total = np.empty((len(X), len(bias)))
    total[:] = bias
    product = np.empty_like(total)
    with np.errstate(over="ignore", invalid="ignore"):
        for column, row in zip(X.T, weights, strict=True):
            np.multiply(column[:, None], row, out=product)
            total += product
    return total
