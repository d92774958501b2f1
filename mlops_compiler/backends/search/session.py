"""A search in progress: the race, what is recorded of it, and whoever watches.

An engine asks for trials, runs their folds, and reports scores; it decides nothing. Trials whose folds are
on record are replayed here and never reach the engine.
"""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING, Any

from mlops_compiler.backends.search.deadline import Deadline
from mlops_compiler.backends.search.limits import NOTHING, Spent
from mlops_compiler.backends.search.meter import GPU_COSTS
from mlops_compiler.backends.search.race import Race, Signal, Trial, Verdict, fold_fingerprint
from mlops_compiler.backends.search.trial import TrialSpec, trial_parameters
from mlops_compiler.evaluation.metrics import METRICS
from mlops_compiler.ir.domain import written as domain_written
from mlops_compiler.ir.space import written
from mlops_compiler.passes.decide import preparation_at
from mlops_compiler.plan.stages import preparation_seal
from mlops_compiler.store.records import NOTES

if TYPE_CHECKING:
    from collections.abc import Callable

    from mlops_compiler.backends.stages.context import Context
    from mlops_compiler.ir.ops.search import Candidate, Search
    from mlops_compiler.ir.space import Point
    from mlops_compiler.store.records import FoldRecord


class Session:
    """Mediates between the race and an engine.

    Args:
        search: What to search.
        folds: The number of folds.
        context: The stage that the search is.
        clock: Seconds; for the time budget.
    """

    def __init__(
        self, search: Search, folds: int, context: Context, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.search = search
        self.folds = folds
        self._context = context
        self._deadline = Deadline(search.time, folds, clock)
        self._records: dict[int, list[FoldRecord]] = {}
        self._live: set[int] = set()
        """Trials of which anything was run now, not found on record."""
        self.notes: list[str] = []
        self.observe: Callable[[Trial, FoldRecord], None] = lambda _trial, _record: None
        """Is given each fold that is recorded, of an earlier run too."""
        self._seals: dict[Point, str] = {}
        self._metric = METRICS[search.metric]
        self._classes = len(context.inputs["split"].summary["classes"] or ())
        self.race = Race(
            search,
            folds=folds,
            greater_is_better=self._metric.greater_is_better,
            context=self._sealed,
        )
        self._dimensions = next((item.preparation for item in search.candidates if item.preparation), ())
        self._event(
            "search_planned",
            trials=search.trials,
            folds=folds,
            models=[item.name for item in search.candidates],
            metric=search.metric,
            greater_is_better=self._metric.greater_is_better,
        )

    def next(self) -> TrialSpec | Signal:
        """Give the next trial to run, or say that one must end first, or that the search is over."""
        while True:
            if self._deadline.is_over and self.race.trials:
                return self.race.end("time")
            trial = self.race.propose(self._fits)
            if isinstance(trial, Signal):
                return trial
            self._records[trial.index] = []
            self._event("trial_started", trial=trial.index, model=trial.candidate.name)
            if not self._replayed(trial, cached=True):
                return TrialSpec.of(trial, self.search, self._classes)

    def report(self, index: int, record: FoldRecord) -> Verdict:
        """Take the record of a trial's next fold; say whether the trial goes on."""
        return self._take(self.race.trials[index], record, cached=False)

    def _fits(self, candidate: Candidate) -> bool:
        """Say whether there is time for a trial of a model; any will do until there is something to choose."""
        return not self.race.has_found or self._deadline.fits(candidate.name)

    def fail(self, index: int, error: str) -> None:
        """Take note that a trial failed."""
        if self.race.trials[index].status == "running":
            self._live.add(index)
            self.race.fail(index, error)
            self._tell_settled()

    def placed(self, index: int, gpus: float, of: float) -> None:
        """Take note that a trial holds (a part of) so many GPUs, of those that the cluster has."""
        if gpus:
            self._event("trial_placed", trial=index, gpus=gpus, of=of)

    def runs(self, index: int) -> bool:
        """Say whether a trial has not come to its end."""
        return self.race.trials[index].status == "running"

    def again(self, index: int, reason: str) -> TrialSpec | None:
        """Give a trial that did not come back, to go on after the folds that it recorded.

        Args:
            index: The trial.
            reason: What became of it.

        Returns:
            What is left to run; None where its last record ends it.
        """
        trial = self.race.trials[index]
        self._event("trial_lost", trial=index, model=trial.candidate.name, reason=reason)
        return None if self._replayed(trial, cached=False) else TrialSpec.of(trial, self.search, self._classes)

    def _sealed(self, point: Point) -> str:
        """Name the rows and their preparation at a point: as the stage `prepare` would be that had it written in."""
        if not point:
            return self._context.inputs["prepare"].fingerprint
        if point not in self._seals:
            nodes = preparation_at(self._context.task.stage.nodes, point)
            before = {name: self._context.inputs[name].fingerprint for name in ("snapshot", "split")}
            self._seals[point] = preparation_seal(nodes, before)
        return self._seals[point]

    def _replayed(self, trial: Trial, *, cached: bool) -> bool:
        """Feed the race the folds to come that are on record; return whether that ended the trial."""
        seals = [fold_fingerprint(trial.fingerprint, fold) for fold in range(len(trial.scores), self.folds)]
        known = self._context.store.folds(seals)
        for seal in seals:
            record = known.get(seal)
            if record is None or not self._context.store.objects.exists(record.predictions):
                return False
            if self._take(trial, record, cached=cached) is not Verdict.CONTINUE:
                return True
        return True

    def _take(self, trial: Trial, record: FoldRecord, *, cached: bool) -> Verdict:
        if trial.status != "running":  # it was judged while this fold was under way
            return Verdict.STOP
        score = record.metrics[self.search.metric]
        if not cached:
            self._live.add(trial.index)
        self._records[trial.index].append(record)
        self.observe(trial, record)
        self._deadline.took(trial.candidate.name, record.seconds)
        verdict = self.race.report(trial.index, score, _spent(record, trial.candidate.cpu))
        if verdict is Verdict.CONTINUE and not cached and self._deadline.is_over and self.race.has_found:
            self.race.stop(trial.index)
            verdict = Verdict.STOP
        name = trial.candidate.name
        gpu = {key: record.cost[key] for key in GPU_COSTS if key in record.cost and not cached}
        self._event(
            "fold_finished",
            trial=trial.index,
            model=name,
            fold=record.fold,
            score=score,
            best=self.race.best,
            **({"gpu": gpu} if gpu else {}),
        )
        for note in () if cached else (record.history or {}).get(NOTES, ()):
            self.note(f"trial {trial.index} {name}, fold {record.fold + 1}: {note}")
        self._tell_settled()
        return verdict

    def _tell_settled(self) -> None:
        """Tell of the trials that came to their end, of which a judgement may have waited for another's fold."""
        for trial in self.race.settled():
            del self._records[trial.index][len(trial.scores) :]
            self._finished(trial, cached=trial.index not in self._live)

    def note(self, text: str) -> None:
        """Tell something that whoever looks at the search wants to know."""
        self.notes.append(text)
        self._event("note", text=f"search: {text}")

    def _finished(self, trial: Trial, *, cached: bool) -> None:
        self._event(
            "trial_finished",
            trial=trial.index,
            model=trial.candidate.name,
            score=trial.mean,
            folds=len(trial.scores),
            status=trial.status,
            behind=trial.behind,
            cached=cached,
            kind=trial.candidate.kind,
            fingerprint=trial.fingerprint,
            results=[record.fingerprint for record in self._records[trial.index]],
            **self._decided(trial),
        )

    def _decided(self, trial: Trial) -> dict[str, Any]:
        preparation = written(self._dimensions, trial.point) if trial.point else {}
        return {"parameters": trial_parameters(trial), "preparation": preparation}

    def _event(self, kind: str, /, **payload: Any) -> None:
        self._context.event(kind, payload)

    def leaderboard(self) -> dict[str, Any]:
        """List all trials, the best first: complete ones, then those stopped, then those that failed.

        Beside them stand the domains that each model's parameters, and the preparation, were drawn from.
        """
        order = {"complete": 0, "stopped": 1, "failed": 2}
        sign = -1 if self._metric.greater_is_better else 1
        ended = [trial for trial in self.race.trials if trial.status in order]
        ended.sort(key=lambda trial: (order[trial.status], sign * (trial.mean or 0.0), trial.index))
        return {
            "metric": self.search.metric,
            "greater_is_better": self._metric.greater_is_better,
            "folds": self.folds,
            "spaces": {
                item.name: {name: domain_written(domain) for name, domain in item.space.items()}
                for item in self.search.candidates
            },
            "dimensions": [
                {"name": item.name, "domain": domain_written(item.domain), "given": [list(pair) for pair in item.given]}
                for item in self._dimensions
            ],
            "trials": [self._row(trial) for trial in ended],
        }

    def _row(self, trial: Trial) -> dict[str, Any]:
        records = self._records[trial.index]
        names = records[0].validation if records else ()
        return {
            "trial": trial.index,
            "model": trial.candidate.name,
            "kind": trial.candidate.kind,
            **self._decided(trial),
            "point": list(trial.point),
            "status": trial.status,
            "behind": trial.behind,
            "mean": trial.mean,
            "std": _std(trial.scores),
            "scores": trial.scores,
            "metrics": {name: sum(record.metrics[name] for record in records) / len(records) for name in names},
            "spread": {name: _std([record.metrics[name] for record in records]) for name in names},
            **self._fit(trial, records),
            "predictions": [record.predictions for record in records],
            "baseline": trial.is_baseline,
            "error": trial.error,
        }

    def _fit(self, trial: Trial, records: list[FoldRecord]) -> dict[str, float | None]:
        """Say what the primary metric is on rows that were learned from, and how much better that is."""
        learned = [record.training[self.search.metric] for record in records if record.training]
        if not learned or trial.mean is None:
            return {"training": None, "gap": None}
        mean = math.fsum(learned) / len(learned)
        return {"training": mean, "gap": (mean - trial.mean) * (1 if self._metric.greater_is_better else -1)}

    def histories(self) -> dict[str, list[dict[str, Any]]]:
        """Give how the fits of each trial went, fold by fold; of those whose kind tells it."""
        told = ((trial, [_steps(record) for record in records]) for trial, records in self._records.items())
        return {str(trial): [item for item in found if item] for trial, found in told if any(found)}

    def seconds(self) -> dict[str, float]:
        """Fit and score time of each trial; apart from the leaderboard, which must be the same each time."""
        return {str(index): sum(record.seconds for record in records) for index, records in self._records.items()}

    def spent(self) -> dict[str, float]:
        """What all folds took, those that were replayed as well, in CPU- and GPU-seconds; likewise apart."""
        total = sum((trial.spent for trial in self.race.trials), start=NOTHING)
        return {"cpu_seconds": total.cpu, "gpu_seconds": total.gpu}

    def ended(self) -> dict[str, Any]:
        """Say what ended the search, after how many trials of how many."""
        return {"by": self.race.ended, "trials": len(self.race.trials), "of": self.search.trials}


def _steps(record: FoldRecord) -> dict[str, Any]:
    return {name: value for name, value in (record.history or {}).items() if name != NOTES}


def _spent(record: FoldRecord, cores: int) -> Spent:
    """What a fold took; one of an earlier version, that did not measure it, counts as its cores for as long."""
    cost = record.cost
    return Spent(cpu=cost.get("cpu_seconds", record.seconds * cores), gpu=cost.get("gpu_seconds", 0.0))


def _std(scores: list[float]) -> float | None:
    """The sample standard deviation over the folds; None for fewer than two."""
    if len(scores) < 2:  # noqa: PLR2004 - a spread needs two
        return None
    mean = sum(scores) / len(scores)
    return math.sqrt(sum((score - mean) ** 2 for score in scores) / (len(scores) - 1))
