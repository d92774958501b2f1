"""Telco customers: a release of some of them, made in this process, and a service that was asked for others."""

from __future__ import annotations

import io
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from mlops_compiler.serving.predictor import Predictor
from mlops_compiler.store.reader import open_reader
from mlops_compiler.store.segments import LABELS, PREDICTIONS, TRAFFIC, Segments
from mlops_compiler.store.writer import open_writer

SHIPPED = Path(__file__).parents[2] / "recipes" / "data"
NOW = datetime.now(UTC)
TRAINED = 2500
RECIPE = """\
name: telco
objective:
  task: binary_classification
  target: churn
  positive: "Yes"
  metric: roc_auc
data:
  source: {kind: csv, path: data/telco.csv}
  key: customer_id
  columns:
    customer_id: {type: text}
    tenure: {type: int, range: [0, 100]}
    contract: {type: category}
    payment_method: {type: category}
    internet_service: {type: category}
    monthly_charges: {type: float}
    total_charges: {type: float, nullable: true}
    churn: {type: category, one_of: ["No", "Yes"]}
prepare:
  no_bill_yet: {op: impute, columns: total_charges, with: 0}
  scale: {op: standardize, columns: numeric}
  encode: {op: one_hot, columns: categorical, max_levels: 20, rare: group}
validate: {holdout: {fraction: 0.3}, folds: {k: 3}, seed: 7}
models:
  baseline: {kind: prior}
  logistic: {kind: logistic_regression, C: 1.0}
search: {algorithm: random, scheduler: none, trials: 2}
select: {rule: best}
explain: {importance: none, shap: false, partial_dependence: 0, slices: [contract], find_slices: false}
cluster: {engine: in_process}
owner: {name: Customer analytics}
monitor: {window: 1d, performance: {roc_auc: {at_least: 0.75}}, MORE}
allow: [{rule: space-not-covered, because: a test waits for no search}]
"""


def telco() -> pl.DataFrame:
    """Read the customers, in an order that has nothing to do with them."""
    rows = pl.read_csv(SHIPPED / "telco_churn.csv", infer_schema_length=10_000)
    names = [
        "customer_id", "tenure", "contract", "payment_method", "internet_service", "monthly_charges", "total_charges",
        "churn",
    ]  # fmt: skip
    return rows.select(names).sample(fraction=1.0, shuffle=True, seed=11)


@dataclass
class Served:
    """A working directory with a release, and what its service logs."""

    place: object
    recipe: str = "telco"
    key: str | None = "customer_id"

    @property
    def root(self) -> Path:
        return self.place.root

    @property
    def store(self):
        return open_reader(self.place.store.location)

    @property
    def writer(self):
        return open_writer(self.place.store.location)

    def monitor(self, *words):
        return self.place.main("monitor", f"recipe={self.recipe}", *words)

    def watch(self, more):
        """Give the section `monitor:` more keys."""
        path = self.root / "recipes" / "telco.yaml"
        path.write_text(RECIPE.replace("MORE", more))

    def serve(
        self, rows: pl.DataFrame, *, ago: timedelta = timedelta(hours=1), seconds: float = 0.01, start: str = "r"
    ):
        """Log that rows were answered; gives the names of the predictions."""
        store = self.store
        release = store.release(self.recipe)
        predictor = Predictor.load(store, release.manifest)
        fields = [field["name"] for field in predictor.manifest["request"]]
        inputs = rows.select(fields)
        output = predictor.predict(inputs)
        ids = [f"{start}{place}" for place in range(rows.height)]
        moments = [NOW - ago + timedelta(milliseconds=place) for place in range(rows.height)]
        logged = pl.DataFrame(
            {
                "id": ids,
                "time": pl.Series(moments, dtype=pl.Datetime("us", "UTC")),
                "release": pl.Series([release.number] * rows.height, dtype=pl.Int32),
                "role": ["answer"] * rows.height,
                "client": [""] * rows.height,
                "key": rows[self.key] if self.key else pl.Series([None] * rows.height, dtype=pl.String),
                "seconds": [seconds] * rows.height,
                "input": inputs.to_struct("input"),
                "output": output.to_struct("output"),
            }
        )
        self._append(PREDICTIONS, logged)
        return ids

    def label(self, ids, outcomes, *, ago: timedelta = timedelta(minutes=10)):
        """Log that outcomes were told."""
        told = pl.DataFrame(
            {
                "id": ids,
                "key": pl.Series([None] * len(ids), dtype=pl.String),
                "outcome": outcomes,
                "time": pl.Series([NOW - ago] * len(ids), dtype=pl.Datetime("us", "UTC")),
                "source": ["service"] * len(ids),
            }
        )
        self._append(LABELS, told)

    def requests(self, *, ago: timedelta = timedelta(hours=1), **statuses: int):
        """Log how many requests ended with each status, ``_200=5``."""
        rows = [
            {
                "time": NOW - ago, "replica": "a", "release": 1, "role": "answer", "status": int(status[1:]), "code": "",
                "requests": many, "rows": many, "seconds_sum": 0.0, "seconds_p50": 0.01, "seconds_p95": 0.02,
                "seconds_p99": 0.03, "lost": 0,
            }
            for status, many in statuses.items()
        ]  # fmt: skip
        types = {"time": pl.Datetime("us", "UTC"), "release": pl.Int32, "status": pl.Int32}
        self._append(TRAFFIC, pl.DataFrame(rows).cast(types))

    def _append(self, kind, frame):
        buffer = io.BytesIO()
        frame.write_parquet(buffer)
        Segments(self.store.location, kind, self.recipe).append(buffer.getvalue())


@pytest.fixture(scope="session")
def released(tmp_path_factory, make_workplace):
    """Run the recipe once; gives the workplace, to copy only."""
    place = make_workplace(tmp_path_factory.mktemp("telco") / "work")
    telco().head(TRAINED).write_csv(place.root / "recipes" / "data" / "telco.csv")
    (place.root / "recipes" / "telco.yaml").write_text(RECIPE.replace("MORE", "at_least: 100"))
    said = place.main("run", "recipe=telco")
    assert said.code == 0, said.err
    return place


@pytest.fixture
def served(released, tmp_path):
    """Give a workplace of the test's own with a release that serves."""
    shutil.copytree(released.root, tmp_path / "work")
    return Served(type(released)(tmp_path / "work"))


@pytest.fixture(scope="session")
def others():
    """Give customers that were not trained on."""
    return telco().tail(-TRAINED)


@pytest.fixture
def random():
    return np.random.default_rng(3)
