"""Kinds whose cost grows faster than the rows learn from a sample of them, in which each class has its share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mlops_compiler.models.kind import FitOptions, Target


def sample(y: Target, options: FitOptions, at_most: int) -> NDArray[np.int64]:
    """Draw rows without repetition, in their order; a class that is there keeps one row at least.

    Returns:
        Their numbers, all of them where there are no more than `at_most`.
    """
    if len(y) <= at_most:
        return np.arange(len(y))
    labels = np.zeros(len(y), dtype=np.int64) if options.task == "regression" else y.astype(np.int64)
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
