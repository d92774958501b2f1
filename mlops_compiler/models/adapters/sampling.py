"""Some rows of all, drawn by the seed, in which each class has its share.

Kinds whose cost grows faster than the rows learn from a sample; kinds that stop early hold rows back to stop by.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mlops_compiler.ir.task import has_classes

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mlops_compiler.models.kind import FitOptions, Target

HELD_BACK = 0.1
"""The share of the rows that tell when to stop."""
_FEWEST_ROWS = 20
"""With fewer, those held back would tell nothing."""


def sample(y: Target, options: FitOptions, at_most: int) -> NDArray[np.int64]:
    """Draw rows without repetition, in their order; a class that is there keeps one row at least.

    Returns:
        Their numbers, all of them where there are no more than `at_most`.
    """
    if len(y) <= at_most:
        return np.arange(len(y))
    labels = y.astype(np.int64) if has_classes(options.task) else np.zeros(len(y), dtype=np.int64)
    random = np.random.default_rng(options.seed)
    chosen = []
    for label in np.unique(labels).tolist():
        rows = np.flatnonzero(labels == label)
        chosen.append(random.permutation(rows)[: max(1, round(len(rows) * at_most / len(y)))])
    return np.sort(np.concatenate(chosen))


def sampled_note(kind: str, taken: int, rows: int) -> tuple[str, ...]:
    """Say that a sample was taken, where it was."""
    if taken == rows:
        return ()
    return (f"{kind} learned from a sample of {taken:,} of {rows:,} rows: `max_rows` allows no more",)


def hold_back(y: Target, options: FitOptions) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Draw the rows held back, a tenth of each class; a class of one row is in both parts.

    Returns:
        The rows to learn from, and those held back, each in order.
    """
    labels = y.astype(np.int64) if has_classes(options.task) else np.zeros(len(y), dtype=np.int64)
    random = np.random.default_rng(options.seed)
    learn, held = [], []
    for label in range(int(labels.max()) + 1):
        rows = random.permutation(np.flatnonzero(labels == label))
        count = max(1, round(len(rows) * HELD_BACK))
        held.append(rows[:count])
        learn.append(rows[count:] if len(rows) > 1 else rows)
    return np.sort(np.concatenate(learn)), np.sort(np.concatenate(held))


def rounds_of_all(best: int) -> int:
    """Say how many rounds all rows are worth, of which those that were not held back were worth so many."""
    return round(best / (1 - HELD_BACK))


def enough_to_hold_back(y: Target, options: FitOptions) -> bool:
    """Say whether some rows of each class would be on either side."""
    return len(y) >= _FEWEST_ROWS and (not has_classes(options.task) or int(np.bincount(y.astype(int)).min()) > 1)


def held_nothing_back(kind: str, rows: int) -> tuple[str, ...]:
    """Say that a kind did not stop early, though it was asked to."""
    return (f"{kind} held no rows back to stop early: {rows} rows are too few",)


def hold_back_early(
    kind: str, y: Target, options: FitOptions, *, asked: bool
) -> tuple[NDArray[np.int64], NDArray[np.int64], tuple[str, ...]]:
    """Draw the rows held back, none where that was not asked for or there are too few.

    Returns:
        The rows to learn from, those held back, and what the fit wants known of that.
    """
    if asked and enough_to_hold_back(y, options):
        return *hold_back(y, options), ()
    every, none = np.arange(len(y)), np.arange(0)
    return every, none, held_nothing_back(kind, len(y)) if asked else ()
