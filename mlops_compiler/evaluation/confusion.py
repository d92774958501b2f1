"""A decision is positive exactly where the probability is at least the threshold; four counts sum it up."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from mlops_compiler.evaluation.cuts import Labels, Probabilities
    from mlops_compiler.ir.ops.search import ValueMatrix


@dataclass(frozen=True, slots=True, kw_only=True)
class Confusion:
    """How many rows had each outcome, or what they weigh."""

    true_positive: float
    false_positive: float
    false_negative: float
    true_negative: float

    @property
    def rows(self) -> float:
        """How many rows there are."""
        return self.true_positive + self.false_positive + self.false_negative + self.true_negative

    def to_json(self) -> dict[str, float]:
        """Give the counts by name."""
        return asdict(self)


def confusion(
    y: Labels, probability: Probabilities, threshold: float, weights: Probabilities | None = None
) -> Confusion:
    """Count the outcomes of deciding rows at a threshold.

    Args:
        y: Labels 0 and 1, shape (rows,).
        probability: Of class 1, shape (rows,).
        threshold: The lowest probability that is decided positive.
        weights: What each row weighs, shape (rows,); counts are then sums of these.
    """
    decided = probability >= threshold
    if weights is not None:
        cells = np.bincount(2 * (y == 1) + decided, weights=weights, minlength=4).tolist()
        return Confusion(
            true_negative=cells[0], false_positive=cells[1], false_negative=cells[2], true_positive=cells[3]
        )
    true_positive = int(np.count_nonzero(decided & (y == 1)))
    false_positive = int(np.count_nonzero(decided)) - true_positive
    positives = int(np.count_nonzero(y == 1))
    return Confusion(
        true_positive=true_positive,
        false_positive=false_positive,
        false_negative=positives - true_positive,
        true_negative=len(y) - positives - false_positive,
    )


def total_value(counts: Confusion, value: ValueMatrix) -> float:
    """Add up what the outcomes are worth."""
    return (
        counts.true_positive * value.true_positive
        + counts.false_positive * value.false_positive
        + counts.false_negative * value.false_negative
        + counts.true_negative * value.true_negative
    )
