"""A random forest: grown by scikit-learn, kept as arrays, scored on rows rounded to float32 as at the fit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from mlops_compiler.models.adapters.binary import BinaryModel
from mlops_compiler.models.adapters.checks import check_training_rows
from mlops_compiler.models.adapters.sklearn_threads import limited_threads
from mlops_compiler.models.adapters.trees import Trees, dump_trees, load_trees

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from mlops_compiler.ir.domain import Scalar
    from mlops_compiler.models.kind import FitOptions, Labels, Matrix

_KIND = "random_forest"


@dataclass(frozen=True, slots=True, kw_only=True)
class FittedForest(BinaryModel):
    """Trees of which each leaf holds the frequency of class 1 among its rows."""

    kind: ClassVar[str] = _KIND
    trees: Trees
    width: int

    @property
    def features(self) -> int:
        """How many columns it was fitted on."""
        return self.width

    def positive(self, X: Matrix) -> NDArray[np.float64]:
        """Average the frequencies of a row's leaves."""
        with np.errstate(over="ignore"):  # beyond float32 is beyond every threshold
            rounded = X.astype(np.float32).astype(np.float64)
        return self.trees.sum_of_leaves(rounded) / (len(self.trees.starts) - 1)

    def dump(self) -> dict[str, bytes]:
        """Write the trees."""
        return dump_trees(_KIND, self.trees, features=self.width)


def fit_forest(X: Matrix, y: Labels, parameters: Mapping[str, Scalar], options: FitOptions) -> FittedForest:
    """Grow the trees, `options.threads` at a time; each has its own seed, so that threads change nothing."""
    import sklearn
    from sklearn.ensemble import RandomForestClassifier

    check_training_rows(X, y, kind=_KIND)
    estimator = RandomForestClassifier(
        n_estimators=parameters["n_estimators"],
        max_features=_share(parameters["max_features"]),
        min_samples_leaf=parameters["min_samples_leaf"],
        max_depth=parameters["max_depth"],
        random_state=options.seed,
        n_jobs=options.threads,
    )
    with sklearn.config_context(assume_finite=True), limited_threads(options.threads):
        estimator.fit(X, y, sample_weight=options.weights)
    return FittedForest(trees=Trees.join([_nodes(tree.tree_) for tree in estimator]), width=X.shape[1])


def _share(value: Scalar) -> Scalar:
    """Keep a share a float: scikit-learn takes 1 for one column, and 1.0 for all of them."""
    return value if isinstance(value, str) or value is None else float(value)


def _nodes(tree: Any) -> dict[str, NDArray[Any]]:
    return {
        "feature": np.where(tree.children_left < 0, -1, tree.feature),
        "threshold": tree.threshold,
        "left": tree.children_left,
        "right": tree.children_right,
        "missing_left": np.zeros(tree.node_count, dtype=np.bool_),
        "value": tree.value[:, 0, 1],
    }


def load_forest(files: Mapping[str, bytes]) -> FittedForest:
    """Read the trees.

    Raises:
        EngineError: The files are no such model.
    """
    trees, config = load_trees(_KIND, files)
    return FittedForest(trees=trees, width=config["features"])
