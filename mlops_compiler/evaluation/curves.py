"""Curves for people: few enough points to draw, and never without their ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mlops_compiler.evaluation.cuts import cut, thin

if TYPE_CHECKING:
    from mlops_compiler.evaluation.cuts import Labels, Probabilities

_POINTS = 200
_BINS = 10


def roc(
    y: Labels, probability: Probabilities, weights: Probabilities | None = None, points: int = _POINTS
) -> dict[str, list[float]]:
    """Give both rates at falling thresholds, from (0, 0) to (1, 1).

    Args:
        y: Labels 0 and 1, both present, shape (rows,).
        probability: Of class 1, shape (rows,).
        weights: What each row weighs, shape (rows,); None where all weigh the same.
        points: Most points.
    """
    cuts = cut(y, probability, weights)
    chosen = thin(len(cuts.true_positive), points)
    return {
        "false_positive_rate": (cuts.false_positive[chosen] / cuts.negatives).tolist(),
        "true_positive_rate": (cuts.true_positive[chosen] / cuts.positives).tolist(),
    }


def precision_recall(
    y: Labels, probability: Probabilities, weights: Probabilities | None = None, points: int = _POINTS
) -> dict[str, list[float]]:
    """Give precision by rising recall, from (0, 1) to recall 1; arguments as for `roc`."""
    cuts = cut(y, probability, weights)
    chosen = thin(len(cuts.true_positive), points)[1:]
    true, false = cuts.true_positive[chosen], cuts.false_positive[chosen]
    return {
        "recall": [0.0, *(true / cuts.positives).tolist()],
        "precision": [1.0, *(true / (true + false)).tolist()],
    }


def calibration(
    y: Labels, probability: Probabilities, weights: Probabilities | None = None, bins: int = _BINS
) -> dict[str, list[float]]:
    """Compare the mean probability with the share of positive rows, in bins of about equally many rows.

    Rows of the same probability share a bin, so that there may be fewer bins.
    """
    inner = np.quantile(probability, np.linspace(0, 1, bins + 1)[1:-1])
    of_row = np.searchsorted(inner, probability, side="left")
    rows = np.bincount(of_row, minlength=bins)
    filled = rows > 0
    each = 1.0 if weights is None else weights
    whole = rows[filled] if weights is None else np.bincount(of_row, weights=weights, minlength=bins)[filled]
    predicted = np.bincount(of_row, weights=each * probability, minlength=bins)[filled] / whole
    observed = np.bincount(of_row, weights=each * y, minlength=bins)[filled] / whole
    return {"predicted": predicted.tolist(), "observed": observed.tolist(), "rows": rows[filled].tolist()}
