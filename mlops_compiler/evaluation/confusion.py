"""A decision is positive exactly where the probability is at least the threshold; four counts sum it up."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from mlops_compiler.evaluation.cuts import Labels, Probabilities
    from mlops_compiler.ir.ops.lifecycle import ValueMatrix


@dataclass(frozen=True, slots=True, kw_only=True)
class Confusion:
    """How many rows had each outcome."""

    true_positive: int
    false_positive: int
    false_negative: int
    true_negative: int

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return self.true_positive + self.false_positive + self.false_negative + self.true_negative

    def to_json(self) -> dict[str, int]:
        """Give the counts by name."""
        return asdict(self)


def confusion(y: Labels, probability: Probabilities, threshold: float) -> Confusion:
    """Count the outcomes of deciding rows at a threshold.

    Args:
        y: Labels 0 and 1, shape (rows,).
        probability: Of class 1, shape (rows,).
        threshold: The lowest probability that is decided positive.
    """
    decided = probability >= threshold
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
