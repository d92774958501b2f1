"""Scores of trials that did not run all folds, beside those that did: some folds are easier than others."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence


def comparable(trials: Iterable[Mapping[str, Any]]) -> dict[int, float]:
    """Say what each trial scored, less what its folds are easier than the mean fold.

    How easy a fold is, the trials tell that ran all of them; a trial that ran all keeps its mean.

    Args:
        trials: ``trial``, ``scores`` (one a fold, from the first), ``status`` and ``baseline`` of each.

    Returns:
        By trial; one without a score is left out.
    """
    rows = [row for row in trials if row.get("scores")]
    ease = _ease([row["scores"] for row in rows if row.get("status") == "complete" and not row.get("baseline")])
    return {
        row["trial"]: math.fsum(score - ease.get(fold, 0.0) for fold, score in enumerate(row["scores"]))
        / len(row["scores"])
        for row in rows
    }


def _ease(whole: Sequence[Sequence[float]]) -> dict[int, float]:
    if not whole:
        return {}
    means = [math.fsum(scores) / len(whole) for scores in zip(*whole, strict=True)]
    middle = math.fsum(means) / len(means)
    return {fold: mean - middle for fold, mean in enumerate(means)}
