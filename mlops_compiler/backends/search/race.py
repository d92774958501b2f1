"""The race decides which trials there are and which of them go on; it starts nothing and knows no engine.

Its law: trial i is proposed by what trials up to i - `max_concurrent` did, all of which have ended before i may start,
and judged by the trials before it that came as far (`judge`); by nothing else. So any engine, at any parallelism up to
`max_concurrent`, makes the same trials and stops the same ones, and recorded folds replay a search exactly.
What is stopped is said in `stopping`; all scores compared are of the same folds.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import TYPE_CHECKING, Any

from mlops_compiler.backends.search.judge import Judge
from mlops_compiler.backends.search.limits import NOTHING, End, Limits, Spent
from mlops_compiler.backends.search.population import Population
from mlops_compiler.backends.search.proposals import Proposal, Stream, seed_of
from mlops_compiler.ir.fingerprint import fingerprint
from mlops_compiler.ir.space import base_point
from mlops_compiler.models.registry import MODELS
from mlops_compiler.models.resumable import trains_on

if TYPE_CHECKING:
    from collections.abc import Callable

    from mlops_compiler.ir.ops.search import Candidate, Search
    from mlops_compiler.ir.space import Point


class Signal(Enum):
    """What `Race.propose` says when it proposes nothing."""

    WAIT = auto()
    DONE = auto()


class Verdict(Enum):
    """What becomes of a trial after a fold."""

    CONTINUE = auto()
    STOP = auto()
    COMPLETE = auto()


@dataclass(slots=True, kw_only=True)
class Trial:
    """One point of the search.

    Attributes:
        index: Its place in the order of proposals, from 0.
        candidate: The model.
        parameters: Every parameter with its value.
        point: What is decided of the preparation, beside the dimensions that the search has; empty where it has none.
        fingerprint: Names the trial's results, whatever recipe asks for them.
        ground: Names all that they depend on but the parameters.
        scores: The primary metric of each fold so far.
        status: ``running``, ``complete``, ``stopped`` or ``failed``.
        error: Why it failed.
        costs: What each of these folds took.
        judged: After how many folds it was found to go on.
        behind: Why it was stopped: after how many ``folds``, and its ``place`` among the ``of`` trials at that point;
            None where time was up.
    """

    index: int
    candidate: Candidate
    parameters: dict[str, Any]
    point: Point
    fingerprint: str
    ground: str = ""
    scores: list[float] = field(default_factory=list)
    status: str = "running"
    error: str | None = None
    costs: list[Spent] = field(default_factory=list)
    judged: int = 0
    behind: dict[str, int] | None = None

    @property
    def mean(self) -> float | None:
        """The mean score over the folds so far."""
        return math.fsum(self.scores) / len(self.scores) if self.scores else None

    @property
    def spent(self) -> Spent:
        """What its folds took; those that it ran before it was known that it had stopped are not among them."""
        return sum(self.costs[: len(self.scores)], start=NOTHING)

    @property
    def is_baseline(self) -> bool:
        """Whether its kind is a baseline, which is never stopped."""
        return MODELS[self.candidate.kind].is_baseline


SCORED = 3
"""Raised when more is recorded of a fold; records of older versions are then not replayed."""


def fold_fingerprint(trial: str, fold: int) -> str:
    """Name the result of one fold of a trial."""
    return fingerprint({"trial": trial, "fold": fold, "scored": SCORED})


class Race:
    """The state of a search.

    Args:
        search: What to search.
        folds: The number of folds.
        greater_is_better: The direction of the primary metric.
        context: Names the rows and their preparation at a point; part of each trial's fingerprint.
    """

    def __init__(self, search: Search, *, folds: int, greater_is_better: bool, context: Callable[[Point], str]) -> None:
        self._search = search
        self._folds = folds
        self._sign = 1.0 if greater_is_better else -1.0
        self._context = context
        self._base = base_point(next((item.preparation for item in search.candidates if item.preparation), ()))
        self.trials: list[Trial] = []
        self._streams = {
            item.name: _stream(item, search, greater_is_better=greater_is_better) for item in search.candidates
        }
        self._populations = {
            item.name: self._population(item)
            for item in search.candidates
            if search.scheduler == "population" and trains_on(MODELS[item.kind], item)
        }
        self._limits = Limits(search, self._sign)
        self._judge = Judge(search.scheduler, folds=folds, sign=self._sign, width=search.max_concurrent)
        self._settled: list[Trial] = []
        self.ended: End | None = None
        self._open = list(search.candidates)
        self._turn = 0
        self._told = 0

    def propose(self, fits: Callable[[Candidate], bool] = lambda _candidate: True) -> Trial | Signal:
        """Propose the next trial, or say that an earlier one must end first, or that there is none.

        Args:
            fits: Says whether there is time for a trial of a model; those for which there is none are passed over.
        """
        while self._open and len(self.trials) < self._search.trials:
            if not self._may_start(len(self.trials)):
                return Signal.WAIT
            self._tell()
            if (limit := self._limits.reached(self.trials[self._told :])) is not None:
                return self.end(limit)
            candidate = self._next_of(fits)
            if candidate is None:
                return self.end("time")
            population = self._populations.get(candidate.name)
            if population is not None and not population.is_ready():
                return Signal.WAIT
            proposal = (population or self._streams[candidate.name]).next()
            if proposal is None:
                self._retire(candidate)
                continue
            self._advance(candidate)
            self.trials.append(self._trial(candidate, proposal))
            if population is not None:
                population.add(self.trials[-1])
            return self.trials[-1]
        return self.end("space" if len(self.trials) < self._search.trials else "trials")

    def end(self, limit: End) -> Signal:
        """Take note of what ends the search; nothing is proposed after it."""
        self.ended = self.ended or limit
        return Signal.DONE

    def report(self, index: int, score: float, spent: Spent = NOTHING) -> Verdict:
        """Take the score of a trial's next fold, and what it took; say whether the trial goes on.

        A trial that has no fold left may still have to wait for its judgement; nothing is to be run of it.
        """
        trial = self.trials[index]
        if trial.status != "running":
            return Verdict.STOP
        trial.scores.append(score)
        trial.costs.append(spent)
        self._settle()
        if trial.status == "stopped":
            return Verdict.STOP
        return Verdict.COMPLETE if len(trial.scores) == self._folds else Verdict.CONTINUE

    def stop(self, index: int) -> None:
        """Take note that a trial was ended between two folds, as its time was up."""
        self.trials[index].status = "stopped"
        self._settled.append(self.trials[index])
        self._settle()

    def fail(self, index: int, error: str) -> None:
        """Take note that a trial failed; the others go on."""
        self.trials[index].error = error
        self._settle()

    def settled(self) -> list[Trial]:
        """Give the trials that came to their end since this was asked before."""
        found, self._settled = self._settled, []
        return found

    def _settle(self) -> None:
        self._settled += self._judge.settle(self.trials)

    @property
    def best(self) -> float | None:
        """The best mean of a complete trial so far."""
        means = [trial.mean for trial in self.trials if trial.status == "complete" and trial.mean is not None]
        return max(means, key=lambda mean: self._sign * mean) if means else None

    @property
    def has_found(self) -> bool:
        """Whether a trial is complete that is no baseline, or there are only baselines."""
        real = [item for item in self._search.candidates if not MODELS[item.kind].is_baseline]
        return not real or any(trial.status == "complete" and not trial.is_baseline for trial in self.trials)

    def _next_of(self, fits: Callable[[Candidate], bool]) -> Candidate | None:
        """Give the model whose turn it is, of those for which there is time."""
        for step in range(len(self._open)):
            candidate = self._open[(self._turn + step) % len(self._open)]
            if fits(candidate):
                self._turn += step
                return candidate
        return None

    def _may_start(self, index: int) -> bool:
        needed = index - self._search.max_concurrent + 1
        return all(trial.status != "running" for trial in self.trials[: max(0, needed)])

    def _tell(self) -> None:
        """Tell the streams, in order, of the trials that the next one may know."""
        known = max(0, len(self.trials) - self._search.max_concurrent + 1)
        for trial in self.trials[self._told : known]:
            self._limits.tell(trial)
            if trial.mean is not None:
                proposal = Proposal(
                    parameters=trial.parameters, point=trial.point if trial.candidate.preparation else ()
                )
                self._streams[trial.candidate.name].tell(proposal, trial.mean)
        self._told = max(self._told, known)

    def _advance(self, candidate: Candidate) -> None:
        if not candidate.space and not candidate.preparation:
            self._retire(candidate)
        else:
            self._turn += 1

    def _retire(self, candidate: Candidate) -> None:
        """Take a candidate out; the turn stays on the one that moves into its place."""
        position = self._open.index(candidate)
        self._turn = self._turn % len(self._open)
        del self._open[position]

    def _trial(self, candidate: Candidate, proposal: Proposal) -> Trial:
        point, parameters = proposal.point or self._base, proposal.parameters
        ground = {
            "context": self._context(point),
            "kind": candidate.kind,
            "version": candidate.version,
            "cpu": candidate.cpu,
            "seed": self._search.seed,
            **candidate.wishes,
            **({} if (share := self._search.contamination) is None else {"contamination": share}),
        }
        return Trial(
            index=len(self.trials),
            candidate=candidate,
            parameters=parameters,
            point=point,
            fingerprint=fingerprint({**ground, "parameters": parameters}),
            ground=fingerprint(ground),
        )

    def _population(self, candidate: Candidate) -> Population:
        size, steps = self._search.population or (1, 1)
        return Population(
            stream=self._streams[candidate.name],
            size=size,
            steps=steps,
            seed=seed_of(self._search.seed, "population", candidate.name),
            sign=self._sign,
        )


def _stream(candidate: Candidate, search: Search, *, greater_is_better: bool) -> Stream:
    return Stream(
        candidate=candidate,
        algorithm=search.algorithm,
        seed=seed_of(search.seed, "search", candidate.name),
        greater_is_better=greater_is_better,
        starts=tuple(start for start in search.warm if start.model == candidate.name),
    )
