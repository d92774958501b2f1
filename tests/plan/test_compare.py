"""Two recorded runs are compared part by part; what is not recorded is said, and nothing is guessed."""

from __future__ import annotations

import json

import polars as pl
import pytest

from mlops_compiler.backends.stages.context import parquet_bytes
from mlops_compiler.commands.diff import find_run
from mlops_compiler.diagnostics import MlopsError
from mlops_compiler.plan.compare.comparison import compare_runs
from mlops_compiler.plan.compare.part import KeyChange, Pair, compare_keys
from mlops_compiler.plan.stages import PARENTS
from mlops_compiler.store.location import StoreLocation
from mlops_compiler.store.records import RunRecord, StageRecord
from mlops_compiler.store.writer import open_writer

ROWS = pl.DataFrame({"age": [20, 30, 40, None], "plan": ["a", "a", "b", "b"], "paid": [1.5, 2.5, 3.5, 4.5]})
RECIPE = {"name": "churn", "prepare": {"scale": {"op": "standardize"}}, "search": {"trials": 30}}
ENVIRONMENT = {"python": "3.11.4", "libraries": {"polars": "2.0"}}
CODE = {"mlops-compile": "0.1.0", "commit": "abc", "dirty": False, "stages": {"split": 1}}
METRICS = {"roc_auc": 0.84, "log_loss": 0.42, "lift": 2.0}
CHOSEN = {"model": "logistic", "kind": "logistic_regression", "parameters": {"C": 1.0}, "threshold": 0.5, "trial": 3}


class Built:
    """A store of built records."""

    def __init__(self, root):
        self.store = open_writer(StoreLocation(url=str(root / "store")))
        self.runs = 0

    def json(self, value):
        return self.store.objects.put(json.dumps(value).encode())

    def stages(self, **given):
        """Say what each stage gives: its outputs and its summary."""
        rows = given.get("rows", ROWS)
        table = self.store.objects.put(parquet_bytes(rows))
        features = given.get("features", ["age", "plan=a"])
        return {
            "snapshot": (
                {"snapshot": table},
                {"source": given.get("source", "churn.csv"), "rows": rows.height, "columns": rows.width},
            ),
            "split": ({"split": self.json(["split", table, given.get("seed", 7)])}, {"folds": 3}),
            "prepare": (
                {"preparations": self.json({"final": {"features": features}})},
                {"features": len(features), "rows": rows.height},
            ),
            "select": ({}, {**CHOSEN, **given.get("chosen", {})}),
            "evaluate": ({}, {"metrics": {**METRICS, **given.get("metrics", {})}}),
        }

    def run(self, *, recipe=RECIPE, environment=ENVIRONMENT, code=CODE, tag="", **given):
        """Record a run, the stages under fingerprints that `tag` tells from other runs'."""
        self.runs += 1
        name = f"2026112{self.runs}-100000-abcdef"
        kept = {"recipe": self.json(recipe), "environment": environment, "code": code}
        done = self.stages(**given)
        for stage in given.get("ended", done):
            outputs, summary = done[stage]
            self.store.record_stage(
                StageRecord(
                    fingerprint=f"{stage}{tag}",
                    recipe="churn",
                    name=stage,
                    ingredients=given.get("ingredients", {}).get(stage, {"data.source.digest": tag}),
                    outputs=outputs,
                    summary=summary,
                    run_id=name,
                    started=float(self.runs),
                    seconds=0.5,
                )
            )
        self.store.start_run(
            RunRecord(
                run_id=name,
                recipe="churn",
                status=given.get("status", "succeeded"),
                started=float(self.runs),
                finished=self.runs + 0.75,
                pid=1,
                host="box",
                overrides=[],
                summary={key: value for key, value in kept.items() if value is not None and recipe is not None},
                plan=[{"stage": stage, "action": "new", "fingerprint": f"{stage}{tag}"} for stage in PARENTS],
            )
        )
        return self.store.run(name)

    def compare(self, before, after):
        return compare_runs(self.store, before, after)


@pytest.fixture
def built(tmp_path):
    return Built(tmp_path)


def states(comparison):
    return {name: part.state for name, part in comparison.parts.items() if part.state != "same"}


def test_nothing_differs_between_a_run_and_itself(built):
    run = built.run()
    comparison = built.compare(run, run)
    assert (comparison.differs, states(comparison)) == (False, {})
    assert comparison.data.shifts == ()


CHANGES = {
    "recipe": ({"recipe": {**RECIPE, "search": {"trials": 60}}}, "recipe"),
    "order of steps": ({"recipe": {**RECIPE, "prepare": {"clip": {}, "scale": {"op": "standardize"}}}}, "recipe"),
    "library": ({"environment": {**ENVIRONMENT, "libraries": {"polars": "2.1"}}}, "environment"),
    "commit": ({"code": {**CODE, "commit": "def"}}, "code"),
    "code of a stage": ({"code": {**CODE, "stages": {"split": 2}}}, "code"),
    "features": ({"features": ["age"]}, "preparation"),
    "parameter": ({"chosen": {"parameters": {"C": 2.0}}}, "parameters"),
    "metric": ({"metrics": {"roc_auc": 0.85}}, "metrics"),
    "place of the data": ({"source": "other.csv"}, "data"),
}


@pytest.mark.parametrize(("change", "part"), CHANGES.values(), ids=CHANGES)
def test_a_change_is_told_in_its_part_and_nowhere_else(built, change, part):
    before = built.run(tag="1", ingredients={stage: {"stage": stage, "n": 1} for stage in PARENTS})
    after = built.run(tag="2", ingredients={stage: {"stage": stage, "n": 2} for stage in PARENTS}, **change)
    comparison = built.compare(before, after)
    assert states(comparison) == {part: "different"}
    assert comparison.differs


def test_a_comparison_is_json(built):
    comparison = built.compare(built.run(tag="1"), built.run(tag="2", rows=ROWS.head(3)))
    told = json.loads(json.dumps(comparison.to_json(), allow_nan=False))
    assert (told["differs"], told["data"]["state"], told["environment"]["state"]) == (True, "different", "same")
    assert told["data"]["rows"] == {"before": 4, "after": 3}
    assert told["before"]["run_id"] == comparison.before.run_id


def test_keys_are_changed_gone_and_new():
    before = {"models": {"a": {"C": {"uniform": [0, 1]}}, "b": {"kind": "prior"}}, "same": {"x": 1}}
    after = {"models": {"a": {"C": {"log_uniform": [0.1, 1]}}, "c": {"kind": "prior"}}, "same": {"x": 1}}
    assert compare_keys(before, after) == (
        KeyChange(key="models.a.C", change="changed", before={"uniform": [0, 1]}, after={"log_uniform": [0.1, 1]}),
        KeyChange(key="models.b", change="gone", before={"kind": "prior"}),
        KeyChange(key="models.c", change="new", after={"kind": "prior"}),
    )


def test_steps_in_another_order_are_a_change(built):
    steps = {"clip": {"op": "clip"}, "scale": {"op": "standardize"}}
    before = built.run(recipe={"prepare": steps})
    after = built.run(recipe={"prepare": dict(reversed(steps.items()))})
    (change,) = built.compare(before, after).recipe.changes
    assert (change.before, change.after) == (["clip", "scale"], ["scale", "clip"])


def test_a_run_that_recorded_nothing_of_itself_is_compared_by_what_its_stages_depend_on(built):
    before = built.run(recipe=None, tag="1", ingredients={"split": {"split.k": 3}})
    after = built.run(tag="2", ingredients={"split": {"split.k": 5}})
    comparison = built.compare(before, after)
    assert [(item.key, item.before, item.after) for item in comparison.recipe.changes] == [("split.k", 3, 5)]
    assert "not recorded in A" in comparison.recipe.missing[0]
    assert (comparison.environment.state, comparison.code.state) == ("unknown", "unknown")


def test_the_code_of_a_stage_is_found_changed_where_nothing_else_did(built):
    same = {stage: {"x": 1} for stage in PARENTS}
    before = built.run(recipe=None, ingredients=same, tag="")
    after = built.run(recipe=None, ingredients=same, tag="2")
    assert [item.key for item in built.compare(before, after).code.changes] == ["stages.snapshot"]


def test_the_version_of_a_stages_code_is_told(built):
    before, after = (
        built.run(recipe=None, tag=tag, ingredients={"split": {"code.version": int(tag), "split.k": 3}}) for tag in "12"
    )
    comparison = built.compare(before, after)
    assert [(item.key, item.before, item.after) for item in comparison.code.changes] == [("stages.split", 1, 2)]
    assert comparison.recipe.changes == ()


def test_uncommitted_changes_of_one_commit_are_remarked(built):
    dirty = {**CODE, "dirty": True}
    code = built.compare(built.run(code=dirty), built.run(code=dirty)).code
    assert code.state == "same"
    assert "not committed" in code.remarks[0]


def test_a_recipe_that_is_gone_from_the_store_is_said(built):
    before, after = built.run(), built.run(recipe={"name": "other"})
    built.store.objects.local_path(after.summary["recipe"]).unlink()
    recipe = built.compare(before, after).recipe
    assert recipe.state == "unknown"
    assert "the store lacks object" in recipe.missing[0]


# Data


def test_columns_gained_lost_and_retyped(built):
    other = ROWS.drop("plan").with_columns(pl.col("age").cast(pl.Float64), zip=pl.lit("8000"))
    data = built.compare(built.run(tag="1"), built.run(tag="2", rows=other)).data
    assert [(item.name, item.change, item.before, item.after) for item in data.columns] == [
        ("zip", "gained", None, "text"),
        ("plan", "lost", "text", None),
        ("age", "retyped", "int", "float"),
    ]
    assert {item.name for item in data.shifts} == {"age", "paid"}


def test_columns_that_moved_most_come_first(built):
    other = ROWS.with_columns(paid=pl.col("paid") + 100, plan=pl.Series(["a", "a", "a", "b"]))
    data = built.compare(built.run(tag="1"), built.run(tag="2", rows=other)).data
    assert [(item.name, item.distance) for item in data.shifts] == [("paid", 1.0), ("plan", 0.25), ("age", 0.0)]
    assert data.shifts[0].figures["mean"] == Pair(before=3.0, after=103.0)


def test_a_snapshot_that_is_gone_is_said_and_its_contract_still_compared(built):
    given = {"data.columns.age.type": "int", "data.columns.age.nullable": True}
    before = built.run(tag="1", ingredients={"snapshot": given})
    after = built.run(tag="2", rows=ROWS.head(2), ingredients={"snapshot": {"data.columns.age.type": "float"}})
    digest = built.store.stage_record("snapshot1").outputs["snapshot"]
    built.store.objects.local_path(digest).unlink()
    data = built.compare(before, after).data
    assert (data.rows, data.shifts) == (Pair(before=4, after=2), ())
    assert "A: the store lacks object" in data.missing[0]
    assert [(item.name, item.change) for item in data.columns] == [("age", "retyped")]


def test_a_snapshot_that_cannot_be_read_is_said(built):
    before, after = built.run(tag="1"), built.run(tag="2", rows=ROWS.head(2))
    built.store.objects.local_path(built.store.stage_record("snapshot2").outputs["snapshot"]).write_bytes(b"no table")
    assert "cannot be read" in built.compare(before, after).data.missing[0]


# What came of it


def test_metrics_are_better_or_worse_by_their_direction(built):
    better = {"roc_auc": 0.85, "log_loss": 0.43, "lift": 3.0}
    metrics = built.compare(built.run(tag="1"), built.run(tag="2", metrics=better)).metrics
    assert {item.name: item.verdict for item in metrics.metrics} == {
        "roc_auc": "better",
        "log_loss": "worse",
        "lift": None,
    }
    assert metrics.metrics[0].difference == pytest.approx(0.01)
    assert metrics.remarks == ()


@pytest.mark.parametrize("change", [{"seed": 8}, {"rows": ROWS.head(3)}], ids=["other split", "other rows"])
def test_metrics_of_other_holdout_rows_are_remarked(built, change):
    metrics = built.compare(built.run(tag="1"), built.run(tag="2", **change)).metrics
    assert "not the same rows" in metrics.remarks[0]


def test_features_are_gained_and_lost(built):
    after = built.run(tag="2", features=["age", "plan=b", "plan=c"])
    found = built.compare(built.run(tag="1"), after).preparation
    assert (found.gained, found.lost) == (("plan=b", "plan=c"), ("plan=a",))
    assert found.features == Pair(before=2, after=3)


def test_the_chosen_model_and_its_parameters(built):
    chosen = {"model": "forest", "parameters": {"depth": 3}, "trial": 9}
    changes = built.compare(built.run(tag="1"), built.run(tag="2", chosen=chosen)).parameters.changes
    assert [(item.key, item.change) for item in changes] == [
        ("model", "changed"),
        ("parameters.C", "gone"),
        ("parameters.depth", "new"),
    ]


def test_a_run_that_failed_is_compared_as_far_as_it_came(built):
    failed = built.run(tag="1", status="failed", ended=["snapshot", "split"])
    comparison = built.compare(failed, built.run(tag="1"))
    assert comparison.metrics.missing == ("A did not come to the end of stage `evaluate`",)
    assert comparison.preparation.state == comparison.parameters.state == "unknown"


def test_times_are_told_and_are_no_difference(built):
    before, after = built.run(), built.run()
    time = built.compare(before, after).time
    assert time.state == "same"
    assert time.total == Pair(before=0.75, after=0.75)
    assert time.stages[0].seconds == Pair(before=None, after=0.5)


# Which runs


@pytest.mark.parametrize(
    ("word", "number"),
    [
        ("last", 3),
        ("last~1", 2),
        ("last~2", 1),
        ("20261121", 1),
        ("20261122-100000-abcdef", 2),
        ("1", 2),
        ("release:1", 2),
    ],
)
def test_a_run_is_named_in_many_ways(built, word, number):
    runs = [built.run() for _ in range(3)]
    release = {"recipe": "churn", "fingerprint": "f", "manifest": "m", "metrics": {}, "notes": ""}
    built.store.register_release(**release, run_id=runs[1].run_id)
    assert find_run(built.store, None, word).run_id == runs[number - 1].run_id


@pytest.mark.parametrize(
    ("word", "code"),
    [
        ("last~3", "unknown-run"),
        ("lst", "unknown-run"),
        ("2026", "ambiguous-run"),
        ("7", "unknown-release"),
        ("release:7", "unknown-release"),
    ],
)
def test_a_name_of_no_run_or_of_many_is_refused(built, word, code):
    for _ in range(3):
        built.run()
    with pytest.raises(MlopsError) as caught:
        find_run(built.store, "churn", word)
    assert [item.code for item in caught.value.diagnostics] == [code]


def test_last_is_of_the_recipe_that_ran_last(built):
    built.run()
    assert find_run(built.store, None, "last").recipe == "churn"
    with pytest.raises(MlopsError):
        find_run(built.store, "other", "last")
