"""Histogram gradient boosting: grown by scikit-learn, kept as arrays."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from mlops_compiler.models.adapters.boosted import BoostedTrees, boosted
from mlops_compiler.models.adapters.checks import check_training_rows
from mlops_compiler.models.adapters.files import corrupt
from mlops_compiler.models.adapters.sampling import HELD_BACK, enough_to_hold_back, held_nothing_back
from mlops_compiler.models.adapters.sklearn_threads import limited_threads
from mlops_compiler.models.adapters.trees import Trees, dump_trees, load_trees
from mlops_compiler.models.history import TrainingHistory

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from mlops_compiler.ir.domain import Scalar
    from mlops_compiler.models.kind import FitOptions, Matrix, Target

_KIND = "hist_gradient_boosting"
_PATIENCE = 10


@dataclass(frozen=True, kw_only=True)
class FittedBoosting(BoostedTrees):
    """Trees of scikit-learn's histogram boosting."""

    kind: ClassVar[str] = _KIND

    def dump(self) -> dict[str, bytes]:
        """Write the trees and the baseline."""
        baseline = self.baseline.tolist()
        return dump_trees(_KIND, self.trees, task=self.task, features=self.width, baseline=baseline)


def fit_boosting(X: Matrix, y: Target, parameters: Mapping[str, Scalar], options: FitOptions) -> FittedBoosting:
    """Boost until the loss of the rows held back stops falling."""
    import sklearn
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

    check_training_rows(X, y, kind=_KIND, options=options, accepts_missing=True)
    asked = bool(parameters["early_stopping"])
    stop_early = asked and enough_to_hold_back(y, options)
    notes = held_nothing_back(_KIND, len(y)) if asked and not stop_early else ()
    chosen = HistGradientBoostingRegressor if options.task == "regression" else HistGradientBoostingClassifier
    estimator = chosen(
        **{**parameters, "early_stopping": stop_early},
        validation_fraction=HELD_BACK,
        n_iter_no_change=_PATIENCE,
        categorical_features=None,
        monotonic_cst=list(options.monotone) or None,
        random_state=options.seed,
    )
    with sklearn.config_context(assume_finite=True), limited_threads(options.threads):
        estimator.fit(X, y, sample_weight=options.weights)
    rounds = estimator._predictors  # noqa: SLF001 - no public way
    by_output = zip(*rounds, strict=True)
    trees = Trees.join([_nodes(tree.nodes) for output in by_output for tree in output])
    baseline = np.asarray(estimator._baseline_prediction, dtype=np.float64).reshape(-1)  # noqa: SLF001
    fitted = FittedBoosting(task=options.task, trees=trees, baseline=baseline, width=X.shape[1], notes=notes)
    return replace(fitted, history=_history(estimator, options)) if stop_early else fitted


def _history(estimator: Any, options: FitOptions) -> TrainingHistory:
    """Tell the losses of each round; scikit-learn gives them with the sign turned, from before the first round on."""
    values = options.task == "regression"
    factor = -2.0 if values else -1.0  # its squared error is half of it
    rate, rounds = float(estimator.learning_rate), int(estimator.n_iter_)
    return TrainingHistory(
        unit="round",
        loss="squared_error" if values else "log_loss",
        training=(factor * estimator.train_score_[1:]).tolist(),
        validation=(factor * estimator.validation_score_[1:]).tolist(),
        learning_rate=[rate] * rounds,
        best=rounds,
    )


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
    baseline = config.get("baseline")
    if not isinstance(baseline, list) or not all(isinstance(item, float) for item in baseline):
        raise corrupt(_KIND, "it has no baseline")
    checked = boosted(_KIND, config, trees=trees, baseline=np.array(baseline), width=config["features"])
    return FittedBoosting(**checked)
