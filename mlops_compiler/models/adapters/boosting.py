"""Histogram gradient boosting: grown by scikit-learn, kept as arrays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from mlops_compiler.models.adapters.binary import BinaryModel, sigmoid
from mlops_compiler.models.adapters.checks import check_training_rows
from mlops_compiler.models.adapters.files import corrupt
from mlops_compiler.models.adapters.sklearn_threads import limited_threads
from mlops_compiler.models.adapters.trees import Trees, dump_trees, load_trees

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from mlops_compiler.ir.domain import Scalar
    from mlops_compiler.models.kind import FitOptions, Labels, Matrix

_KIND = "hist_gradient_boosting"
_HELD_BACK = 0.1
_PATIENCE = 10
_FEWEST_ROWS_TO_HOLD_BACK_FROM = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class FittedBoosting(BinaryModel):
    """Trees that add to the log-odds of class 1, from `baseline` on."""

    kind: ClassVar[str] = _KIND
    accepts_missing: ClassVar[bool] = True
    trees: Trees
    baseline: float
    width: int
    notes: tuple[str, ...] = ()

    @property
    def features(self) -> int:
        """How many columns it was fitted on."""
        return self.width

    def positive(self, X: Matrix) -> NDArray[np.float64]:
        """Give the probability of class 1."""
        return sigmoid(self.trees.sum_of_leaves(X, self.baseline))

    def dump(self) -> dict[str, bytes]:
        """Write the trees and the baseline."""
        return dump_trees(_KIND, self.trees, features=self.width, baseline=self.baseline)


def fit_boosting(X: Matrix, y: Labels, parameters: Mapping[str, Scalar], options: FitOptions) -> FittedBoosting:
    """Boost until the loss of the rows held back stops falling."""
    import sklearn
    from sklearn.ensemble import HistGradientBoostingClassifier

    check_training_rows(X, y, kind=_KIND, accepts_missing=True)
    stop_early, notes = _early_stopping(y, asked=bool(parameters["early_stopping"]))
    estimator = HistGradientBoostingClassifier(
        **{**parameters, "early_stopping": stop_early},
        validation_fraction=_HELD_BACK,
        n_iter_no_change=_PATIENCE,
        categorical_features=None,
        random_state=options.seed,
    )
    with sklearn.config_context(assume_finite=True), limited_threads(options.threads):
        estimator.fit(X, y, sample_weight=options.weights)
    trees = Trees.join([_nodes(trees[0].nodes) for trees in estimator._predictors])  # noqa: SLF001 - no public way
    baseline = float(estimator._baseline_prediction[0, 0])  # noqa: SLF001
    return FittedBoosting(trees=trees, baseline=baseline, width=X.shape[1], notes=notes)


def _early_stopping(y: Labels, *, asked: bool) -> tuple[bool, tuple[str, ...]]:
    """Hold rows back only where some of each class would be among them."""
    if not asked:
        return False, ()
    if len(y) >= _FEWEST_ROWS_TO_HOLD_BACK_FROM and np.bincount(y).min() > 1:
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
    if not isinstance(config.get("baseline"), float):
        raise corrupt(_KIND, "it has no baseline")
    return FittedBoosting(trees=trees, baseline=config["baseline"], width=config["features"])
