"""A search as it is written by hand with Ray Tune: LightGBM, TPE, trials that end early, until time is up."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
import pandas as pd
from sklearn.metrics import log_loss, roc_auc_score, root_mean_squared_error
from sklearn.model_selection import KFold, StratifiedKFold

TRIALS, FOLDS = 60, 5


def read(job: dict[str, Any]) -> tuple[pd.DataFrame, pd.Series, pd.DataFrame]:
    train, test = pd.read_parquet(job["train"]), pd.read_parquet(job["test"])
    y = train.pop(job["target"])
    for name in train.columns:
        if not pd.api.types.is_numeric_dtype(train[name]):
            levels = pd.CategoricalDtype(sorted(train[name].dropna().unique()))
            train[name], test[name] = train[name].astype(levels), test[name].astype(levels)
    return train, y, test


def estimator(job: dict[str, Any], config: dict[str, Any]) -> Any:
    kind = lightgbm.LGBMRegressor if job["task"] == "regression" else lightgbm.LGBMClassifier
    return kind(random_state=job["seed"], n_jobs=1, verbosity=-1, **config)


def loss(job: dict[str, Any], model: Any, X: pd.DataFrame, y: pd.Series) -> float:
    if job["task"] == "regression":
        return float(root_mean_squared_error(y, model.predict(X)))
    answers = model.predict_proba(X)
    if job["metric"] == "roc_auc":
        return 1 - float(roc_auc_score(y == model.classes_[1], answers[:, 1]))
    return float(log_loss(y, answers, labels=model.classes_))


def trial(config: dict[str, Any], job: dict[str, Any], X: pd.DataFrame, y: pd.Series) -> None:
    from ray import tune

    kind = KFold if job["task"] == "regression" else StratifiedKFold
    losses = []
    for learn, held in kind(FOLDS, shuffle=True, random_state=job["seed"]).split(X, y):
        model = estimator(job, config).fit(X.iloc[learn], y.iloc[learn])
        losses.append(loss(job, model, X.iloc[held], y.iloc[held]))
        tune.report({"loss": float(np.mean(losses)), "folds": len(losses)})


def main(job: dict[str, Any]) -> None:
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    import ray
    from ray import tune
    from ray.tune.schedulers import ASHAScheduler
    from ray.tune.search.optuna import OptunaSearch

    X, y, test = read(job)
    ray.init(num_cpus=job["cores"], include_dashboard=False, log_to_driver=False)
    space = {
        "n_estimators": tune.randint(50, 500),
        "learning_rate": tune.loguniform(0.01, 0.2),
        "num_leaves": tune.lograndint(4, 128),
        "min_child_samples": tune.lograndint(5, 100),
        "colsample_bytree": tune.uniform(0.4, 1.0),
        "reg_lambda": tune.loguniform(1e-4, 10.0),
    }
    with tempfile.TemporaryDirectory() as folder:
        tuner = tune.Tuner(
            tune.with_resources(tune.with_parameters(trial, job=job, X=X, y=y), {"cpu": 1}),
            param_space=space,
            tune_config=tune.TuneConfig(
                metric="loss",
                mode="min",
                search_alg=OptunaSearch(seed=job["seed"]),
                scheduler=ASHAScheduler(time_attr="folds", max_t=FOLDS, grace_period=1, reduction_factor=3),
                num_samples=TRIALS,
                time_budget_s=job["budget"],
            ),
            run_config=tune.RunConfig(storage_path=folder, verbose=0),
        )
        found = tuner.fit()
        whole = [result for result in found if (result.metrics or {}).get("folds") == FOLDS]
        best = min(whole or list(found), key=lambda result: (result.metrics or {}).get("loss", np.inf))
    ray.shutdown()
    model = estimator(job, best.config or {}).fit(X, y)
    if job["task"] == "regression":
        answers = pd.DataFrame({"value": model.predict(test)})
    else:
        answers = pd.DataFrame(model.predict_proba(test), columns=model.classes_)
    answers.to_csv(job["out"], index=False)


if __name__ == "__main__":
    main(json.loads(Path(sys.argv[1]).read_text()))
