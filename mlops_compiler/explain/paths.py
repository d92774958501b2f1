"""Interventional Shapley values of trees that split by levels, leaf by leaf: the library shap knows thresholds only.

Beside one row of the background a leaf is a game of its own. A player whose splits on the way to the leaf let the row
through and not the other must be in, one that lets the other through and not the row must be out, one that lets neither
through closes the leaf. With a players in and b out, each of the former adds (a-1)! b! / (a+b)! of the leaf's value,
each of the latter takes a! (b-1)! / (a+b)! away (Lundberg et al., "From local explanations to global understanding with
explainable AI for trees", 2020, algorithm 3).
"""

from __future__ import annotations

from collections import defaultdict
from math import comb
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from mlops_compiler.models.adapters.trees import Trees
    from mlops_compiler.models.kind import Matrix

    Values = NDArray[np.float64]
    Truths = NDArray[np.bool_]
    Path = dict[int, list[tuple[int, bool]]]
    """For each player the nodes on the way to a leaf, and whether the way goes left there."""

SLOWER = 20
"""How many times as long as the library it takes, for as many nodes and rows."""
_CELLS = 4_000_000
"""Leaves times rows times background times players that are looked at at once."""


def explain_paths(trees: Trees, factor: float, X: Matrix, background: Matrix) -> tuple[Values, Values]:
    """Compute the values of a sum of trees; as `explain_trees`, but for splits by levels as well.

    Returns:
        What each feature adds, shape (rows, features, outputs), and the mean sum of the background, shape (outputs,).
    """
    found = np.zeros((len(X), X.shape[1], trees.outputs))
    base = np.zeros(trees.outputs)
    left, left_beside = (_goes_left(trees, rows) for rows in (X, background))
    for leaves in _alike(trees):
        players = np.array([list(path) for _, path in leaves], dtype=np.int64).reshape(len(leaves), -1)
        values = trees.value[[leaf for leaf, _ in leaves]] * factor
        step = max(1, _CELLS // max(1, len(X) * len(background) * max(1, players.shape[1])))
        for start in range(0, len(leaves), step):
            some = slice(start, start + step)
            paths = [path for _, path in leaves[some]]
            _add(found, base, (_passes(left, paths), _passes(left_beside, paths)), (players[some], values[some]))
    return found, base


def _goes_left(trees: Trees, X: Matrix) -> Truths:
    """Say of each row and node whether the row would go left there; shape (rows, nodes)."""
    nodes = np.broadcast_to(np.arange(len(trees.feature)), (len(X), len(trees.feature)))
    return trees.goes_left(X[:, trees.feature], nodes)


def _alike(trees: Trees) -> Iterator[list[tuple[int, Path]]]:
    """List the leaves with the way to each, those with as many players together."""
    by_size: dict[int, list[tuple[int, Path]]] = defaultdict(list)
    for root in trees.starts[:-1].tolist():
        waiting: list[tuple[int, Path]] = [(root, {})]
        while waiting:
            node, path = waiting.pop()
            feature = int(trees.feature[node])
            if feature < 0:
                by_size[len(path)].append((node, path))
                continue
            for child, side in ((int(trees.left[node]), True), (int(trees.right[node]), False)):
                waiting.append((child, {**path, feature: [*path.get(feature, ()), (node, side)]}))
    yield from by_size.values()


def _passes(left: Truths, paths: Sequence[Path]) -> Truths:
    """Say whether rows pass all splits of each player; shape (leaves, rows, players)."""
    made = [
        [np.all([left[:, node] == side for node, side in splits], axis=0) for splits in path.values()] for path in paths
    ]
    return np.array(made, dtype=np.bool_).reshape(len(paths), len(paths[0]), len(left)).transpose(0, 2, 1)


def _add(found: Values, base: Values, passes: tuple[Truths, Truths], leaves: tuple[NDArray[np.int64], Values]) -> None:
    """Add what some leaves add; `found` and `base` are changed."""
    (row, other), (players, values) = passes, leaves
    base += np.einsum("lb,lo->o", other.all(axis=2), values) / other.shape[1]
    row, other = row[:, :, None, :], other[:, None, :, :]
    inside, outside = row & ~other, ~row & other
    reached = (row | other).all(axis=3)
    count_in, count_out = inside.sum(axis=3), outside.sum(axis=3)
    gain, loss = _weights(players.shape[1])
    share = (inside * (gain[count_in, count_out] * reached)[..., None]).mean(axis=2)
    share -= (outside * (loss[count_in, count_out] * reached)[..., None]).mean(axis=2)
    each = share[..., None] * values[:, None, None, :]
    for place in range(players.shape[1]):
        np.add.at(found.transpose(1, 0, 2), players[:, place], each[:, :, place])


def _weights(players: int) -> tuple[Values, Values]:
    """Give the shares (a-1)! b! / (a+b)! and a! (b-1)! / (a+b)!, for a and b up to the number of players."""
    counts = range(players + 1)
    gain = [[1.0 / (a * comb(a + b, a)) if a else 0.0 for b in counts] for a in counts]
    return np.array(gain), np.array(gain).T
