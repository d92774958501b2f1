"""A random forest: grown by scikit-learn, kept as arrays, scored on rows rounded to float32 as at the fit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from mlops_compiler.models.adapters.answers import ScoringModel
from mlops_compiler.models.adapters.checks import check_training_rows
from mlops_compiler.models.adapters.files import corrupt, task_of
from mlops_compiler.models.adapters.sklearn_threads import limited_threads
from mlops_compiler.models.adapters.trees import Trees, dump_trees, load_trees

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from mlops_compiler.ir.domain import Scalar
    from mlops_compiler.ir.task import Task
    from mlops_compiler.models.kind import FitOptions, Matrix, Target

_KIND = "random_forest"


@dataclass(frozen=True, slots=True, kw_only=True)
class FittedForest(ScoringModel):
    """Trees of which each leaf holds the frequencies of the classes among its rows, or the mean of their values."""

    kind: ClassVar[str] = _KIND
    task: Task
    trees: Trees
    width: int

    @property
    def features(self) -> int:
        """How many columns it was fitted on."""
        return self.width

    def answer(self, X: Matrix) -> Matrix:
        """Average a row's leaves."""
        with np.errstate(over="ignore"):  # beyond float32 is beyond every threshold
            rounded = X.astype(np.float32).astype(np.float64)
        mean: Matrix = self.trees.sum_of_leaves(rounded) / self.trees.count
        return mean

    def dump(self) -> dict[str, bytes]:
        """Write the trees."""
        return dump_trees(_KIND, self.trees, task=self.task, features=self.width)


def fit_forest(X: Matrix, y: Target, parameters: Mapping[str, Scalar], options: FitOptions) -> FittedForest:
    """Grow the trees, `options.threads` at a time; each has its own seed, so that threads change nothing."""
    import sklearn
    from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

    check_training_rows(X, y, kind=_KIND, options=options)
    chosen = RandomForestRegressor if options.task == "regression" else RandomForestClassifier
    estimator = chosen(
        n_estimators=parameters["n_estimators"],
        max_features=_share(parameters["max_features"]),
        min_samples_leaf=parameters["min_samples_leaf"],
        max_depth=parameters["max_depth"],
        random_state=options.seed,
        n_jobs=options.threads,
    )
    with sklearn.config_context(assume_finite=True), limited_threads(options.threads):
        estimator.fit(X, y, sample_weight=options.weights)
    trees = Trees.join([_nodes(tree.tree_, options.task) for tree in estimator])
    return FittedForest(task=options.task, trees=trees, width=X.shape[1])


def _share(value: Scalar) -> Scalar:
    """Keep a share a float: scikit-learn takes 1 for one column, and 1.0 for all of them."""
    return value if isinstance(value, str) or value is None else float(value)


def _nodes(tree: Any, task: Task) -> dict[str, NDArray[Any]]:
    value = tree.value[:, 0, 1:] if task == "binary_classification" else tree.value[:, 0, :]
    return {
        "feature": np.where(tree.children_left < 0, -1, tree.feature),
        "threshold": tree.threshold,
        "left": tree.children_left,
        "right": tree.children_right,
        "missing_left": np.zeros(tree.node_count, dtype=np.bool_),
        "value": value,
    }


def load_forest(files: Mapping[str, bytes]) -> FittedForest:
    """Read the trees.

    Raises:
        EngineError: The files are no such model.
    """
    trees, config = load_trees(_KIND, files)
    task = task_of(_KIND, config)
    fits = trees.outputs > 1 if task == "multiclass_classification" else trees.outputs == 1
    if trees.count == 0 or not fits:
        raise corrupt(_KIND, "its leaves do not answer its task")
    return FittedForest(task=task, trees=trees, width=config["features"])
