"""An isolation forest: grown by scikit-learn, kept as arrays whose leaves hold how deep they lie.

A row's score is that of the paper, 2^(-mean depth / expected depth): near 1 for what is split off at once, and below
one half for what lies among others.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from mlops_compiler.models.adapters.answers import ScoringModel
from mlops_compiler.models.adapters.clusters import check_rows_to_group
from mlops_compiler.models.adapters.files import corrupt
from mlops_compiler.models.adapters.sklearn_threads import limited_threads
from mlops_compiler.models.adapters.trees import Trees, dump_trees, load_trees

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from mlops_compiler.ir.domain import Scalar
    from mlops_compiler.ir.task import Task
    from mlops_compiler.models.kind import FitOptions, Matrix

_KIND = "isolation_forest"


@dataclass(frozen=True, slots=True, kw_only=True)
class FittedIsolation(ScoringModel):
    """Trees of which each leaf holds its depth, as a share of what is expected."""

    kind: ClassVar[str] = _KIND
    task: Task = "anomaly_detection"
    trees: Trees
    width: int

    @property
    def features(self) -> int:
        """How many columns it was fitted on."""
        return self.width

    def answer(self, X: Matrix) -> Matrix:
        """Average the depths of a row's leaves."""
        with np.errstate(over="ignore"):  # beyond float32 is beyond every threshold
            rounded = X.astype(np.float32).astype(np.float64)
        score: Matrix = np.exp2(-(self.trees.sum_of_leaves(rounded) / self.trees.count))
        return score

    def dump(self) -> dict[str, bytes]:
        """Write the trees."""
        return dump_trees(_KIND, self.trees, features=self.width)


def fit_isolation(X: Matrix, parameters: Mapping[str, Scalar], options: FitOptions) -> FittedIsolation:
    """Grow the trees, each on a few rows, by splits at random; each has its own seed: threads change nothing."""
    import sklearn
    from sklearn.ensemble import IsolationForest

    check_rows_to_group(X, kind=_KIND, fewest=2)
    drawn = min(int(parameters["max_samples"]), len(X))  # type: ignore[arg-type]
    estimator = IsolationForest(
        n_estimators=parameters["n_estimators"],
        max_samples=drawn,
        random_state=options.seed,
        n_jobs=options.threads,
    )
    with sklearn.config_context(assume_finite=True), limited_threads(options.threads):
        estimator.fit(X, sample_weight=options.weights)
    expected = float(_path_length(np.array([drawn]))[0])
    trees = Trees.join([_nodes(tree.tree_, max(expected, 1e-12)) for tree in estimator.estimators_])
    return FittedIsolation(trees=trees, width=X.shape[1])


def _nodes(tree: Any, expected: float) -> dict[str, NDArray[Any]]:
    depth = np.zeros(tree.node_count)
    for node in range(tree.node_count):  # a parent stands before its children
        for child in (tree.children_left[node], tree.children_right[node]):
            if child >= 0:
                depth[child] = depth[node] + 1
    return {
        "feature": np.where(tree.children_left < 0, -1, tree.feature),
        "threshold": tree.threshold,
        "left": tree.children_left,
        "right": tree.children_right,
        "missing_left": np.zeros(tree.node_count, dtype=np.bool_),
        "value": (depth + _path_length(tree.n_node_samples)) / expected,
    }


def _path_length(rows: NDArray[np.integer]) -> NDArray[np.float64]:
    """Give the mean depth of an unsuccessful search in a binary tree of so many rows (Liu et al., 2008, equation 1)."""
    count = np.maximum(rows.astype(np.float64), 2.0)
    length = 2.0 * (np.log(np.maximum(count - 1.0, 1.0)) + np.euler_gamma) - 2.0 * (count - 1.0) / count
    return np.where(rows <= 1, 0.0, np.where(rows == 2, 1.0, length))  # noqa: PLR2004 - one split parts two rows


def load_isolation(files: Mapping[str, bytes]) -> FittedIsolation:
    """Read the trees.

    Raises:
        EngineError: The files are no such model.
    """
    trees, config = load_trees(_KIND, files)
    if trees.count == 0 or trees.outputs != 1 or not (trees.value >= 0).all():
        raise corrupt(_KIND, "its leaves hold no depths")
    return FittedIsolation(trees=trees, width=config["features"])
