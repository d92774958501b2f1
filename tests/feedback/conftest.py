"""The churn recipe with feedback, run in this process: some customers are in the source, others are served and labelled."""

from __future__ import annotations

import io
import json
import shutil
import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from mlops_compiler.backends.local.run import run_in_process
from mlops_compiler.backends.stages.context import StageTask, parquet_bytes
from mlops_compiler.commands.plan import plan_data
from mlops_compiler.driver import plan_recipe
from mlops_compiler.frontend.hydra_app import launch
from mlops_compiler.ir.ops.feedback import FeedBack
from mlops_compiler.monitoring.returning import returning
from mlops_compiler.monitoring.wrong import Answered
from mlops_compiler.plan.stages import Reuse
from mlops_compiler.serving.predictor import Predictor
from mlops_compiler.store.collections import record_collection
from mlops_compiler.store.location import StoreLocation
from mlops_compiler.store.records import RunRecord
from mlops_compiler.store.writer import open_writer

SHIPPED = Path(__file__).parents[2] / "recipes"
SOURCE = 1500
NOW = datetime(2026, 3, 1, tzinfo=UTC)
SCHEMA = {"tenure": pl.Int64, "monthly_charges": pl.Float64, "total_charges": pl.Float64}
MODELS = """\
search: {algorithm: random, scheduler: none, trials: 2}
models:
  baseline: {kind: prior}
  logistic: {kind: logistic_regression, C: 1.0}
select: {rule: best}
explain: {importance: none, shap: false, partial_dependence: 0, slices: [], find_slices: false}
feedback: {}
"""


def telco() -> pl.DataFrame:
    """Read the customers, in an order that has nothing to do with them."""
    rows = pl.read_csv(SHIPPED / "data" / "telco_churn.csv", infer_schema_length=10_000)
    return rows.sample(fraction=1.0, shuffle=True, seed=11)


@dataclass
class World:
    """A working directory: some customers are in the source, the others are served."""

    root: Path
    runs: int = 0

    @property
    def source(self) -> Path:
        return self.root / "recipes" / "data" / "telco_churn.csv"

    def planned(self, *overrides, retrained=False):
        (found,) = launch(["recipe=churn", *overrides], lambda composed: plan_recipe(composed, retrained=retrained))
        return found

    def plan(self, *overrides, retrained=False):
        return {action.stage.name: action for action in self.planned(*overrides, retrained=retrained).plan.actions}

    def run(self, *overrides, retrained=False):
        """Run what is not recorded, all but the report; gives the records by stage."""
        planned = self.planned(*overrides, retrained=retrained)
        store, self.runs = open_writer(planned.location), self.runs + 1
        run_id = f"r{self.runs}"
        record = RunRecord(
            run_id=run_id, recipe="churn", status="running", started=time.time(), finished=None, pid=1, host="h",
            overrides=[], plan=plan_data(planned.plan),
        )  # fmt: skip
        store.start_run(record)
        root = str(planned.compiled.composed.root.absolute())
        facts = {"description": None, "owner": None, "started": 0.0, "overrides": [], "actions": []}
        tasks = [
            StageTask(stage=stage, recipe="churn", root=root, store=planned.location, run_id=run_id, facts=facts)
            for stage in planned.plan.to_run
            if stage.name != "report"
        ]
        done = {action.stage.name: action.record for action in planned.plan.actions if isinstance(action, Reuse)}
        records = run_in_process(tasks, done)
        accepted = records["release"].summary["accepted"]
        store.finish_run(run_id, "succeeded" if accepted else "rejected", {})
        return records

    @property
    def store(self):
        return open_writer(StoreLocation(url=str(self.root / ".mlops")))

    @property
    def choice(self):
        return self.planned().plan.program.the(FeedBack)[1].choice

    def table(self, record, name):
        return pl.read_parquet(io.BytesIO(self.store.objects.get(record.outputs[name])))

    def answered(self):
        store = self.store
        return {
            item.number: Answered(manifest=json.loads(store.objects.get(item.manifest)), metrics=item.metrics)
            for item in store.releases("churn")
        }

    def logged(self, rows, client="crm", *, flipped=0.0, seed=0, days=1):
        """Let the release in place answer rows, and label them: as they came, or some of them the other way."""
        store = self.store
        release = store.release("churn")
        predictor = Predictor.load(store, release.manifest)
        fields = [field["name"] for field in predictor.manifest["request"]]
        chance = np.random.default_rng(seed).random(rows.height) < flipped
        said = pl.when(pl.Series(chance)).then(pl.col("churn").replace({"Yes": "No", "No": "Yes"})).otherwise("churn")
        when = [NOW - timedelta(days=days) + timedelta(seconds=place) for place in range(rows.height)]
        return rows.select(
            (f"{client}-{seed}-" + pl.int_range(pl.len()).cast(pl.String)).alias("id"),
            pl.Series("time", when),
            pl.lit(release.number, pl.Int32).alias("release"),
            pl.lit("answer").alias("role"),
            pl.lit(client).alias("client"),
            pl.col("customer_id").alias("key"),
            pl.lit(0.01).alias("seconds"),
            pl.struct(fields).alias("input"),
            predictor.predict(rows.select(fields)).to_struct("output"),
            said.alias("outcome"),
            pl.Series("outcome_time", [moment + timedelta(hours=1) for moment in when]),
            pl.lit(f"key:{client}").alias("outcome_source"),
        )

    def returning(self, joined, now=NOW, **changes):
        return returning(joined, self.answered(), replace(self.choice, **changes), now)

    def collect(self, joined):
        """Choose what comes back, and record it."""
        found = self.returning(joined)
        return record_collection(self.store, "churn", parquet_bytes(found.rows), found.account())


def lay_out(root: Path, rows: pl.DataFrame) -> World:
    (root / "recipes" / "data").mkdir(parents=True)
    world = World(root)
    rows.write_csv(world.source)
    text = (SHIPPED / "churn.yaml").read_text()
    head, _, rest = text.partition("models:")
    tail = rest[rest.index("\ndeploy:") :] if "\ndeploy:" in rest else "\n"
    head = head.replace("{at_least: 0.83}", "{at_least: 0.7}").replace("{at_most: 0.45}", "{at_most: 0.6}")
    (root / "recipes" / "churn.yaml").write_text(head.replace("k: 5", "k: 2") + MODELS + tail)
    return world


@pytest.fixture(scope="session")
def customers():
    return telco()


@pytest.fixture(scope="session")
def released(tmp_path_factory, customers):
    """Make release 1 of the first customers; to copy, not to change."""
    world = lay_out(tmp_path_factory.mktemp("released"), customers.head(SOURCE))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(world.root)
        assert world.run()["release"].summary["release"] == 1
    return world


@pytest.fixture
def world(released, tmp_path, monkeypatch):
    """Be in a copy of the place in which release 1 was made."""
    shutil.copytree(released.root, tmp_path / "work")
    monkeypatch.chdir(tmp_path / "work")
    return World(tmp_path / "work", runs=1)


@pytest.fixture
def served(customers):
    """Give customers that are in no source yet."""
    return customers.slice(SOURCE, 2000)
