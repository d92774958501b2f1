"""Every decision that a threshold can make of some rows, from one sort of their probabilities.

All that depends on the order of the rows (curves, areas, the best threshold) is read from here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Labels = NDArray[np.integer]
    Probabilities = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cuts:
    """Counts after each cut; cut 0 decides no row positive, the last one all.

    Attributes:
        probability: The distinct probabilities, highest first; cut ``k`` decides the first ``k`` positive.
        true_positive: By cut, shape (distinct + 1,).
        false_positive: By cut, shape (distinct + 1,).
    """

    probability: NDArray[np.float64]
    true_positive: NDArray[np.int64] | NDArray[np.float64]
    false_positive: NDArray[np.int64] | NDArray[np.float64]

    @property
    def positives(self) -> float:
        """How many rows are of class 1, or what they weigh."""
        found: float = self.true_positive[-1].item()
        return found

    @property
    def negatives(self) -> float:
        """How many rows are of class 0, or what they weigh."""
        found: float = self.false_positive[-1].item()
        return found


def cut(y: Labels, probability: Probabilities, weights: NDArray[np.float64] | None = None) -> Cuts:
    """Sort the rows by probability and count, O(n log n).

    Args:
        y: Labels 0 and 1, shape (rows,).
        probability: Of class 1, shape (rows,).
        weights: What each row weighs, shape (rows,); counts are then sums of these.
    """
    order = np.argsort(-probability, kind="stable")
    ranked = probability[order]
    last_of_ties = np.flatnonzero(np.diff(ranked, append=-np.inf))
    if weights is not None:
        heavy, every = weights[order] * y[order], np.cumsum(weights[order])[last_of_ties]
        true = np.cumsum(heavy)[last_of_ties]
        return Cuts(
            probability=ranked[last_of_ties],
            true_positive=np.concatenate([[0.0], true]),
            false_positive=np.concatenate([[0.0], every - true]),
        )
    positive = np.cumsum(y[order], dtype=np.int64)[last_of_ties]
    return Cuts(
        probability=ranked[last_of_ties],
        true_positive=np.concatenate([[0], positive]),
        false_positive=np.concatenate([[0], last_of_ties + 1 - positive]),
    )


def thin(points: int, limit: int, keep: int = 0) -> NDArray[np.int64]:
    """Choose at most `limit` of the indices ``0..points-1``, evenly, with both ends and `keep` among them."""
    if points <= limit:
        return np.arange(points)
    spaced = np.rint(np.linspace(0, points - 1, limit - 1)).astype(np.int64)
    return np.union1d(spaced, [keep])
