"""What all servers are given: a release of the churn recipe, and a scikit-learn pipeline that does the same.

The pipeline learns from the rows that the release has learned from, prepares them alike, and has the parameters that
the search chose; its answers to the rows that are sent must be those of the release.
"""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import joblib
import numpy as np
import orjson
import polars as pl
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler

from benchmarks.serve.apps import telco
from mlops_compiler.serving.predictor import Predictor
from mlops_compiler.serving.replay import held_out
from mlops_compiler.store.location import StoreLocation
from mlops_compiler.store.reader import open_reader

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

RECIPE = "churn"
CHANGES = ("cluster.engine=in_process", "explain=none", "search.trials=6", "~models.net", "~models.forest")
ONE_KIND = "~models.boosting"
PIPELINE = "pipeline.joblib"
TOLERANCE = 1e-6
"""Two fits of one model end where each solver stops."""
_UNKNOWN = 10**6


class UnequalError(Exception):
    """The pipeline does not answer as the release does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """What is served, and what is asked.

    Attributes:
        folder: Has the store ``.mlops`` and the pipeline.
        rows: Rows of the holdout, as clients send them.
        expected: The probability of each, as the release gives it.
        model: The kind of the model.
    """

    folder: Path
    rows: list[dict[str, Any]]
    expected: list[float]
    model: str


def make(folder: Path) -> Inputs:
    """Make a release and the pipeline in an empty folder.

    Raises:
        UnequalError: They answer differently.
        CalledProcessError: The recipe does not run.
    """
    command = [sys.executable, "-m", "mlops_compiler.cli", "run", f"recipe={RECIPE}", *CHANGES, ONE_KIND]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    store = open_reader(StoreLocation(url=str(folder / ".mlops")))
    (release,) = store.releases(RECIPE)
    manifest = orjson.loads(store.objects.get(release.manifest))
    held = held_out(store, release, _UNKNOWN)
    record = store.last_stage(RECIPE, "snapshot")
    if held is None or record is None:
        raise UnequalError("the store does not keep the rows of the release")
    snapshot = pl.read_parquet(store.objects.local_path(record.outputs["snapshot"]))
    learned = snapshot.with_row_index().filter(~pl.col("index").is_in(list(held.places))).drop("index")
    pipeline = fit(learned.to_pandas(), manifest)
    asked = held.rows.drop_nulls()
    expected = Predictor.load(store, release.manifest).predict(asked)["probability"].to_list()
    differ = np.abs(pipeline.predict_proba(asked.to_pandas())[:, 1] - expected).max()
    if differ > TOLERANCE:
        raise UnequalError(f"probabilities of the pipeline differ by up to {differ:.2g}")
    sys.modules.setdefault("telco", telco)
    joblib.dump(pipeline, folder / PIPELINE)
    return Inputs(folder=folder, rows=asked.to_dicts(), expected=expected, model=manifest["model"]["kind"])


def fit(rows: pd.DataFrame, manifest: dict[str, Any]) -> Pipeline:
    """Fit a pipeline that prepares rows as the recipe does, and has the model of its release.

    Args:
        rows: What it learns from, with the target.
        manifest: Of the release.
    """
    fields = [item for item in manifest["request"] if item["name"] not in (manifest["key"], manifest["target"])]
    levels = [item["name"] for item in fields if item["type"] == "category"]
    numbers = [item["name"] for item in fields if item["type"] != "category"] + ["charge_per_month"]
    given = {name: value for name, value in manifest["model"]["parameters"].items() if value is not None}
    columns = [("scale", StandardScaler(), numbers), ("encode", OneHotEncoder(handle_unknown="ignore"), levels)]
    steps = [
        ("derive", FunctionTransformer(telco.derive)),
        ("columns", ColumnTransformer(columns)),
        ("model", LogisticRegression(**given, max_iter=1000)),
    ]
    return Pipeline(steps).fit(rows, rows[manifest["target"]].astype(str) == manifest["positive"])
