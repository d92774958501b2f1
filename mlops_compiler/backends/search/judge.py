"""The judge of a race: which trials go on, whatever order their scores come in.

Its law: after a fold, trial i is judged by all trials before it that came as far, and by nothing else. Where one of
those has not come as far yet and may still, i runs on meanwhile: its next folds count only where it turns out that it
went on. So no worker waits, and what a race gives does not depend on how many there are.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from mlops_compiler.backends.search.stopping import falls_behind, judged_after, spread_of_differences

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlops_compiler.backends.search.race import Trial


class Judge:
    """Judges the trials of a race.

    Args:
        scheduler: The rule.
        folds: How many folds a trial has.
        sign: 1 where more is better, -1 otherwise.
        width: The race's `max_concurrent`.
    """

    def __init__(self, scheduler: str, *, folds: int, sign: float, width: int) -> None:
        self._scheduler, self._folds, self._sign, self._width = scheduler, folds, sign, width
        self._first = 0
        """No trial before this one runs."""

    def settle(self, trials: Sequence[Trial]) -> list[Trial]:
        """Judge all that can be judged by now; give those that came to their end, in order."""
        ended = [trial for trial in trials[self._first :] if trial.status == "running" and self._ends(trial, trials)]
        while self._first < len(trials) and trials[self._first].status != "running":
            self._first += 1
        return ended

    def _ends(self, trial: Trial, trials: Sequence[Trial]) -> bool:
        """Judge a trial after each fold that it was not judged after yet; say whether it came to its end."""
        while trial.judged < min(len(trial.scores), self._folds - 1):
            rung = trial.judged + 1
            if not trial.is_baseline and judged_after(self._scheduler, rung):
                reached = [_came(other, rung) for other in trials[self._first : trial.index]]
                if None in reached:
                    return False
                trial.behind = self._behind(trial, rung, trials)
                if trial.behind is not None:
                    del trial.scores[rung:]
                    trial.status, trial.error = "stopped", None
                    return True
            trial.judged = rung
        if trial.error is not None:
            trial.status = "failed"
        elif len(trial.scores) == self._folds:
            trial.status = "complete"
        return trial.status != "running"

    def _behind(self, trial: Trial, rung: int, trials: Sequence[Trial]) -> dict[str, int] | None:
        """Say how far a trial is behind those that it is compared with; None where it goes on."""
        rivals = [
            self._at(other, rung)
            for other in trials[: trial.index]
            if not other.is_baseline and len(other.scores) >= rung
        ]
        error = self._spread(trial, trials) / math.sqrt(rung) if self._scheduler == "race" else 0.0
        if not falls_behind(self._scheduler, score := self._at(trial, rung), rivals, error):
            return None
        return {"folds": rung, "place": 1 + sum(rival > score for rival in rivals), "of": len(rivals) + 1}

    def _spread(self, trial: Trial, trials: Sequence[Trial]) -> float:
        """How much a difference varies, by the trials that had ended when this one was proposed."""
        known = trials[: max(0, trial.index - self._width + 1)]
        return spread_of_differences(
            [other.scores for other in known if other.status == "complete" and not other.is_baseline]
        )

    def _at(self, trial: Trial, rung: int) -> float:
        return self._sign * math.fsum(trial.scores[:rung]) / rung


def _came(trial: Trial, rung: int) -> bool | None:
    """Say whether a trial went as far as so many folds; None where that is not known yet."""
    if trial.is_baseline:
        return False
    if trial.status == "running" and (trial.judged < rung - 1 or len(trial.scores) < rung):
        return None if trial.error is None or trial.judged < len(trial.scores) else False
    return len(trial.scores) >= rung
