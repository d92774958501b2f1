"""Trees as the library shap takes them: plain arrays of nodes, and rows as ranks among a feature's thresholds.

The library compares in float32, where a row can land on the wrong side of a threshold. Ranks are small whole numbers:
they compare in float32 as the numbers that they stand for compare in float64.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mlops_compiler.models.adapters.trees import Trees
    from mlops_compiler.models.kind import Matrix

    Values = NDArray[np.float64]

_MOST_NODES = 32_000
_MOST_DEPTH = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Coded:
    """Trees whose thresholds are ranks.

    Attributes:
        trees: The trees.
        thresholds: The distinct thresholds of each feature, ascending.
    """

    trees: Trees
    thresholds: tuple[Values, ...]

    @classmethod
    def of(cls, trees: Trees, features: int) -> Coded:
        """Collect the thresholds."""
        asked = [np.unique(trees.threshold[trees.feature == feature]) for feature in range(features)]
        return cls(trees=trees, thresholds=tuple(asked))

    def rows(self, X: Matrix) -> Matrix:
        """Count for each value the thresholds below it: it is at most threshold ``k`` where that count is."""
        ranks = [
            np.where(np.isnan(column), np.nan, np.searchsorted(known, column, side="left").astype(np.float64))
            for known, column in zip(self.thresholds, X.T, strict=True)
        ]
        return np.ascontiguousarray(np.column_stack(ranks))

    def as_nodes(self, factor: float) -> list[dict[str, Any]]:
        """Give each tree as the library's own arrays; leaves are multiplied by `factor`."""
        trees, starts = self.trees, self.trees.starts
        ranks = np.zeros(len(trees.feature))
        for feature, known in enumerate(self.thresholds):
            asks = trees.feature == feature
            ranks[asks] = np.searchsorted(known, trees.threshold[asks], side="left")
        leaf = trees.feature < 0
        offset = np.repeat(starts[:-1], np.diff(starts))
        left, right = (np.where(leaf, -1, side - offset) for side in (trees.left, trees.right))
        arrays = {
            "children_left": left,
            "children_right": right,
            "children_default": np.where(trees.missing_left, left, right),
            "features": trees.feature,
            "thresholds": ranks,
            "values": trees.value * factor,
            "node_sample_weight": np.ones(len(leaf)),
        }
        ends = pairwise(starts.tolist())
        return [{name: values[start:end] for name, values in arrays.items()} for start, end in ends]


def is_countable(trees: Trees) -> bool:
    """Say whether the library can number the nodes of each tree, in 16 bits, and count the orders along its paths."""
    if np.diff(trees.starts).max(initial=0) > _MOST_NODES:
        return False
    depth = np.zeros(len(trees.feature), dtype=np.int64)
    inner = np.flatnonzero(trees.feature >= 0)
    for node in inner:  # a child comes after its parent
        depth[trees.left[node]] = depth[trees.right[node]] = depth[node] + 1
    return int(depth.max(initial=0)) <= _MOST_DEPTH


def explain_trees(trees: Trees, factor: float, X: Matrix, background: Matrix) -> tuple[Values, Values]:
    """Compute interventional Shapley values of a sum of trees by the library.

    Returns:
        What each feature adds, shape (rows, features, outputs), and the mean sum of the background, shape (outputs,).
    """
    from shap.explainers import TreeExplainer

    shape = (len(X), X.shape[1], trees.outputs)
    if not trees.count or not len(X):
        return np.zeros(shape), np.zeros(trees.outputs)
    coded = Coded.of(trees, X.shape[1])
    model = {"trees": coded.as_nodes(factor), "input_dtype": np.float64}
    explainer = TreeExplainer(model, data=coded.rows(background), feature_perturbation="interventional")
    values = explainer.shap_values(coded.rows(X), check_additivity=False)
    base = np.atleast_1d(np.asarray(explainer.expected_value, dtype=np.float64))
    return np.asarray(values, dtype=np.float64).reshape(shape), base
