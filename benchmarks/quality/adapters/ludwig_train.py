"""Ludwig: its default model for a table, trained until it no longer gets better; it takes no limit of time."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pandas as pd
from ludwig.api import LudwigModel

KINDS = {"binary_classification": "category", "multiclass_classification": "category", "regression": "number"}


def config(train: pd.DataFrame, job: dict[str, Any]) -> dict[str, Any]:
    inputs = [
        {"name": name, "type": "number" if pd.api.types.is_numeric_dtype(train[name]) else "category"}
        for name in train.columns
        if name != job["target"]
    ]
    return {
        "input_features": inputs,
        "output_features": [{"name": job["target"], "type": KINDS[job["task"]]}],
    }


def main(job: dict[str, Any]) -> None:
    train, test = pd.read_parquet(job["train"]), pd.read_parquet(job["test"])
    model = LudwigModel(config(train, job), logging_level=40)
    model.train(
        dataset=train,
        random_seed=job["seed"],
        output_directory=job["folder"],
        skip_save_processed_input=True,
        skip_save_progress=True,
        skip_save_log=True,
    )
    found, _ = model.predict(dataset=test)
    target = job["target"]
    if job["task"] == "regression":
        answers = pd.DataFrame({"value": found[f"{target}_predictions"]})
    else:
        classes = sorted(train[target].unique())
        answers = pd.DataFrame({name: found[f"{target}_probabilities_{name}"] for name in classes})
    answers.to_csv(job["out"], index=False)


if __name__ == "__main__":
    main(json.loads(Path(sys.argv[1]).read_text()))
