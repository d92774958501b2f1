"""Proposes parameters, one stream for each candidate, so that a change to one leaves the others' trials as they were.

A stream is a pure function of its seed and of the scores told to it, in order: asked and told the same, it
proposes the same. That is what lets a search that was killed be replayed from its recorded folds.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mlops_compiler.backends.search.samplers import make_study, on_one_thread, sobol
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
from mlops_compiler.ir.space import base_point, grid_points
from mlops_compiler.models.registry import MODELS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import optuna

    from mlops_compiler.ir.ops.search import Candidate
    from mlops_compiler.ir.space import Dimension, Point
    from mlops_compiler.ir.start import Start

Parameters = dict[str, Any]
_TRIES = 20
"""Draws before a space that keeps repeating itself counts as exhausted."""
_REPEATS = 3
"""Draws before a sampler that looks for the best point is turned aside from one that it has."""


def seed_of(seed: int, *names: str) -> int:
    """Make a seed of 31 bits for a part of the work, from the recipe's seed and the part's name."""
    return int(fingerprint([seed, *names])[:8], 16) % (2**31)


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """What to try.

    Attributes:
        parameters: Every parameter of the model with its value.
        point: What is decided of the preparation, beside the candidate's dimensions; empty where it has none.
    """

    parameters: Parameters
    point: Point = ()

    @property
    def key(self) -> str:
        """Name it by all that it says."""
        return fingerprint([self.parameters, list(self.point)] if self.point else self.parameters)


@dataclass(slots=True)
class Stream:
    """The proposals for one candidate."""

    candidate: Candidate
    algorithm: str
    seed: int
    greater_is_better: bool
    starts: tuple[Start, ...] = ()
    _seen: set[str] = field(default_factory=set)
    _study: Any = None
    _asked: dict[str, Any] = field(default_factory=dict)
    _points: Iterator[Proposal] | None = None

    def next(self) -> Proposal | None:
        """Propose what was not proposed before; None when the space is exhausted."""
        if not self.candidate.space and not self.candidate.preparation:
            return self._fresh(self._made({}, ()))
        if self.algorithm == "grid":
            return next(self._grid(), None)
        for attempt in range(_TRIES):
            if attempt >= _REPEATS and self.algorithm in ("gp", "cma_es"):
                self._turn_aside()
            if (found := self._fresh(self._ask())) is not None:
                return found
        return None

    def tell(self, proposal: Proposal, score: float) -> None:
        """Tell the score of a proposal; the order of calls matters."""
        if self._study is not None and (asked := self._asked.get(proposal.key)) is not None:
            self._study.tell(asked, score)

    def _made(self, drawn: Parameters, point: Point) -> Proposal:
        given = {name: drawn.get(name, value) for name, value in self.candidate.parameters}
        return Proposal(parameters=given, point=point)

    def _fresh(self, found: Proposal) -> Proposal | None:
        if found.key in self._seen:
            return None
        self._seen.add(found.key)
        return found

    def _grid(self) -> Iterator[Proposal]:
        if self._points is None:
            import numpy as np

            axes = {name: grid(domain) for name, domain in self.candidate.space.items()}
            points = list(itertools.product(*axes.values(), grid_points(self.candidate.preparation)))
            # In random order, so that a budget smaller than the grid covers it evenly.
            order = list(np.random.default_rng(self.seed).permutation(len(points)))
            first_of_all = [self._place(axes, points, start) for start in self.starts]
            if self.candidate.preparation:  # the first alternatives come first, and the low ends
                first = next(index for index in order if points[index][-1] == points[0][-1])
                order.remove(first)
                order.insert(0, first)
            order = list(dict.fromkeys([*(place for place in first_of_all if place is not None), *order]))
            made = (points[index] for index in order)
            self._points = (self._made(dict(zip(axes, values, strict=True)), point) for *values, point in made)
        return self._points

    def _place(self, axes: Mapping[str, Sequence[Any]], points: Sequence[Any], start: Start) -> int | None:
        """Find a point on the grid, if it lies there."""
        known = dict(start.parameters)
        wanted = (*(known.get(name) for name in axes), start.point)
        return next((at for at, found in enumerate(points) if found == wanted), None)

    def _ask(self) -> Proposal:
        if self.algorithm == "qmc":
            self._points = self._points or self._covering()
            return next(self._points)
        if self._study is None:
            self._study = make_study(self.algorithm, self.seed, greater_is_better=self.greater_is_better)
            for parameters, point in self._firsts():
                if known := _coded(self.candidate, parameters, point):
                    self._study.enqueue_trial(known)
        space = self.candidate.space
        with on_one_thread(self.algorithm):
            asked = self._study.ask({name: distribution(domain) for name, domain in space.items()})
            drawn = {name: _value(domain, asked.params[name]) for name, domain in space.items()}
            found = self._made(drawn, tuple(_decided(self.candidate.preparation, asked)))
        if self._asked.setdefault(found.key, asked) is not asked and self.algorithm == "gp":
            self._fail(asked)  # else it would count as under way for good
        return found

    def _turn_aside(self) -> None:
        """Let a sampler that insists on what it has proposed already try a point of Sobol's sequence instead."""
        self._points = self._points or self._covering()
        other = next(self._points)
        self._study.enqueue_trial(_coded(self.candidate, other.parameters, other.point))

    def _fail(self, asked: optuna.Trial) -> None:
        from optuna.trial import TrialState

        self._study.tell(asked, state=TrialState.FAIL)

    def _covering(self) -> Iterator[Proposal]:
        points = sobol(self.candidate, self.seed)
        for parameters, point in self._firsts():
            drawn, _ = next(points)
            yield self._made(drawn | _within(self.candidate, parameters), point)
        yield from (self._made(drawn, point) for drawn, point in points)

    def _firsts(self) -> Iterator[tuple[Mapping[str, Any], Point]]:
        """List what is tried first: the field's own defaults, the starts, the kind's portfolio.

        With the defaults first, no search ends worse than they do.
        """
        kind, base = MODELS[self.candidate.kind], base_point(self.candidate.preparation)
        yield kind.defaults, base
        yield from ((dict(start.parameters), start.point) for start in self.starts)
        for known in kind.portfolio:
            if _within(self.candidate, known):  # else it would be the defaults once more
                yield {**kind.defaults, **known}, base


def _decided(dimensions: Sequence[Dimension], asked: optuna.Trial) -> Iterator[int | float | None]:
    """Ask for what stands, one after another: what lies inside an alternative is asked where that is taken."""
    point: list[int | float | None] = []
    for at, item in enumerate(dimensions):
        value = None
        if item.stands(point):
            name, how = _key(at, item), distribution(item.domain)
            value = (
                asked.suggest_categorical(name, how.choices)
                if isinstance(item.domain, Choice)
                else asked.suggest_int(name, how.low, how.high, log=how.log)
                if isinstance(item.domain, IntUniform | IntLogUniform)
                else asked.suggest_float(name, how.low, how.high, log=how.log)
            )
        point.append(value)
        yield value


def _key(at: int, item: Dimension) -> str:
    """Name a dimension for the study; names of parameters hold no colon."""
    return f"{at}:{item.name}"


def _within(candidate: Candidate, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Take the parameters that are open and lie in the space."""
    return {
        name: parameters[name]
        for name, domain in candidate.space.items()
        if name in parameters and contains(domain, parameters[name])
    }


def _coded(candidate: Candidate, parameters: Mapping[str, Any], point: Point) -> dict[str, Any]:
    """Write a point as the study has it, as far as it lies in the space; what is left open is drawn."""
    known = {name: code(candidate.space[name], value) for name, value in _within(candidate, parameters).items()}
    decided = zip(candidate.preparation, point, strict=True)
    return known | {_key(at, item): value for at, (item, value) in enumerate(decided) if value is not None}


def distribution(domain: Domain) -> Any:
    """Give a domain as Optuna has it; of a choice the numbers of its values."""
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


def code(domain: Domain, value: Any) -> Any:
    """Give a value as Optuna has it: of a choice its number."""
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
