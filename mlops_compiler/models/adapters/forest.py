"""Trees and forests: grown by scikit-learn, kept as arrays, scored on rows rounded to float32 as at the fit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from mlops_compiler.models.adapters.answers import ScoringModel
from mlops_compiler.models.adapters.checks import check_training_rows
from mlops_compiler.models.adapters.files import corrupt, task_of
from mlops_compiler.models.adapters.sklearn_threads import limited_threads
from mlops_compiler.models.adapters.trees import Trees, dump_trees, load_trees
from mlops_compiler.models.form import TreeSum, averaged_scale

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from mlops_compiler.ir.domain import Scalar
    from mlops_compiler.ir.task import Task
    from mlops_compiler.models.kind import FitOptions, Matrix, Target


@dataclass(frozen=True, slots=True, kw_only=True)
class FittedForest(ScoringModel):
    """Trees of which each leaf holds the frequencies of the classes among its rows, or the mean of their values."""

    kind: ClassVar[str] = "random_forest"
    accepts_missing: ClassVar[bool] = True
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

    def form(self) -> TreeSum:
        """Give the trees."""
        return TreeSum(
            trees=(self.trees,),
            first=np.zeros(self.trees.outputs),
            factor=1 / self.trees.count,
            scale=averaged_scale(self.task),
            rounds=True,
        )

    def dump(self) -> dict[str, bytes]:
        """Write the trees."""
        return dump_trees(self.kind, self.trees, task=self.task, features=self.width)


class FittedExtraTrees(FittedForest):
    """Trees whose thresholds were drawn."""

    __slots__ = ()
    kind = "extra_trees"


class FittedTree(FittedForest):
    """One tree."""

    __slots__ = ()
    kind = "decision_tree"


def fit_forest(X: Matrix, y: Target, parameters: Mapping[str, Scalar], options: FitOptions) -> FittedForest:
    """Grow trees on resampled rows, some at a time; each has its own seed, so that threads change nothing."""
    from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

    chosen = RandomForestRegressor if options.task == "regression" else RandomForestClassifier
    return _grown(FittedForest, chosen(n_jobs=options.threads, **_settings(parameters, options)), X, y, options)


def fit_extra_trees(X: Matrix, y: Target, parameters: Mapping[str, Scalar], options: FitOptions) -> FittedForest:
    """Grow trees on all rows with thresholds that are drawn, likewise."""
    from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor

    chosen = ExtraTreesRegressor if options.task == "regression" else ExtraTreesClassifier
    return _grown(FittedExtraTrees, chosen(n_jobs=options.threads, **_settings(parameters, options)), X, y, options)


def fit_tree(X: Matrix, y: Target, parameters: Mapping[str, Scalar], options: FitOptions) -> FittedForest:
    """Grow one tree; the seed decides between splits that are equally good."""
    from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

    chosen = DecisionTreeRegressor if options.task == "regression" else DecisionTreeClassifier
    return _grown(FittedTree, chosen(**_settings(parameters, options)), X, y, options)


def _settings(parameters: Mapping[str, Scalar], options: FitOptions) -> dict[str, Any]:
    """Name the settings of an estimator; a share stays a float: scikit-learn takes 1 for one column, 1.0 for all."""
    share = parameters.get("max_features")
    shares = {} if share is None else {"max_features": share if isinstance(share, str) else float(share)}
    held = list(options.monotone) if any(options.monotone) else None
    return {**parameters, **shares, "random_state": options.seed, "monotonic_cst": held}


def _grown(model: type[FittedForest], estimator: Any, X: Matrix, y: Target, options: FitOptions) -> FittedForest:
    import sklearn

    check_training_rows(X, y, kind=model.kind, options=options, accepts_missing=True)
    with sklearn.config_context(assume_finite=True), limited_threads(options.threads):
        estimator.fit(X, y, sample_weight=options.weights)
    grown = estimator.estimators_ if hasattr(estimator, "estimators_") else [estimator]
    trees = Trees.join([_nodes(tree.tree_, options.task) for tree in grown])
    return model(task=options.task, trees=trees, width=X.shape[1])


def _nodes(tree: Any, task: Task) -> dict[str, NDArray[Any]]:
    value = tree.value[:, 0, 1:] if task == "binary_classification" else tree.value[:, 0, :]
    return {
        "feature": np.where(tree.children_left < 0, -1, tree.feature),
        "threshold": tree.threshold,
        "left": tree.children_left,
        "right": tree.children_right,
        "missing_left": tree.missing_go_to_left.astype(np.bool_),
        "value": value,
    }


def load_forest(files: Mapping[str, bytes], model: type[FittedForest] = FittedForest) -> FittedForest:
    """Read the trees of a kind.

    Raises:
        EngineError: The files are no such model.
    """
    trees, config = load_trees(model.kind, files)
    task = task_of(model.kind, config)
    fits = trees.outputs > 1 if task == "multiclass_classification" else trees.outputs == 1
    if trees.count == 0 or not fits:
        raise corrupt(model.kind, "its leaves do not answer its task")
    return model(task=task, trees=trees, width=config["features"])
