"""How many trials each model of a search gets: known before the search, as the models take turns."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from mlops_compiler.ir.domain import Choice, Domain, IntLogUniform, IntUniform, grid
from mlops_compiler.ir.space import count

if TYPE_CHECKING:
    from mlops_compiler.ir.ops.search import Candidate, Search


def shares(search: Search) -> dict[str, int]:
    """Say how many trials each model gets, at most.

    A model without domains takes one trial, one whose space is exhausted gives its turns to the others.
    """
    given = dict.fromkeys((item.name for item in search.candidates), 0)
    left = {item.name: points(item, search.algorithm) for item in search.candidates}
    trials = search.trials
    while trials and (waiting := [name for name, most in left.items() if most > given[name]]):
        rounds = max(1, min(trials // len(waiting), *(left[name] - given[name] for name in waiting)))
        for name in waiting[:trials]:
            given[name] += int(rounds)
        trials -= int(rounds) * min(trials, len(waiting))
    return given


LEAST_SHARE = 0.25
"""Smallest part of a GPU that ``auto`` takes; a small net beside three others still finds memory."""


def gpu_share(gpus: float, concurrent: int) -> float:
    """Say how much of a GPU a trial takes that takes what there is.

    Args:
        gpus: The GPUs that there are.
        concurrent: Most trials at once.

    Returns:
        A whole one where there are as many as trials, an even share (no smaller than `LEAST_SHARE`) where there are
        fewer, and none where there is none.
    """
    if gpus < 1:
        return 0.0
    sharers = max(1, -(-concurrent // int(gpus)))
    return max(LEAST_SHARE, 1 / sharers)


MOST_SHARERS = 8
"""Most trials on one GPU, however little memory they take: processes on a GPU take turns, and the gain ends where their
turns fill its time. A small network leaves a GPU idle most of it, as a kernel ends before the next one is sent."""
USABLE = 0.95
"""The part of a GPU's memory that trials may count with; the driver keeps some."""


def packed_share(gpu_memory: float, each: float, *, at_most: int) -> float:
    """Say how much of a GPU a trial takes so that as many share it as its memory has room for.

    Args:
        gpu_memory: GiB of the GPU.
        each: GiB that a trial takes.
        at_most: How many trials could share it otherwise: by their number, and by the cores beside the GPU.

    Returns:
        The share, rounded down as Ray counts it, to 1/10,000.
    """
    sharers = max(1, min(int(gpu_memory * USABLE / each), at_most, MOST_SHARERS))
    return (10_000 // sharers) / 10_000


def points(candidate: Candidate, algorithm: str) -> float:
    """Count the points of a model's search space; infinite where a real number is searched, but for a grid."""
    own = math.prod(_size(domain, algorithm) for domain in candidate.space.values())
    return own * count(candidate.preparation, lambda domain: _size(domain, algorithm))


def _size(domain: Domain, algorithm: str) -> float:
    if algorithm == "grid":
        return len(grid(domain))
    match domain:
        case Choice(values=values):
            return len(values)
        case IntUniform(low=low, high=high) | IntLogUniform(low=low, high=high):
            return high - low + 1
        case _:
            return 1 if domain.low == domain.high else math.inf
