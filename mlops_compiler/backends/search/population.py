"""A population of trainings that learn side by side: the poor ones go on with the weights of the good ones.

Population-based training (Jaderberg et al., "Population Based Training of Neural Networks", 2017), generation by
generation. A member trains for some steps in each fold and is scored by the rows held out. Then the worst quarter takes
over weights and parameters of members of the best quarter, and varies what may change in the middle of a training.

Each generation of a member is a trial, whose parameters hold its schedule: what it was trained with until which step.
So a trial is named by all that its weights follow from, is recorded and replayed as any other, and the schedule that is
chosen is what the final fit goes through. A generation is proposed when the one before has ended, whatever runs beside.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mlops_compiler.backends.search.proposals import Proposal, Stream, seed_of
from mlops_compiler.ir.domain import Choice, IntLogUniform, IntUniform, LogUniform, Uniform
from mlops_compiler.models.registry import MODELS
from mlops_compiler.models.resumable import ResumableKind
from mlops_compiler.models.schedule import SCHEDULE, UNTIL

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np

    from mlops_compiler.backends.search.race import Trial
    from mlops_compiler.ir.domain import Domain

_QUARTER = 4
"""Of so many members one is replaced."""
_RESAMPLED = 0.25
"""How often a value is drawn anew instead of moved."""
_MOVES = (0.8, 1.2)


@dataclass(slots=True)
class Population:
    """The population of one model.

    Attributes:
        stream: Proposes the first generation.
        size: How many members.
        steps: Steps of a generation, as the kind counts them.
        seed: Of what is varied.
        sign: 1 where more is better, else -1.
    """

    stream: Stream
    size: int
    steps: int
    seed: int
    sign: float
    _members: list[Trial] = field(default_factory=list)
    _drawn: Proposal | None = None

    def is_ready(self) -> bool:
        """Say whether the next member can be proposed: all of the generation before have ended."""
        if self._drawn is None and len(self._members) < self.size:
            self._drawn = self.stream.next()
            if self._drawn is None:  # a space that is too small for so many: the members that there are go on
                self.size = max(1, len(self._members))
        begins, place = divmod(len(self._members), self.size)
        if place or not begins:
            return True
        return all(trial.status != "running" for trial in self._members[-self.size :])

    def next(self) -> Proposal | None:
        """Propose the next member, once it `is_ready`; None where no more can be learned."""
        generation, place = divmod(len(self._members), self.size)
        if generation == 0:
            return self._first()
        before = self._members[(generation - 1) * self.size :][: self.size]
        if all(generation * self.steps >= _most_steps(trial.parameters) for trial in before):
            return None
        ranked = sorted(before, key=lambda trial: (self._rank(trial), trial.index))
        count = max(1, self.size // _QUARTER)
        source, varied = before[place], False
        if source in ranked[-count:]:
            rng = self._rng(generation, place)
            source, varied = ranked[:count][int(rng.integers(count))], True
        parameters = dict(source.parameters)
        if varied:
            parameters |= self._explored(parameters, rng)
        schedule = [*source.parameters[SCHEDULE], self._segment(parameters, generation + 1)]
        point = source.point if self.stream.candidate.preparation else ()
        return Proposal(parameters={**parameters, SCHEDULE: schedule}, point=point)

    def add(self, trial: Trial) -> None:
        """Take note of the trial that a proposal became."""
        self._members.append(trial)

    def _first(self) -> Proposal | None:
        found, self._drawn = self._drawn, None
        if found is None:
            return None
        schedule = [self._segment(found.parameters, 1)]
        return Proposal(parameters={**found.parameters, SCHEDULE: schedule}, point=found.point)

    def _segment(self, parameters: Mapping[str, Any], generations: int) -> dict[str, Any]:
        names = sorted(self._adjustable & parameters.keys())
        return {UNTIL: generations * self.steps, **{name: parameters[name] for name in names}}

    @property
    def _adjustable(self) -> frozenset[str]:
        kind = MODELS[self.stream.candidate.kind]
        return kind.adjustable if isinstance(kind, ResumableKind) else frozenset()

    def _rank(self, trial: Trial) -> float:
        return math.inf if trial.status != "complete" or trial.mean is None else -self.sign * trial.mean

    def _rng(self, generation: int, place: int) -> np.random.Generator:
        import numpy as np

        return np.random.default_rng(seed_of(self.seed, "explore", str(generation), str(place)))

    def _explored(self, parameters: Mapping[str, Any], rng: np.random.Generator) -> dict[str, Any]:
        """Vary what is searched and may change in the middle of a training."""
        return {
            name: _varied(domain, parameters[name], rng)
            for name, domain in self.stream.candidate.space.items()
            if name in self._adjustable
        }


def _most_steps(parameters: Mapping[str, Any]) -> float:
    return float(parameters.get("epochs", math.inf))


def _varied(domain: Domain, value: Any, rng: np.random.Generator) -> Any:
    """Draw a value anew, or move it up or down by a fifth; of a choice, leave it as it is instead."""
    share, anew, move = float(rng.random()), rng.random() < _RESAMPLED, _MOVES[int(rng.integers(2))]
    match domain:
        case Choice(values=values):
            return values[int(share * len(values))] if anew else value
        case Uniform(low=low, high=high):
            return _clipped(low + share * (high - low) if anew else value * move, low, high)
        case LogUniform(low=low, high=high):
            return _clipped(low * (high / low) ** share if anew else value * move, low, high)
        case IntUniform(low=low, high=high) | IntLogUniform(low=low, high=high):
            return int(_clipped(round(low + share * (high - low) if anew else value * move), low, high))


def _clipped(value: float, low: float, high: float) -> float:
    return min(max(value, low), high)
