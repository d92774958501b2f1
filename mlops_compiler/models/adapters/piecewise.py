"""Piecewise linear encoding: a number becomes how far it fills each of some bins; a network can bend at their edges.

Gorishniy, Rubachev and Babenko, "On Embeddings for Numerical Features in Tabular Deep Learning" (2022, 3.2), with bins
that hold as many training rows each. A column of two values keeps one bin, which is a scaled copy of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mlops_compiler.models.kind import Matrix


@dataclass(frozen=True, slots=True, kw_only=True)
class Bins:
    """The bins of all columns, one after the other.

    Attributes:
        column: The column that a bin is of, shape (bins,); in order.
        low: Where it begins, shape (bins,).
        high: Where it ends, above `low`.
        width: How many columns there are.
    """

    column: NDArray[np.int32]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    width: int

    def fill(self, X: Matrix) -> Matrix:
        """Say how far each number fills each bin of its column, from 0 to 1; the outer ones go on beyond their edges.

        Returns:
            Shape (rows, bins).
        """
        inner_low = np.concatenate([[False], self.column[1:] == self.column[:-1]])
        inner_high = np.concatenate([self.column[:-1] == self.column[1:], [False]])
        with np.errstate(over="ignore", invalid="ignore"):
            filled = (X[:, self.column] - self.low) / (self.high - self.low)
        filled = np.where(inner_low & (filled < 0.0), 0.0, filled)
        return np.where(inner_high & (filled > 1.0), 1.0, filled)

    @property
    def is_sound(self) -> bool:
        """Whether each column has bins, of which none is empty."""
        shapes = self.column.ndim == 1 and self.column.shape == self.low.shape == self.high.shape
        if not shapes or not (np.isfinite(self.low).all() and np.isfinite(self.high).all()):
            return False
        return (
            bool((self.low < self.high).all())
            and np.unique(self.column).tolist() == list(range(self.width))
            and bool((np.diff(self.column) >= 0).all())
        )


def bins_of(X: Matrix, count: int) -> Bins:
    """Cut each column into bins that hold as many rows each; equal edges are one.

    Args:
        X: The rows to learn from, shape (rows, features).
        count: Most bins of a column.
    """
    edges = [_edges(column, count) for column in X.T]
    return Bins(
        column=np.repeat(np.arange(len(edges)), [len(item) - 1 for item in edges]).astype(np.int32),
        low=np.concatenate([item[:-1] for item in edges]),
        high=np.concatenate([item[1:] for item in edges]),
        width=len(edges),
    )


def _edges(column: NDArray[np.float64], count: int) -> NDArray[np.float64]:
    found = np.unique(np.quantile(column, np.linspace(0.0, 1.0, count + 1), method="nearest"))
    if len(found) > 1:
        return found
    step = max(1.0, abs(float(found[0])))
    return np.array([found[0], found[0] + step])
