"""The best threshold is the one under which the rows at hand would have been worth most, and no other rule.

It lies halfway between the two probabilities that it parts: a new row between them may go either way.
Where several cuts are worth the same, the highest threshold wins: the fewest rows are acted upon.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import numpy as np

from mlops_compiler.evaluation.confusion import confusion, total_value
from mlops_compiler.evaluation.cuts import Cuts, cut, thin

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mlops_compiler.evaluation.cuts import Labels, Probabilities
    from mlops_compiler.ir.ops.search import ValueMatrix


def best_threshold(
    y: Labels, probability: Probabilities, value: ValueMatrix, weights: Probabilities | None = None
) -> float:
    """Find the threshold of the highest total value over all distinct cuts, O(n log n).

    Args:
        y: Labels 0 and 1, shape (rows,), of one row at least.
        probability: Of class 1, in [0, 1], shape (rows,).
        value: What each outcome is worth.
        weights: What each row weighs, shape (rows,); an outcome is worth so many times its value.

    Returns:
        In [0, 1], or the next number above 1 where it is best to act on no row, even one of probability 1.
    """
    cuts = cut(y, probability, weights)
    return float(_thresholds(cuts)[np.argmax(_values(cuts, value))])


def value_curve(
    y: Labels,
    probability: Probabilities,
    value: ValueMatrix,
    weights: Probabilities | None = None,
    points: int = 200,
) -> dict[str, list[float]]:
    """Give the total value by rising threshold; both ends and the best are among the points."""
    cuts = cut(y, probability, weights)
    values = _values(cuts, value)
    chosen = thin(len(values), points, keep=int(np.argmax(values)))[::-1]
    return {"threshold": _thresholds(cuts)[chosen].tolist(), "value": values[chosen].tolist()}


def value_summary(
    y: Labels,
    probability: Probabilities,
    threshold: float,
    value: ValueMatrix,
    weights: Probabilities | None = None,
) -> dict[str, float | dict[str, float]]:
    """Compare what the decisions are worth with acting on every row, and on none."""
    total = total_value(confusion(y, probability, threshold, weights), value)
    return {
        "total": total,
        "per_row": total / (len(y) if weights is None else float(weights.sum())),
        "all_positive": total_value(confusion(y, probability, -np.inf, weights), value),
        "all_negative": total_value(confusion(y, probability, np.inf, weights), value),
        "unit_values": asdict(value),
    }


def _values(cuts: Cuts, value: ValueMatrix) -> NDArray[np.float64]:
    """Total value by cut, added in the order of `total_value` so that both round alike."""
    values: NDArray[np.float64] = (
        cuts.true_positive * value.true_positive
        + cuts.false_positive * value.false_positive
        + (cuts.positives - cuts.true_positive) * value.false_negative
        + (cuts.negatives - cuts.false_positive) * value.true_negative
    )
    return values


def _thresholds(cuts: Cuts) -> NDArray[np.float64]:
    """Give a threshold that makes each cut."""
    highest = cuts.probability[0]
    above = np.nextafter(1.0, 2.0) if highest >= 1.0 else 1.0
    upper = np.concatenate([[above], cuts.probability[:-1]])
    halfway = (upper + cuts.probability) / 2
    # Between neighbouring floats there is no half way; the upper one parts them as well.
    parted = np.where(halfway > cuts.probability, halfway, upper)
    return np.concatenate([parted, [0.0]])
