"""Contracts where they are checked: columns beside an earlier version, keys across tables, features after preparation."""

from __future__ import annotations

import pytest

from mlops_compiler.backends.local.run import run_in_process
from mlops_compiler.backends.stages.context import StageTask
from mlops_compiler.diagnostics import DataError
from mlops_compiler.driver import plan_recipe
from mlops_compiler.frontend.hydra_app import launch

FACTS = {"description": None, "owner": None, "started": 0.0, "overrides": [], "actions": []}


@pytest.fixture
def run(small, monkeypatch):
    """Give a function that runs the first stages of the small recipe, and gives the summary of the last."""
    monkeypatch.chdir(small.root)

    def stages(last, *overrides):
        (planned,) = launch(["recipe=small", *overrides], plan_recipe)
        root = str(planned.compiled.composed.root.absolute())
        names = [action.stage.name for action in planned.plan.actions]
        wanted = names[: names.index(last) + 1]
        tasks = [
            StageTask(stage=stage, recipe="small", root=root, store=planned.location, run_id="r1", facts=FACTS)
            for stage in planned.plan.to_run
            if stage.name in wanted
        ]
        done = {it.stage.name: it.record for it in planned.plan.actions if it.action == "reuse"}
        return run_in_process(tasks, done)[last].summary

    return stages


def double(small):
    """Let everybody have twice the tenure, up to what the contract allows."""
    head, *lines = small.rows.read_text().splitlines()
    at = head.split(",").index("tenure")
    rows = [line.split(",") for line in lines]
    for row in rows:
        row[at] = str(min(100, 2 * int(row[at])))
    small.rows.write_text("\n".join([head, *(",".join(row) for row in rows)]) + "\n")


@pytest.mark.parametrize("like", ["previous", "{version: 1}", "{measure: psi, at_most: 0.25}"])
def test_a_column_that_is_distributed_otherwise_than_before_is_refused(small, run, like):
    """L-ACQ-2, L-PREP-3: a distribution is a promise as well."""
    rule = f"+data.columns.tenure.like={like}"
    first = run("snapshot", rule) if "version" not in like else run("snapshot")
    assert first.get("likeness", []) == []
    double(small)
    with pytest.raises(DataError) as refused:
        run("snapshot", rule)
    (found,) = refused.value.diagnostics
    assert found.code == "contract-unlike"
    assert "column `tenure` is distributed otherwise than in version 1" in found.headline
    assert "mean" in found.notes[0].text
    warned = run("snapshot", rule, "+data.columns.tenure.severity=warn")
    assert [item["code"] for item in warned["doubts"]] == ["contract-unlike"]
    assert warned["likeness"][0]["measured"] > warned["likeness"][0]["at_most"]


def test_a_refused_version_is_none_and_the_same_data_are_like_themselves(small, run):
    run("snapshot")
    kept = small.rows.read_text()
    double(small)
    with pytest.raises(DataError):
        run("snapshot", "+data.columns.tenure.like=previous")
    small.rows.write_text(kept)
    assert run("snapshot", "+data.columns.tenure.like=previous")["likeness"] == []


def test_a_version_that_there_is_not_is_told(run):
    with pytest.raises(DataError) as refused:
        run("snapshot", "+data.columns.tenure.like={version: 7}")
    assert [found.code for found in refused.value.diagnostics] == ["unknown-version"]


def test_keys_that_stand_in_no_other_table_are_told_beside_what_else_is_wrong(small, run):
    (small.rows.parent / "plans.csv").write_text("plan\nMonth-to-month\nOne year\n")
    told = "+data.references.plans={source: {kind: csv, path: data/plans.csv}, by: {contract: plan}}"
    with pytest.raises(DataError) as refused:
        run("snapshot", told, "data.rows.at_least=1000")
    assert [found.code for found in refused.value.diagnostics] == ["contract-rows", "contract-unmatched"]
    summary = run("snapshot", told, "+data.references.plans.severity=warn")
    assert [item["code"] for item in summary["doubts"]] == ["contract-unmatched"]
    (referred,) = summary["references"]
    assert (referred["rows"], 0 < referred["unmatched"] < 600) == (600, True)


def test_features_that_break_their_contract_end_the_preparation_or_are_told(small, run):
    """L-PREP-3: contracts after preparation. L-FE-1: the budget of features."""
    small.edit("validate:", "features: {at_most: 12, columns: {tenure: {std: [0.9, 1.1]}}}\nvalidate:")
    with pytest.raises(DataError) as refused:
        run("prepare")
    (found,) = refused.value.diagnostics
    assert (found.code, found.span.line > 1) == ("too-many-features", True)
    summary = run("prepare", "features.severity=warn")
    assert [item["code"] for item in summary["doubts"]] == ["too-many-features"]
    assert [item["broken"] for item in summary["contract"]] == [1, 0]


def test_any_step_may_say_how_much_it_may_lose(small, run):
    """L-ACQ-3: each step tells rows and values in, changed and out, and may set the most that it may lose."""
    young = "young: {op: derive, columns: {tenure: CASE WHEN tenure > 50 THEN NULL ELSE tenure END}"
    small.edit("  scale:", f"  {young}, max_loss: 1}}\n  gaps: {{op: impute, columns: tenure, with: 0}}\n  scale:")
    told = {step["step"]: step for step in run("prepare")["steps"]}
    assert told["young"]["values_in"] - told["young"]["values_out"] == told["young"]["values_lost"] > 0
    assert told["young"]["values_lost"] == told["young"]["values_changed"] == told["gaps"]["values_changed"]
    assert told["scale"]["values_lost"] == 0
    with pytest.raises(DataError) as refused:
        run("prepare", "prepare.young.max_loss=0.001")
    (found,) = refused.value.diagnostics
    assert (found.code, "step `young` loses" in found.headline) == ("too-much-loss", True)
