"""LightGBM as it comes: no parameter but the seed and the threads."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import lightgbm
import pandas as pd


def main(job: dict[str, Any]) -> None:
    train, test = pd.read_parquet(job["train"]), pd.read_parquet(job["test"])
    y = train.pop(job["target"])
    for name in train.columns:
        if not pd.api.types.is_numeric_dtype(train[name]):
            levels = pd.CategoricalDtype(sorted(train[name].dropna().unique()))
            train[name], test[name] = train[name].astype(levels), test[name].astype(levels)
    kind = lightgbm.LGBMRegressor if job["task"] == "regression" else lightgbm.LGBMClassifier
    model = kind(random_state=job["seed"], n_jobs=job["cores"], verbosity=-1).fit(train, y)
    if job["task"] == "regression":
        answers = pd.DataFrame({"value": model.predict(test)})
    else:
        answers = pd.DataFrame(model.predict_proba(test), columns=model.classes_)
    answers.to_csv(job["out"], index=False)


if __name__ == "__main__":
    main(json.loads(Path(sys.argv[1]).read_text()))
