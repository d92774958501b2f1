"""FLAML with its own defaults and the time that it is given."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pandas as pd
from flaml import AutoML

METRICS = {"roc_auc": "roc_auc", "log_loss": "log_loss", "rmse": "rmse"}


def main(job: dict[str, Any]) -> None:
    train, test = pd.read_parquet(job["train"]), pd.read_parquet(job["test"])
    y = train.pop(job["target"])
    model = AutoML()
    model.fit(
        train,
        y,
        task="regression" if job["task"] == "regression" else "classification",
        metric=METRICS[job["metric"]],
        time_budget=job["budget"],
        seed=job["seed"],
        n_jobs=job["cores"],
        verbose=0,
    )
    if job["task"] == "regression":
        answers = pd.DataFrame({"value": model.predict(test)})
    else:
        answers = pd.DataFrame(model.predict_proba(test), columns=model.classes_)
    answers.to_csv(job["out"], index=False)


if __name__ == "__main__":
    main(json.loads(Path(sys.argv[1]).read_text()))
