"""Histogram gradient boosting: grown by scikit-learn, kept as arrays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from mlops_compiler.models.adapters.boosted import BoostedTrees, boosted
from mlops_compiler.models.adapters.checks import check_training_rows
from mlops_compiler.models.adapters.files import corrupt
from mlops_compiler.models.adapters.level_sets import BITS, WORDS, known_of, said_of, set_of, unknown_as_missing
from mlops_compiler.models.adapters.losses import has_log_link, loss_of, said_of_link
from mlops_compiler.models.adapters.sampling import HELD_BACK, enough_to_hold_back, held_nothing_back, rounds_of_all
from mlops_compiler.models.adapters.sklearn_threads import limited_threads
from mlops_compiler.models.adapters.trees import Trees, dump_trees, load_trees
from mlops_compiler.models.history import TrainingHistory

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from mlops_compiler.ir.domain import Scalar
    from mlops_compiler.models.adapters.losses import Loss
    from mlops_compiler.models.kind import FitOptions, Matrix, Target

_KIND = "hist_gradient_boosting"
_PATIENCE = 10
_NOT_ITS = ("early_stopping", "max_cat_to_onehot", "loss")
"""Parameters that are not passed on as they are."""


@dataclass(frozen=True, kw_only=True)
class FittedBoosting(BoostedTrees):
    """Trees of scikit-learn's histogram boosting."""

    kind: ClassVar[str] = _KIND

    def dump(self) -> dict[str, bytes]:
        """Write the trees and the baseline."""
        baseline = self.baseline.tolist()
        said = {**said_of(self.known), **said_of_link(self.log)}
        settings = {"task": self.task, "features": self.width, "baseline": baseline, **said}
        return dump_trees(_KIND, self.trees, **settings)


def fit_boosting(X: Matrix, y: Target, parameters: Mapping[str, Scalar], options: FitOptions) -> FittedBoosting:
    """Boost until the loss of the rows held back stops falling."""
    import sklearn
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

    check_training_rows(X, y, kind=_KIND, options=options, accepts_missing=True)
    known, loss = known_of(X, options.categories), loss_of(parameters, y, options, kind=_KIND)
    asked = bool(parameters["early_stopping"])
    stop_early = asked and enough_to_hold_back(y, options)
    notes = held_nothing_back(_KIND, len(y)) if asked and not stop_early else ()
    chosen = HistGradientBoostingRegressor if options.task == "regression" else HistGradientBoostingClassifier
    settings = {
        **{name: value for name, value in parameters.items() if name not in _NOT_ITS},
        "validation_fraction": HELD_BACK,
        "n_iter_no_change": _PATIENCE,
        "categorical_features": np.array(options.categories) > 0 if any(options.categories) else None,
        "monotonic_cst": list(options.monotone) or None,
        "random_state": options.seed,
        **({"loss": loss} if loss else {}),
    }
    rows = unknown_as_missing(X, known)
    with sklearn.config_context(assume_finite=True), limited_threads(options.threads):
        estimator = chosen(**settings, early_stopping=stop_early).fit(rows, y, sample_weight=options.weights)
        history = _history(estimator, loss) if stop_early else None
        if stop_early and options.whole:
            settings["max_iter"] = rounds_of_all(int(estimator.n_iter_))
            estimator = chosen(**settings, early_stopping=False).fit(rows, y, sample_weight=options.weights)
    rounds = estimator._predictors  # noqa: SLF001 - no public way
    by_output = zip(*rounds, strict=True)
    order = _Order.of(rows, options.categories)
    trees = Trees.join([order.nodes(tree) for output in by_output for tree in output])
    baseline = np.asarray(estimator._baseline_prediction, dtype=np.float64).reshape(-1)  # noqa: SLF001
    return FittedBoosting(
        task=options.task,
        trees=trees,
        baseline=baseline,
        width=X.shape[1],
        known=known,
        log=has_log_link(loss),
        notes=notes,
        history=history,
    )


def _history(estimator: Any, loss: Loss | None) -> TrainingHistory:
    """Tell the losses of each round; scikit-learn gives them with the sign turned, from before the first round on."""
    factor = -2.0 if loss == "squared_error" else -1.0  # its squared error is half of it
    rate, rounds = float(estimator.learning_rate), int(estimator.n_iter_)
    return TrainingHistory(
        unit="round",
        loss=loss or "log_loss",
        training=(factor * estimator.train_score_[1:]).tolist(),
        validation=(factor * estimator.validation_score_[1:]).tolist(),
        learning_rate=[rate] * rounds,
        best=rounds,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Order:
    """How scikit-learn numbers columns and levels: categories first, and of their levels those that there are.

    Attributes:
        columns: The column that each of its own is.
        levels: For each of its own columns the levels that it has, in order; empty of a number.
    """

    columns: NDArray[np.int64]
    levels: tuple[NDArray[np.int64], ...]

    @classmethod
    def of(cls, X: Matrix, categories: Sequence[int]) -> _Order:
        counts = np.array(categories or (0,) * X.shape[1])
        columns = np.concatenate([np.flatnonzero(counts > 0), np.flatnonzero(counts == 0)])
        none = np.zeros(0, dtype=np.int64)
        present = (np.unique(column[~np.isnan(column)]).astype(np.int64) for column in X.T[counts > 0])
        return cls(columns=columns, levels=(*present, *(none for _ in range(int((counts == 0).sum())))))

    def nodes(self, tree: Any) -> dict[str, NDArray[Any]]:
        """Give the nodes of a tree, with columns and levels as the design matrix has them."""
        nodes = tree.nodes
        leaf, by_level = nodes["is_leaf"].astype(np.bool_), nodes["is_categorical"].astype(np.bool_)
        sets = [
            set_of(self._present(tree.raw_left_cat_bitsets[node["bitset_idx"]], node["feature_idx"]))
            for node in nodes[by_level]
        ]
        return {
            "feature": np.where(leaf, -1, self.columns[nodes["feature_idx"]]),
            "threshold": nodes["num_threshold"],
            "left": nodes["left"],
            "right": nodes["right"],
            "missing_left": nodes["missing_go_to_left"],
            "value": nodes["value"],
            "chooses": np.where(by_level, np.cumsum(by_level) - 1, -1),
            "sets": np.array(sets, dtype=np.uint32).reshape(-1, WORDS),
        }

    def _present(self, words: NDArray[np.uint32], column: int) -> list[int]:
        places = [place for place in range(len(self.levels[column])) if words[place // BITS] >> (place % BITS) & 1]
        return [int(level) for level in self.levels[column][places]]


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
