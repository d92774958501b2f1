"""Histogram gradient boosting: grown by scikit-learn, kept as arrays."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from mlops_compiler.models.adapters.answers import ScoringModel, linked
from mlops_compiler.models.adapters.checks import check_training_rows
from mlops_compiler.models.adapters.files import corrupt, task_of
from mlops_compiler.models.adapters.sklearn_threads import limited_threads
from mlops_compiler.models.adapters.trees import Trees, dump_trees, load_trees
from mlops_compiler.models.form import TreeSum, linked_scale

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from mlops_compiler.ir.domain import Scalar
    from mlops_compiler.ir.task import Task
    from mlops_compiler.models.kind import FitOptions, Matrix, Target

_KIND = "hist_gradient_boosting"
_HELD_BACK = 0.1
_PATIENCE = 10
_FEWEST_ROWS_TO_HOLD_BACK_FROM = 20


@dataclass(frozen=True, kw_only=True)
class FittedBoosting(ScoringModel):
    """Trees that add, from `baseline` on, to the log-odds of class 1, to those of each class in turn, or to the value.

    Attributes:
        trees: Those of the first output, then those of the second, and so on: as many of each.
        baseline: Where each output starts, shape (outputs,).
    """

    kind: ClassVar[str] = _KIND
    accepts_missing: ClassVar[bool] = True
    task: Task
    trees: Trees
    baseline: NDArray[np.float64]
    width: int
    notes: tuple[str, ...] = ()

    @property
    def features(self) -> int:
        """How many columns it was fitted on."""
        return self.width

    @cached_property
    def _by_output(self) -> tuple[Trees, ...]:
        each = self.trees.count // len(self.baseline)
        return tuple(self.trees.part(start, start + each) for start in range(0, self.trees.count, each or 1))

    def answer(self, X: Matrix) -> Matrix:
        """Add up each output's trees."""
        margins = np.empty((len(X), len(self.baseline)))
        for output, (trees, first) in enumerate(zip(self._by_output, self.baseline.tolist(), strict=True)):
            margins[:, output] = trees.sum_of_leaves(X, first)[:, 0]
        return linked(self.task, margins)

    def form(self) -> TreeSum:
        """Give the trees."""
        return TreeSum(trees=self._by_output, first=self.baseline, scale=linked_scale(self.task))

    def dump(self) -> dict[str, bytes]:
        """Write the trees and the baseline."""
        baseline = self.baseline.tolist()
        return dump_trees(_KIND, self.trees, task=self.task, features=self.width, baseline=baseline)


def fit_boosting(X: Matrix, y: Target, parameters: Mapping[str, Scalar], options: FitOptions) -> FittedBoosting:
    """Boost until the loss of the rows held back stops falling."""
    import sklearn
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

    check_training_rows(X, y, kind=_KIND, options=options, accepts_missing=True)
    stop_early, notes = _early_stopping(y, options.task, asked=bool(parameters["early_stopping"]))
    chosen = HistGradientBoostingRegressor if options.task == "regression" else HistGradientBoostingClassifier
    estimator = chosen(
        **{**parameters, "early_stopping": stop_early},
        validation_fraction=_HELD_BACK,
        n_iter_no_change=_PATIENCE,
        categorical_features=None,
        random_state=options.seed,
    )
    with sklearn.config_context(assume_finite=True), limited_threads(options.threads):
        estimator.fit(X, y, sample_weight=options.weights)
    rounds = estimator._predictors  # noqa: SLF001 - no public way
    by_output = zip(*rounds, strict=True)
    trees = Trees.join([_nodes(tree.nodes) for output in by_output for tree in output])
    baseline = np.asarray(estimator._baseline_prediction, dtype=np.float64).reshape(-1)  # noqa: SLF001
    return FittedBoosting(task=options.task, trees=trees, baseline=baseline, width=X.shape[1], notes=notes)


def _early_stopping(y: Target, task: Task, *, asked: bool) -> tuple[bool, tuple[str, ...]]:
    """Hold rows back only where some of each class would be among them."""
    if not asked:
        return False, ()
    if len(y) >= _FEWEST_ROWS_TO_HOLD_BACK_FROM and (task == "regression" or np.bincount(y.astype(int)).min() > 1):
        return True, ()
    return False, (f"{_KIND} held no rows back to stop early: {len(y)} rows are too few",)


def _nodes(nodes: NDArray[Any]) -> dict[str, NDArray[Any]]:
    leaf = nodes["is_leaf"].astype(np.bool_)
    return {
        "feature": np.where(leaf, -1, nodes["feature_idx"]),
        "threshold": nodes["num_threshold"],
        "left": nodes["left"],
        "right": nodes["right"],
        "missing_left": nodes["missing_go_to_left"],
        "value": nodes["value"],
    }


def load_boosting(files: Mapping[str, bytes]) -> FittedBoosting:
    """Read the trees and the baseline.

    Raises:
        EngineError: The files are no such model.
    """
    trees, config = load_trees(_KIND, files)
    task, baseline = task_of(_KIND, config), config.get("baseline")
    if not isinstance(baseline, list) or not all(isinstance(item, float) for item in baseline):
        raise corrupt(_KIND, "it has no baseline")
    fits = len(baseline) > 1 if task == "multiclass_classification" else len(baseline) == 1
    if not fits or trees.outputs != 1 or trees.count % len(baseline):
        raise corrupt(_KIND, "its trees do not answer its task")
    return FittedBoosting(task=task, trees=trees, baseline=np.array(baseline), width=config["features"])
