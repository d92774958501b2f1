"""This project as its user has it: `init` drafts a recipe that names no model, one command runs it, `predict` scores.

The rows that the benchmark holds out judge here, so the recipe keeps back few itself: ``validate.holdout.fraction`` is
a twentieth. No peer explains its models: nor does this project here. Nothing else is set but the metric, the seed, the
cores and the time. A row that breaks the drafted contract, since no training row had such a value, gets what the
training rows have on average.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import polars as pl

NAME = "benchmark"
BESIDE_THE_SEARCH = 16
"""Seconds for starting three commands, the report and the rest: peers take the budget for all that they do."""


def main(job: dict[str, Any], search: str) -> None:
    table = pl.read_parquet(job["train"])
    command = [sys.executable, "-m", "mlops_compiler.cli"]
    said = [f"from={job['train']}", f"target={job['target']}", f"name={NAME}"]
    classes = [] if job["task"] == "regression" else sorted(table[job["target"]].unique())
    if len(classes) == 2:
        said.append(f"positive={classes[1]}")
    _run([*command, "init", *said], job)
    settings = [
        f"search={search}",
        "explain=none",
        f"search.time={max(job['budget'] // 2, job['budget'] - BESIDE_THE_SEARCH)}s",
        f"objective.metric={job['metric']}",
        "objective.accept={}",
        "validate.holdout.fraction=0.05",
        f"validate.seed={job['seed']}",
        f"cluster.cpus={job['cores']}",
        "store.url=store",
    ]
    _run([*command, "run", f"recipe={NAME}", *settings, "--format", "concise"], job)
    _run(
        [
            *command,
            "predict",
            f"recipe={NAME}",
            "store.url=store",
            f"input={job['test']}",
            "output=scores.csv",
            "partial=true",
        ],
        job,
    )
    found = _answers(pl.read_csv(Path(job["folder"], "scores.csv"), infer_schema_length=None), classes)
    found.with_columns(
        pl.col(name).fill_null(value) for name, value in _usual(table[job["target"]], classes)
    ).write_csv(job["out"])


def _usual(target: pl.Series, classes: list[str]) -> list[tuple[str, float]]:
    """Give what an answer is on average."""
    if not classes:
        return [("value", float(target.mean()))]
    return [(name, float((target == name).mean())) for name in classes]


def _answers(found: pl.DataFrame, classes: list[str]) -> pl.DataFrame:
    if not classes:
        return found.select(value=pl.col("prediction"))
    if len(classes) == 2:
        return found.select((1 - pl.col("probability")).alias(classes[0]), pl.col("probability").alias(classes[1]))
    return found.select(pl.col(f"probability_{name}").alias(name) for name in classes)


def _run(command: list[str], job: dict[str, Any]) -> None:
    done = subprocess.run(command, cwd=job["folder"], capture_output=True, text=True, check=False, env=os.environ)
    if done.returncode:
        sys.exit(f"{' '.join(command[3:])}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}")


if __name__ == "__main__":
    main(json.loads(Path(sys.argv[1]).read_text()), sys.argv[2])
