"""When a trial is stopped: rules that compare its mean over the folds so far with earlier trials' over the same folds.

``asha`` is asynchronous successive halving (Li et al., "A System for Massively Parallel Hyperparameter Tuning", MLSys
2020): after 1, 3, 9, ... folds a trial goes on if it is in the best third. ``median`` is the median stopping rule
(Golovin et al., "Google Vizier", KDD 2017): after each fold a trial goes on unless it is worse than the median.
"""

from __future__ import annotations

import math
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

REDUCTION = 3
"""Of every three trials that come as far, one goes on."""
LEAST_RIVALS = 3
"""Trials that a median needs before it stops another."""


def judged_after(scheduler: str, fold: int) -> bool:
    """Say whether a scheduler judges trials after so many folds."""
    match scheduler:
        case "asha":
            while fold % REDUCTION == 0:
                fold //= REDUCTION
            return fold == 1
        case "median":
            return True
        case _:
            return False


def falls_behind(scheduler: str, mean: float, rivals: Sequence[float]) -> bool:
    """Say whether a trial is stopped.

    Args:
        scheduler: The rule.
        mean: Its mean over the folds so far, where more is better.
        rivals: Those of earlier trials over as many folds.
    """
    if scheduler == "median":
        return len(rivals) >= LEAST_RIVALS and mean < median(rivals)
    if len(rivals) + 1 < REDUCTION:
        return False
    return sum(rival > mean for rival in rivals) >= math.ceil((len(rivals) + 1) / REDUCTION)
