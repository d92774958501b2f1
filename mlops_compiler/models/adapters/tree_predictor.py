"""Many rows go through scikit-learn's compiled predictor, tree by tree; the bits are those of numpy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from mlops_compiler.models.adapters.trees import Trees
    from mlops_compiler.models.kind import Matrix


def sum_by_tree(trees: Trees, X: Matrix, first: float) -> Matrix:
    """Add the leaves of one tree after the other, for all rows; shape (rows, outputs)."""
    rows = np.ascontiguousarray(X, dtype=np.float64)
    every_level = np.full((1, 8), 2**32 - 1, dtype=np.uint32)  # what is not known is NaN by now
    of_column = np.zeros(rows.shape[1], dtype=np.uint32)
    total = np.full((len(rows), trees.outputs), first)
    for predictor in _predictors(trees):
        leaf: NDArray[np.float64] = predictor.predict(rows, every_level, of_column, 1)
        total += trees.value[leaf.astype(np.int64)]
    return total


def _predictors(trees: Trees) -> Iterator[Any]:
    """Give a predictor of each tree that answers with the number of a row's leaf."""
    from sklearn.ensemble._hist_gradient_boosting.common import PREDICTOR_RECORD_DTYPE
    from sklearn.ensemble._hist_gradient_boosting.predictor import TreePredictor

    sets = np.zeros((0, 8), dtype=np.uint32) if trees.sets is None else trees.sets
    nodes = np.zeros(len(trees.feature), dtype=PREDICTOR_RECORD_DTYPE)
    tree_start = np.repeat(trees.starts[:-1], np.diff(trees.starts))
    nodes["feature_idx"] = np.maximum(trees.feature, 0)
    nodes["is_leaf"] = trees.feature < 0
    nodes["num_threshold"] = trees.threshold
    nodes["missing_go_to_left"] = trees.missing_left
    nodes["left"] = trees.left - tree_start
    nodes["right"] = trees.right - tree_start
    nodes["value"] = np.arange(len(nodes))
    if trees.chooses is not None:
        nodes["is_categorical"] = trees.chooses >= 0
        nodes["bitset_idx"] = np.maximum(trees.chooses, 0)
    for start, end in zip(trees.starts[:-1], trees.starts[1:], strict=True):
        yield TreePredictor(nodes[start:end], sets, sets)
