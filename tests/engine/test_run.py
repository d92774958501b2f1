"""A recipe runs on Ray from its rows to a release; what is on record runs no second time."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mlops_compiler.backends.local.run import run_in_process
from mlops_compiler.backends.stages.context import StageTask
from mlops_compiler.driver import plan_recipe
from mlops_compiler.frontend.hydra_app import launch
from mlops_compiler.store.writer import open_writer

pytestmark = pytest.mark.engine
STAGES = ["snapshot", "split", "prepare", "search", "select", "train", "evaluate", "explain", "release", "report"]


def run_locally(place, monkeypatch, *overrides):
    """Run the recipe in this process, without Ray; gives its artifacts as `Workplace.digests` does."""

    def task(composed):
        planned = plan_recipe(composed)
        open_writer(planned.location)
        facts = {"started": 0.0, "actions": []}
        tasks = [
            StageTask(
                stage=stage,
                recipe="small",
                root=str(composed.root.absolute()),
                store=planned.location,
                run_id="local",
                facts=facts,
            )
            for stage in planned.plan.to_run
        ]
        return run_in_process(tasks, {})

    monkeypatch.chdir(place.root)
    (records,) = launch(["recipe=small", *overrides], task)
    return {
        f"{name}.{output}": digest
        for name, record in records.items()
        if name != "report"
        for output, digest in record.outputs.items()
    }


def actions(place):
    return {item["stage"]: item["action"] for item in place.run().plan}


def test_ends_with_a_release_and_says_so(first_run):
    place, said = first_run
    assert said.code == 0, said.err
    run = place.run()
    assert (run.status, run.summary["release"], run.summary["accepted"]) == ("succeeded", 1, True)
    assert [release.number for release in place.store.releases("small")] == [1]
    for text in ("release 1", "at least 0.6", "boosting", "baseline", "mlops-compile deploy recipe=small"):
        assert text in said.out
    assert "Warning" not in said.err


def test_writes_a_report_of_one_file(first_run):
    place, said = first_run
    report = Path(place.run().summary["report"])
    assert str(report.relative_to(place.root)) in said.out
    page = report.read_text()
    assert page.lower().startswith("<!doctype html>")
    assert 'src="http' not in page
    assert 'href="http' not in page.replace('href="https://www.w3.org', "")


def test_records_what_happened(first_run):
    place, _ = first_run
    for kind in ("stage_started", "stage_finished"):  # in any order where two wait for the same one
        assert sorted(event.payload["stage"] for event in place.events(kind)) == sorted(STAGES)
    assert place.events("search_planned")[0].payload["trials"] == 6
    ended = [event.payload for event in place.events("trial_finished")]
    assert sorted(item["trial"] for item in ended) == list(range(6))
    assert all((item["folds"], item["cached"], item["status"]) == (3, False, "complete") for item in ended)
    assert len(place.events("fold_finished")) == 18


def test_gives_what_one_process_gives(first_run, small, monkeypatch):
    digests = first_run[0].digests()
    assert {"search.leaderboard", "select.selection", "evaluate.evaluation", "train.manifest"} <= set(digests)
    assert run_locally(small, monkeypatch) == digests


def test_runs_nothing_twice(finished, monkeypatch):
    monkeypatch.setattr("mlops_compiler.runtime.executor.ray_session", None)
    before = finished.digests()
    said = finished.main("recipe=small")
    assert (said.code, set(actions(finished).values())) == (0, {"reuse"})
    assert finished.events() == []
    assert finished.digests() == before
    assert "release 1" in said.out
    assert len(finished.store.releases("small")) == 1


def test_a_description_reruns_nothing(finished, monkeypatch):
    monkeypatch.setattr("mlops_compiler.runtime.executor.ray_session", None)
    finished.edit("Which of six hundred customers leave.", "Who leaves.")
    finished.edit("{kind: prior}", "{kind: prior, description: knows nothing}")
    assert finished.main("recipe=small").code == 0
    assert set(actions(finished).values()) == {"reuse"}


def test_a_parameter_reruns_the_search_and_its_new_trials_only(finished):
    said = finished.main("recipe=small", "models.boosting.max_iter=30")
    assert said.code == 0, said.err
    planned = actions(finished)
    assert [stage for stage in STAGES if planned[stage] == "reuse"] == ["snapshot", "split", "prepare"]
    (reason,) = [item["reason"] for item in finished.run().plan if item["stage"] == "search"]
    assert "models.boosting" in reason
    cached = {(event.payload["model"], event.payload["cached"]) for event in finished.events("trial_finished")}
    assert cached == {("baseline", True), ("logistic", True), ("boosting", False)}
    assert [release.number for release in finished.store.releases("small")] == [2, 1]


def test_what_does_not_reach_the_search_leaves_it(finished):
    said = finished.main("recipe=small", "select.rule=one_standard_error")
    assert said.code == 0, said.err
    planned = actions(finished)
    assert [planned[stage] for stage in ("prepare", "search", "select", "release")] == ["reuse", "reuse"] + [
        "rebuild"
    ] * 2


def test_a_missed_criterion_ships_nothing(finished):
    said = finished.main("recipe=small", "objective.accept.roc_auc.at_least=0.999")
    assert said.code == 1
    assert finished.run().status == "rejected"
    assert [release.number for release in finished.store.releases("small")] == [1]
    assert "at least 0.999" in said.out
    assert "deploy" not in said.out
    again = json.loads(finished.main("recipe=small", "objective.accept.roc_auc.at_least=0.999", "--json").out)
    assert (again["release"], again["criteria"][0]["met"]) == (None, False)


def test_a_run_as_json_is_one_document(finished):
    said = finished.main("recipe=small", "--json")
    told = json.loads(said.out)
    assert (told["status"], told["release"], told["ran"]) == ("succeeded", 1, [])
    assert told["leaderboard"]["trials"][0]["model"] == told["selection"]["model"]


@pytest.mark.parametrize(
    ("asked", "model", "wish"),
    [
        pytest.param("+models.net={kind: torch_mlp, resources: {gpu: «4»}}", "net", "1 CPUs, 4 GPUs", id="GPUs"),
        pytest.param("models.boosting.resources.cpu=«500»", "boosting", "500 CPUs, 0 GPUs", id="CPUs"),
        pytest.param("models.boosting.resources.memory=«1e6»", "boosting", "1 CPUs, 0 GPUs, 1e+06 GiB", id="memory"),
    ],
)
@pytest.mark.timeout(60)
@pytest.mark.usefixtures("engine")
def test_a_request_that_no_node_can_meet_is_an_error_before_the_run(small, asked, model, wish):
    override, blamed = asked.replace("«", "").replace("»", ""), asked[asked.index("«") + 1 : asked.index("»")]
    said = small.main("recipe=small", override)
    assert said.code == 3
    assert f"error[infeasible-resources]: a trial of `{model}` asks for {wish}" in said.err
    assert f"--> command line: {override}" in said.err
    line, carets = said.err.splitlines()[2:4]
    assert [at for at, sign in enumerate(carets) if sign == "^"] == [
        line.index(blamed) + at for at in range(len(blamed))
    ]
    assert "the cluster has a node with 2 CPUs, 1 GPUs" in said.err
    assert small.events() == []
    assert small.run().status == "failed"
    assert not small.events("stage_finished")
