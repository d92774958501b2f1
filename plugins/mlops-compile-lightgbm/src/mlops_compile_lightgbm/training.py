"""LightGBM grows the trees, on most of the training rows, until the loss of the rest stops falling."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from mlops_compile_lightgbm.model import CONFIG, KIND, TEXT, FittedLightGbm, config_of, load_lightgbm
from mlops_compiler.models.adapters.checks import check_training_rows
from mlops_compiler.models.adapters.level_sets import known_of, unknown_as_missing
from mlops_compiler.models.adapters.losses import has_log_link, loss_of
from mlops_compiler.models.adapters.sampling import hold_back_early, rounds_of_all
from mlops_compiler.models.history import TrainingHistory

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from mlops_compiler.ir.domain import Scalar
    from mlops_compiler.models.adapters.losses import Loss
    from mlops_compiler.models.kind import FitOptions, Matrix, Target

_NOT_ITS = ("n_estimators", "early_stopping_rounds", "loss")
"""Parameters that are not passed on as they are."""
_OBJECTIVES = {
    "binary_classification": {"objective": "binary", "metric": "binary_logloss"},
    "multiclass_classification": {"objective": "multiclass", "metric": "multi_logloss"},
}
_LOSSES = {
    "squared_error": {"objective": "regression", "metric": "l2"},
    "poisson": {"objective": "poisson", "metric": "poisson"},
    "gamma": {"objective": "gamma", "metric": "gamma"},
}


def fit_lightgbm(X: Matrix, y: Target, parameters: Mapping[str, Scalar], options: FitOptions) -> FittedLightGbm:
    """Boost; the model is that of the best round."""
    import lightgbm

    check_training_rows(X, y, kind=KIND, options=options, accepts_missing=True)
    known, loss = known_of(X, options.categories), loss_of(parameters, y, options, kind=KIND)
    X = unknown_as_missing(X, known)
    patience = parameters["early_stopping_rounds"]
    learn, held, notes = hold_back_early(KIND, y, options, asked=patience is not None)
    settings = _settings(parameters, options, loss)
    dataset = _dataset(X, y, learn, options, settings)
    held_back = [dataset.create_valid(X[held], y[held], weight=_of(options.weights, held))] if len(held) else []
    losses: dict[str, dict[str, list[float]]] = {}
    stop = [lightgbm.early_stopping(patience, verbose=False)] if held_back else []
    booster = lightgbm.train(
        settings,
        dataset,
        num_boost_round=parameters["n_estimators"],
        valid_sets=[dataset, *held_back],
        valid_names=["training", "validation"][: 1 + len(held_back)],
        callbacks=[lightgbm.record_evaluation(losses), *stop],
    )
    history = _history(losses, parameters, loss, booster.best_iteration)
    best = booster.best_iteration if held_back else -1
    if held_back and options.whole:
        every = _dataset(X, y, np.arange(len(y)), options, settings)
        booster, best = lightgbm.train(settings, every, num_boost_round=rounds_of_all(history.best)), -1
    grown = booster.model_to_string(num_iteration=best)
    text = re.sub(r"\[num_threads: \d+\]", "[num_threads: 0]", grown)  # who computed is no part of a model
    fitted = load_lightgbm({TEXT: text.encode(), CONFIG: config_of(options.task, known, log=has_log_link(loss))}, notes)
    return replace(fitted, history=history)


def _history(
    losses: Mapping[str, Mapping[str, list[float]]], parameters: Mapping[str, Any], loss: Loss | None, best: int
) -> TrainingHistory:
    """Tell the losses of each round; LightGBM's `best` is 0 where nothing stopped it."""
    told = {name: next(iter(series.values())) for name, series in losses.items()}
    rounds = len(told["training"])
    return TrainingHistory(
        unit="round",
        loss=loss or "log_loss",
        training=told["training"],
        validation=told.get("validation", ()),
        learning_rate=[float(parameters["learning_rate"])] * rounds,
        best=best or rounds,
    )


def _settings(parameters: Mapping[str, Scalar], options: FitOptions, loss: Loss | None) -> dict[str, Any]:
    chosen = {name: value for name, value in parameters.items() if name not in _NOT_ITS}
    classes = {"num_class": options.classes} if options.task == "multiclass_classification" else {}
    return {
        **chosen,
        **classes,
        **(_LOSSES[loss] if loss else _OBJECTIVES[options.task]),
        "subsample_freq": 1 if float(chosen["subsample"] or 0) < 1 else 0,
        "seed": options.seed,
        "num_threads": options.threads,
        # The same trees with any number of threads.
        "deterministic": True,
        "force_row_wise": True,
        "verbosity": -1,
        **({"monotone_constraints": list(options.monotone)} if any(options.monotone) else {}),
    }


def _dataset(X: Matrix, y: Target, rows: NDArray[np.int64], options: FitOptions, settings: dict[str, Any]) -> Any:
    import lightgbm

    return lightgbm.Dataset(
        X[rows],
        y[rows],
        weight=_of(options.weights, rows),
        params=settings,
        categorical_feature=[place for place, count in enumerate(options.categories) if count],
        free_raw_data=True,
    )


def _of(weights: NDArray[np.float64] | None, rows: NDArray[np.int64]) -> NDArray[np.float64] | None:
    return None if weights is None else weights[rows]
