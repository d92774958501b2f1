"""Greedy ensembles of trials (Caruana et al., "Ensemble selection from libraries of models", ICML 2004).

Members are added one at a time, with replacement, each the one that makes the mean of all answers score best; how often
a trial is taken is its weight. All answers were recorded by the search: nothing is fitted anew.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import replace
from statistics import stdev
from typing import TYPE_CHECKING

from mlops_compiler.evaluation.metrics import METRICS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlops_compiler.backends.stages.out_of_fold import OutOfFold
    from mlops_compiler.ir.task import Task

_ROUNDING = 1e-12
ROUNDS = 20
"""Most picks; a weight is a multiple of its inverse or more."""
POOL = 40
"""Trials to pick from, the best ones (the pruning of Caruana, Munson and Niculescu-Mizil, ICDM 2006)."""


def pick_members(task: Task, metric: str, library: Sequence[OutOfFold], most: int) -> Counter[int]:
    """Pick members; the picks count up to the last that made the score better by more than chance.

    A gain is more than chance where its mean over the folds is above one standard error of it: of a few trials many
    mixes can be made, and the best of them on the same rows is too good to be true.

    Args:
        task: What was predicted.
        metric: What to score by, as the mean over the folds.
        library: The answers of each trial to the same rows, the best trial first.
        most: Most different members.

    Returns:
        The place of each member in the library, and how often it was picked.
    """
    sign = 1.0 if METRICS[metric].greater_is_better else -1.0
    picked: list[int] = []
    best: list[float] = []
    kept = 0
    while len(picked) < ROUNDS:
        open_ = range(len(library)) if len(set(picked)) < most else sorted(set(picked))
        scored = [(_scores(task, metric, mixed(library, Counter([*picked, place]))), -place) for place in open_]
        found, place = max(scored, key=lambda item: (sign * math.fsum(item[0]), item[1]))
        picked.append(-place)
        if not best or _is_gain([sign * (new - old) for new, old in zip(found, best, strict=True)]):
            best, kept = found, len(picked)
    return Counter(picked[:kept])


def mixed(library: Sequence[OutOfFold], members: Counter[int]) -> OutOfFold:
    """Give the weighted mean of the members' answers, as an `Ensemble` gives it."""
    total = members.total()
    (first, count), *others = sorted(members.items())
    answers = [count / total * given for given in library[first].answers]
    for place, count in others:
        answers = [mean + count / total * given for mean, given in zip(answers, library[place].answers, strict=True)]
    return replace(library[first], answers=tuple(answers))


def same_rows(library: Sequence[OutOfFold]) -> bool:
    """Say whether all trials answered the same rows."""
    return all(
        len(one) == len(other) and (one == other).all()
        for found in library[1:]
        for one, other in zip(library[0].labels, found.labels, strict=True)
    )


def _scores(task: Task, metric: str, found: OutOfFold) -> list[float]:
    return [fold[metric] for fold in found.scores(task, (metric,))]


def _is_gain(gains: list[float]) -> bool:
    """Say whether a gain, one number for each fold, is more than chance; of one fold, whether there is one."""
    mean = math.fsum(gains) / len(gains)
    return mean > _ROUNDING and (len(gains) == 1 or mean > stdev(gains) / math.sqrt(len(gains)))
