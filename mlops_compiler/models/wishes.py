"""What a recipe may ask of the fits of any model: classes that weigh the same, and columns that push one way only."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from mlops_compiler.models.kind import Direction, Target

_SIGNS: Mapping[str, int] = {"increasing": 1, "decreasing": -1}


def balanced(y: Target, weights: NDArray[np.float64] | None) -> NDArray[np.float64]:
    """Weigh rows so that each of k classes weighs the k-th part of all.

    Args:
        y: The number of each row's class, shape (rows,).
        weights: What each row weighs besides, shape (rows,); None where all weigh the same.

    Returns:
        The weights, shape (rows,); their sum stays what it was.
    """
    labels = y.astype(np.int64)
    before = np.ones(len(labels)) if weights is None else weights
    counts = np.bincount(labels, weights=before)
    there = counts > 0
    factors = np.where(there, before.sum() / (there.sum() * np.where(there, counts, 1.0)), 0.0)
    return before * factors[labels]


def signs(features: Sequence[str], monotone: Sequence[tuple[str, Direction]]) -> tuple[int, ...]:
    """Say of each feature whether a score may only rise with it (1), only fall (-1), or neither (0).

    Args:
        features: The columns of the design matrix; one that a step dropped in this fold may be missing.
        monotone: What is asked of some of them.

    Returns:
        As many signs as features; none where nothing is asked.
    """
    asked = {name: _SIGNS[direction] for name, direction in monotone}
    return tuple(asked.get(name, 0) for name in features) if asked else ()
