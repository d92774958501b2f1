"""A random search as it is written by hand with scikit-learn: histogram boosting, cross-validated, until time is up."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import pandas as pd
from scipy.stats import loguniform, randint
from sklearn.base import clone
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.model_selection import ParameterSampler, cross_val_score
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OrdinalEncoder

TRIALS, FOLDS = 60, 5
SPACE = {
    "model__learning_rate": loguniform(0.01, 0.3),
    "model__max_leaf_nodes": randint(4, 128),
    "model__min_samples_leaf": randint(5, 100),
    "model__l2_regularization": loguniform(1e-6, 100),
}
SCORINGS = {"roc_auc": "roc_auc", "log_loss": "neg_log_loss", "rmse": "neg_root_mean_squared_error"}


def pipeline(train: pd.DataFrame, job: dict[str, Any]) -> Pipeline:
    texts = [name for name in train.columns if not pd.api.types.is_numeric_dtype(train[name])]
    levels = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1, encoded_missing_value=-1)
    encode = make_column_transformer((levels, texts), remainder="passthrough")
    kind = HistGradientBoostingRegressor if job["task"] == "regression" else HistGradientBoostingClassifier
    return Pipeline([("encode", encode), ("model", kind(random_state=job["seed"], max_iter=300, early_stopping=True))])


def main(job: dict[str, Any]) -> None:
    started = time.monotonic()
    train, test = pd.read_parquet(job["train"]), pd.read_parquet(job["test"])
    y = train.pop(job["target"])
    model = pipeline(train, job)
    best, chosen, longest = float("-inf"), {}, 0.0
    for parameters in ParameterSampler(SPACE, TRIALS, random_state=job["seed"]):
        began = time.monotonic()
        candidate = clone(model).set_params(**parameters)
        scores = cross_val_score(candidate, train, y, scoring=SCORINGS[job["metric"]], cv=FOLDS, n_jobs=job["cores"])
        if scores.mean() > best:
            best, chosen = scores.mean(), parameters
        longest = max(longest, time.monotonic() - began)
        if time.monotonic() - started + longest > job["budget"]:
            break
    fitted = model.set_params(**chosen).fit(train, y)
    if job["task"] == "regression":
        answers = pd.DataFrame({"value": fitted.predict(test)})
    else:
        answers = pd.DataFrame(fitted.predict_proba(test), columns=fitted.classes_)
    answers.to_csv(job["out"], index=False)


if __name__ == "__main__":
    main(json.loads(Path(sys.argv[1]).read_text()))
