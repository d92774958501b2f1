"""Proposes parameters, one stream for each candidate, so that a change to one leaves the others' trials as they were.

A stream is a pure function of its seed and of the scores told to it, in order: asked and told the same, it
proposes the same. That is what lets a search that was killed be replayed from its recorded folds.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mlops_compiler.ir.domain import (
    Choice,
    Domain,
    IntLogUniform,
    IntUniform,
    LogUniform,
    Uniform,
    contains,
    grid,
)
from mlops_compiler.ir.fingerprint import fingerprint
from mlops_compiler.models.registry import MODELS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import optuna

    from mlops_compiler.ir.ops.lifecycle import Candidate

Parameters = dict[str, Any]
_TRIES = 20
"""Draws before a space that keeps repeating itself counts as exhausted."""


def seed_of(seed: int, *names: str) -> int:
    """Make a seed of 31 bits for a part of the work, from the recipe's seed and the part's name."""
    return int(fingerprint([seed, *names])[:8], 16) % (2**31)


@dataclass(slots=True)
class Stream:
    """The proposals for one candidate."""

    candidate: Candidate
    algorithm: str
    seed: int
    greater_is_better: bool
    _seen: set[str] = field(default_factory=set)
    _study: Any = None
    _asked: dict[str, Any] = field(default_factory=dict)
    _points: Iterator[Parameters] | None = None

    def next(self) -> Parameters | None:
        """Propose parameters that were not proposed before; None when the space is exhausted."""
        fixed = {name: value for name, value in self.candidate.parameters if name not in self.candidate.space}
        if not self.candidate.space:
            return self._fresh(fixed)
        if self.algorithm == "grid":
            return next(self._grid(fixed), None)
        for _ in range(_TRIES):
            if (found := self._fresh({**fixed, **self._ask()})) is not None:
                return self._in_order(found)
        return None

    def tell(self, parameters: Parameters, score: float) -> None:
        """Tell the score of a proposal; the order of calls matters."""
        if self._study is not None and (asked := self._asked.get(fingerprint(parameters))) is not None:
            self._study.tell(asked, score)

    def _in_order(self, found: Parameters) -> Parameters:
        return {name: found[name] for name, _ in self.candidate.parameters}

    def _fresh(self, parameters: Parameters) -> Parameters | None:
        key = fingerprint(parameters)
        if key in self._seen:
            return None
        self._seen.add(key)
        return parameters

    def _grid(self, fixed: Parameters) -> Iterator[Parameters]:
        if self._points is None:
            import numpy as np

            axes = {name: grid(domain) for name, domain in self.candidate.space.items()}
            points = list(itertools.product(*axes.values()))
            # In random order, so that a budget smaller than the grid covers it evenly.
            order = np.random.default_rng(self.seed).permutation(len(points))
            made = (dict(zip(axes, points[index], strict=True)) for index in order)
            self._points = (self._in_order({**fixed, **point}) for point in made)
        return self._points

    def _ask(self) -> Parameters:
        if self._study is None:
            self._study = _study(self.algorithm, self.seed, self.candidate, greater_is_better=self.greater_is_better)
        asked = self._study.ask({name: _distribution(domain) for name, domain in self.candidate.space.items()})
        drawn = {name: _value(domain, asked.params[name]) for name, domain in self.candidate.space.items()}
        fixed = {name: value for name, value in self.candidate.parameters if name not in self.candidate.space}
        self._asked.setdefault(fingerprint({**fixed, **drawn}), asked)
        return drawn


def _study(algorithm: str, seed: int, candidate: Candidate, *, greater_is_better: bool) -> optuna.Study:
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    if algorithm == "tpe":
        sampler = optuna.samplers.TPESampler(seed=seed, n_startup_trials=6)
    else:
        sampler = optuna.samplers.RandomSampler(seed=seed)
    study = optuna.create_study(direction="maximize" if greater_is_better else "minimize", sampler=sampler)
    defaults = MODELS[candidate.kind].defaults
    known = {
        name: _code(domain, defaults[name])
        for name, domain in candidate.space.items()
        if name in defaults and contains(domain, defaults[name])
    }
    if known:  # the field's own defaults are the first trial: no search ends worse than they do
        study.enqueue_trial(known)
    return study


def _distribution(domain: Domain) -> Any:
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    match domain:
        case Choice(values=values):
            return CategoricalDistribution(list(range(len(values))))
        case Uniform(low=low, high=high):
            return FloatDistribution(low, high)
        case LogUniform(low=low, high=high):
            return FloatDistribution(low, high, log=True)
        case IntUniform(low=low, high=high):
            return IntDistribution(low, high)
        case IntLogUniform(low=low, high=high):
            return IntDistribution(low, high, log=True)


def _value(domain: Domain, drawn: Any) -> Any:
    return domain.values[drawn] if isinstance(domain, Choice) else drawn


def _code(domain: Domain, value: Any) -> Any:
    return domain.values.index(value) if isinstance(domain, Choice) else value


def size(space: Mapping[str, Domain], algorithm: str) -> float:
    """Count the points of a space: infinite where a real number is searched, but for a grid."""
    total = 1.0
    for domain in space.values():
        real = isinstance(domain, Uniform | LogUniform) and domain.low < domain.high
        if algorithm == "grid" or isinstance(domain, Choice):
            total *= len(grid(domain))
        elif real:
            return float("inf")
        elif isinstance(domain, IntUniform | IntLogUniform):
            total *= domain.high - domain.low + 1
    return total
