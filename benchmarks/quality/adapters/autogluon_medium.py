"""AutoGluon's TabularPredictor, medium quality, with the time that it is given."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pandas as pd
from autogluon.tabular import TabularPredictor

TASKS = {"binary_classification": "binary", "multiclass_classification": "multiclass", "regression": "regression"}
METRICS = {"roc_auc": "roc_auc", "log_loss": "log_loss", "rmse": "root_mean_squared_error"}


def main(job: dict[str, Any]) -> None:
    train, test = pd.read_parquet(job["train"]), pd.read_parquet(job["test"])
    predictor = TabularPredictor(
        label=job["target"],
        problem_type=TASKS[job["task"]],
        eval_metric=METRICS[job["metric"]],
        path=str(Path(job["folder"]) / "autogluon"),
        verbosity=1,
    )
    predictor.fit(train, presets="medium_quality", time_limit=job["budget"], num_cpus=job["cores"], num_gpus=0)
    if job["task"] == "regression":
        answers = predictor.predict(test).to_frame("value")
    else:
        answers = predictor.predict_proba(test)
    answers.to_csv(job["out"], index=False)
    print(predictor.leaderboard().to_string())


if __name__ == "__main__":
    main(json.loads(Path(sys.argv[1]).read_text()))
