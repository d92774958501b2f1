"""A walk through trees for one row: tuples within tuples, which Python goes down at some 60 ns a level."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlops_compiler.models.adapters.level_sets import levels_of
from mlops_compiler.serving.compiled.signals import Uncompiled

if TYPE_CHECKING:
    from collections.abc import Callable

    from mlops_compiler.models.adapters.trees import Trees

_MOST_NODES = 500_000
"""A node takes some 150 bytes."""


def walk_of(trees: Trees, first: float) -> Callable[[list[float]], float]:
    """Compile trees into what adds to `first` the leaf of each in turn.

    Raises:
        Uncompiled: They have several outputs, or are too large.
    """
    if trees.outputs != 1 or len(trees.feature) > _MOST_NODES:
        raise Uncompiled("trees with several outputs, or with very many nodes")
    roots = _nested(trees)
    if trees.chooses is not None and (trees.chooses >= 0).any():
        return _by_levels(roots, first)

    def walk(features: list[float]) -> float:
        total = first
        for root in roots:
            node = root
            while node.__class__ is tuple:
                feature, threshold, missing_left, left, right = node
                value = features[feature]
                node = left if value <= threshold or (missing_left and value != value) else right  # noqa: PLR0124
            total += node
        return total

    return walk


def _by_levels(roots: tuple[Any, ...], first: float) -> Callable[[list[float]], float]:
    """Walk trees of which some nodes ask whether a level is in a set."""

    def walk(features: list[float]) -> float:
        total = first
        for root in roots:
            node = root
            while node.__class__ is tuple:
                feature, asked, missing_left, left, right = node
                value = features[feature]
                is_left = value <= asked if asked.__class__ is float else value in asked
                node = left if is_left or (missing_left and value != value) else right  # noqa: PLR0124
            total += node
        return total

    return walk


def _nested(trees: Trees) -> tuple[Any, ...]:
    """Make each node a tuple of feature, threshold, whether NaN goes left, and what lies to both sides; a leaf a float.

    In the place of a threshold may stand a set of levels.

    A child comes after its parent, so that from the end each node finds its own made.
    """
    columns = (trees.feature, trees.threshold, trees.missing_left, trees.left, trees.right, trees.value[:, 0])
    features, thresholds, missing, lefts, rights, values = (column.tolist() for column in columns)
    if trees.chooses is not None and trees.sets is not None:
        levels = [frozenset(levels_of(bits)) for bits in trees.sets]
        thresholds = [
            levels[at] if at >= 0 else high for at, high in zip(trees.chooses.tolist(), thresholds, strict=True)
        ]
    made: list[Any] = [None] * len(features)
    for node in reversed(range(len(features))):
        if features[node] < 0:
            made[node] = values[node]
        else:
            made[node] = (features[node], thresholds[node], missing[node], made[lefts[node]], made[rights[node]])
    return tuple(made[root] for root in trees.starts[:-1].tolist())
