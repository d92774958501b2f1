"""What proposes points of a space: samplers of Optuna, which are told of the scores in order, and Sobol's sequence."""

from __future__ import annotations

import math
import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from mlops_compiler.ir.domain import Choice, Domain, IntLogUniform, IntUniform, LogUniform, Uniform

if TYPE_CHECKING:
    from collections.abc import Iterator

    import optuna

    from mlops_compiler.ir.ops.search import Candidate
    from mlops_compiler.ir.space import Point

_STARTUP = 6
"""Trials at random before a model of what was good is trusted."""


def make_study(algorithm: str, seed: int, *, greater_is_better: bool) -> optuna.Study:
    """Make the study that proposes points.

    Args:
        algorithm: ``random``, ``tpe`` (Bergstra et al., "Algorithms for Hyper-Parameter Optimization", NIPS 2011),
            ``gp`` (a Gaussian process with the logarithm of expected improvement; Ament et al., NeurIPS 2023) or
            ``cma_es`` (Hansen, "The CMA Evolution Strategy: A Tutorial", 2016).
        seed: Of all that is random.
        greater_is_better: Of the scores that it is told.
    """
    import optuna
    from optuna.samplers import CmaEsSampler, GPSampler, RandomSampler, TPESampler

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    sampler: optuna.samplers.BaseSampler
    match algorithm:
        case "tpe":
            sampler = TPESampler(seed=seed, n_startup_trials=_STARTUP)
        case "gp":
            sampler = GPSampler(seed=seed, n_startup_trials=_STARTUP, warn_independent_sampling=False)
        case "cma_es":
            sampler = CmaEsSampler(seed=seed, warn_independent_sampling=False)
        case _:
            sampler = RandomSampler(seed=seed)
    return optuna.create_study(direction="maximize" if greater_is_better else "minimize", sampler=sampler)


@contextmanager
def on_one_thread(algorithm: str) -> Iterator[None]:
    """Let a sampler that computes with torch round its sums alike on every machine and in every process."""
    if algorithm != "gp":
        yield
        return
    import torch
    from threadpoolctl import threadpool_limits

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with threadpool_limits(1), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        torch.set_num_threads(threads)


def sobol(candidate: Candidate, seed: int) -> Iterator[tuple[dict[str, Any], Point]]:
    """Give points that cover a space more evenly than chance does: Sobol's sequence, scrambled by Owen's method.

    What lies inside an alternative has a coordinate of its own, which is heeded where that is taken.
    """
    from scipy.stats.qmc import Sobol

    space, dimensions = candidate.space, candidate.preparation
    engine = Sobol(len(space) + len(dimensions), scramble=True, seed=seed)
    while True:
        (coordinates,) = engine.random(1)
        own, others = coordinates[: len(space)], coordinates[len(space) :]
        point: list[int | float | None] = []
        for item, share in zip(dimensions, others, strict=True):
            point.append(_at(item.domain, float(share), coded=True) if item.stands(point) else None)
        drawn = {name: _at(domain, float(share)) for (name, domain), share in zip(space.items(), own, strict=True)}
        yield drawn, tuple(point)


def _at(domain: Domain, share: float, *, coded: bool = False) -> Any:
    """Give the value at a share of a domain, from 0 to below 1; of a choice its number where it is to be coded."""
    match domain:
        case Choice(values=values):
            place = int(share * len(values))
            return place if coded else values[place]
        case Uniform(low=low, high=high):
            return min(low + share * (high - low), high)
        case LogUniform(low=low, high=high):
            return min(max(low * (high / low) ** share, low), high)
        case IntUniform(low=low, high=high):
            return low + int(share * (high - low + 1))
        case IntLogUniform(low=low, high=high):
            # Each whole number stands for what rounds to it, as in Optuna.
            edges = math.log(low - 0.5), math.log(high + 0.5)
            return min(max(round(math.exp(edges[0] + share * (edges[1] - edges[0]))), low), high)
