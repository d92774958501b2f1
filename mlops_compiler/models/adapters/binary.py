"""A binary model is one number per row, the probability of class 1; class 0 has the rest.

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

    from mlops_compiler.models.kind import Matrix

    Vector = NDArray[np.float64]


class BinaryModel(FittedModel):
    """The part that every two-class model shares: checks before, two columns after.

    Attributes:
        kind: The name of its kind.
        accepts_missing: Whether it scores rows with NaN.
    """

    kind: ClassVar[str]
    accepts_missing: ClassVar[bool] = False

    @property
    @abstractmethod
    def features(self) -> int:
        """How many columns it was fitted on."""

    @abstractmethod
    def positive(self, X: Matrix) -> Vector:
        """Give the probability of class 1 of each checked row."""

    def predict_proba(self, X: Matrix) -> Matrix:
        """Score rows, each alone."""
        check_rows_to_score(X, kind=self.kind, features=self.features, accepts_missing=self.accepts_missing)
        positive = self.positive(X)
        if np.isnan(positive).any():
            rows = int(np.isnan(positive).sum())
            headline = f"{rows} rows hold values too large for the {self.kind} model to score"
            raise DataError([Diagnostic(code="feature-too-large", headline=headline)])
        return np.column_stack([1.0 - positive, positive])


def sigmoid(margin: Vector) -> Vector:
    """Turn log-odds into probabilities; an overflow is the limit that it stands for."""
    with np.errstate(over="ignore"):
        probability: Vector = 1.0 / (1.0 + np.exp(-margin))
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
