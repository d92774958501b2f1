"""When a trial is stopped: rules that compare its mean over the folds so far with earlier trials' over the same folds.

``asha`` is asynchronous successive halving (Li et al., "A System for Massively Parallel Hyperparameter Tuning", MLSys
2020): after 1, 3, 9, ... folds a trial goes on if it is in the best third. ``median`` is the median stopping rule
(Golovin et al., "Google Vizier", KDD 2017): after each fold a trial goes on unless it is worse than the median.
``race`` is a race of paired differences (Moore and Lee, "Efficient Algorithms for Minimizing Cross Validation Error",
ICML 1994): folds are hard or easy for all trials alike, so the difference of two trials over the same folds tells more
than either of them. After each fold a trial goes on unless it is behind the best one by more than half the standard
error of such a difference. A trial that is stopped wrongly is one that would have been hardly better.
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
PATIENCE = 0.5
"""Standard errors by which a trial may be behind the best one."""


def judged_after(scheduler: str, fold: int) -> bool:
    """Say whether a scheduler judges trials after so many folds."""
    match scheduler:
        case "asha":
            while fold % REDUCTION == 0:
                fold //= REDUCTION
            return fold == 1
        case "median" | "race":
            return True
        case _:
            return False


def falls_behind(scheduler: str, mean: float, rivals: Sequence[float], error: float = 0.0) -> bool:
    """Say whether a trial is stopped.

    Args:
        scheduler: The rule.
        mean: Its mean over the folds so far, where more is better.
        rivals: Those of earlier trials over as many folds.
        error: The standard error of the difference of two of these means, of ``race``; 0 where it is not known yet, so
            that only a trial goes on that is as good as the best one.
    """
    match scheduler:
        case "median":
            return len(rivals) >= LEAST_RIVALS and mean < median(rivals)
        case "race":
            return bool(rivals) and mean < max(rivals) - PATIENCE * error
        case _:
            ahead = sum(rival > mean for rival in rivals)
            return len(rivals) + 1 >= REDUCTION and ahead >= math.ceil((len(rivals) + 1) / REDUCTION)


def spread_of_differences(trials: Sequence[Sequence[float]]) -> float:
    """Estimate how much the difference of two trials varies from fold to fold.

    Args:
        trials: The scores of complete trials, fold by fold; all of as many folds, two at least.

    Returns:
        The standard deviation of the difference on one fold: that of what is left of the scores without the means of
        trials and of folds, times the root of 2. 0 for fewer than two trials.
    """
    count = len(trials)
    if count < 2:  # noqa: PLR2004 - a difference is of two
        return 0.0
    folds = len(trials[0])
    whole = math.fsum(score for scores in trials for score in scores) / (count * folds)
    of_trial = [math.fsum(scores) / folds for scores in trials]
    of_fold = [math.fsum(scores[fold] for scores in trials) / count for fold in range(folds)]
    left = math.fsum(
        (score - of_trial[index] - of_fold[fold] + whole) ** 2
        for index, scores in enumerate(trials)
        for fold, score in enumerate(scores)
    )
    return math.sqrt(2 * left / ((count - 1) * (folds - 1)))
