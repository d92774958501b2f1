"""XGBoost grows the trees, on most of the training rows, until the loss of the rest stops falling."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from mlops_compile_xgboost.model import CONFIG, KIND, TEXT, FittedXgBoost, as_float32, config_of, load_xgboost
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
    "binary_classification": {"objective": "binary:logistic", "eval_metric": "logloss"},
    "multiclass_classification": {"objective": "multi:softprob", "eval_metric": "mlogloss"},
}
_LOSSES = {
    "squared_error": {"objective": "reg:squarederror", "eval_metric": "rmse"},
    "poisson": {"objective": "count:poisson", "eval_metric": "poisson-nloglik"},
    "gamma": {"objective": "reg:gamma", "eval_metric": "gamma-nloglik"},
}


def fit_xgboost(X: Matrix, y: Target, parameters: Mapping[str, Scalar], options: FitOptions) -> FittedXgBoost:
    """Boost; the model is that of the best round."""
    import xgboost

    check_training_rows(X, y, kind=KIND, options=options, accepts_missing=True)
    known, loss = known_of(X, options.categories), loss_of(parameters, y, options, kind=KIND)
    X = unknown_as_missing(X, known)
    patience = parameters["early_stopping_rounds"]
    learn, held, notes = hold_back_early(KIND, y, options, asked=patience is not None)
    taught, losses = _rows(X, y, learn, options), dict[str, dict[str, list[float]]]()
    held_back = [(_rows(X, y, held, options), "validation")] if len(held) else []  # the last one tells when to stop
    settings = _settings(parameters, options, loss)
    booster = xgboost.train(
        settings,
        taught,
        num_boost_round=parameters["n_estimators"],
        evals=[(taught, "training"), *held_back],
        evals_result=losses,
        early_stopping_rounds=patience if len(held) else None,
        verbose_eval=False,
    )
    best = booster[: booster.best_iteration + 1] if len(held) else booster
    history = _history(losses, parameters, loss, best.num_boosted_rounds())
    if len(held) and options.whole:
        every = _rows(X, y, np.arange(len(y)), options)
        best = xgboost.train(settings, every, num_boost_round=rounds_of_all(history.best))
    files = {TEXT: bytes(best.save_raw("json")), CONFIG: config_of(options.task, known, log=has_log_link(loss))}
    fitted = load_xgboost(files, notes)
    return replace(fitted, history=history)


def _history(
    losses: Mapping[str, Mapping[str, list[float]]], parameters: Mapping[str, Any], loss: Loss | None, best: int
) -> TrainingHistory:
    """Tell the losses of each round; XGBoost gives the root of squared errors."""
    told = {name: next(iter(series.values())) for name, series in losses.items()}
    told = {name: [value**2 if loss == "squared_error" else value for value in series] for name, series in told.items()}
    return TrainingHistory(
        unit="round",
        loss=loss or "log_loss",
        training=told["training"],
        validation=told.get("validation", ()),
        learning_rate=[float(parameters["learning_rate"])] * len(told["training"]),
        best=best,
    )


def _settings(parameters: Mapping[str, Scalar], options: FitOptions, loss: Loss | None) -> dict[str, Any]:
    chosen = {name: value for name, value in parameters.items() if name not in _NOT_ITS}
    classes = {"num_class": options.classes} if options.task == "multiclass_classification" else {}
    return {
        **chosen,
        **classes,
        **(_LOSSES[loss] if loss else _OBJECTIVES[options.task]),
        "tree_method": "hist",
        "seed": options.seed,
        "nthread": options.threads,
        "verbosity": 0,
        **({"monotone_constraints": options.monotone} if any(options.monotone) else {}),
    }


def _rows(X: Matrix, y: Target, rows: NDArray[np.int64], options: FitOptions) -> Any:
    import xgboost

    weights = None if options.weights is None else options.weights[rows]
    types = {"feature_types": ["c" if count else "q" for count in options.categories], "enable_categorical": True}
    return xgboost.DMatrix(
        as_float32(X[rows]),
        y[rows],
        weight=weights,
        missing=np.nan,
        nthread=options.threads,
        **(types if any(options.categories) else {}),
    )
