"""Every command says what it was asked for, on standard output and nothing else there."""

from __future__ import annotations

import json

import pytest

from mlops_compiler.commands.table import COMMANDS
from mlops_compiler.store.operations import actor


def test_the_program_tells_its_version_and_how_to_use_it(small):
    version, usage = small.main("--version"), small.main("--help")
    assert (version.code, version.out.split()[0]) == (0, "mlops-compile")
    assert usage.code == 0
    assert all(f"\n  {command} " in usage.out for command in COMMANDS)
    assert "small" in usage.out


@pytest.mark.parametrize("flag", ["--help", "-h"])
@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_tells_its_own_words(small, command, flag):
    said = small.main(command, "recipe=nowhere", flag)
    own = COMMANDS[command]
    assert (said.code, said.err) == (0, "")
    assert said.out.startswith(f"mlops-compile {command}: {own.about}\n")
    assert all(word in said.out for word in (*own.arguments, *own.flags, *own.options))
    assert "Commands:" not in said.out


def test_cfg_prints_the_composed_recipe(small):
    said = small.main("--cfg", "job", "recipe=small", "search.trials=80")
    assert said.code == 0
    assert said.out.startswith("name: small\n")
    assert "  trials: 80\n" in said.out


def test_check_counts_what_it_found(small):
    said = small.main("check", "recipe=small")
    assert said.code == 0
    assert said.out == (
        "small is valid: 21 columns, 3 steps, 19 features, 3 models\n"
        "  no contract types 17 of the columns: the first rows do; verbose=true shows which\n"
    )
    assert json.loads(small.main("check", "recipe=small", "--json").out) == {
        "recipe": "small",
        "valid": True,
        "columns": 21,
        "steps": 3,
        "features": 19,
        "models": 3,
        "preparations": 1,
        "warnings": [],
    }
    told = small.main("check", "recipe=small", "verbose=true").out
    assert "one_hot" in told
    assert "name=female type=int nullable=True inferred=True" in told
    assert "name=tenure type=int nullable=False range=[0.0, 100.0]\n" in told


def test_a_plan_says_what_would_run(small):
    before = small.files()
    said = small.main("plan", "recipe=small")
    assert said.code == 0
    assert "10 to run, 0 reused" in said.out
    told = json.loads(small.main("plan", "recipe=small", "--json").out)
    assert {stage["action"] for stage in told["stages"]} == {"new"}
    assert all(len(stage["fingerprint"]) == 64 for stage in told["stages"])
    assert small.files() == before


def test_a_sweep_runs_a_command_for_each_job(small):
    said = small.main("plan", "--multirun", "recipe=small", "validate.seed=1,2")
    assert (said.code, said.out.count("plan of small")) == (0, 2)


def test_a_sweep_prints_a_line_of_json_for_each_job(small):
    said = small.main("check", "--multirun", "recipe=small", "validate.seed=1,2", "--json")
    assert [json.loads(line)["valid"] for line in said.out.splitlines()] == [True, True]


@pytest.mark.parametrize(
    "words",
    [
        pytest.param(["--multirun", "check", "recipe=small"], id="after a flag"),
        pytest.param(["--json", "check", "recipe=small"], id="after --json"),
        pytest.param(["-m", "check", "recipe=small", "validate.seed=1"], id="after a short flag"),
    ],
)
def test_flags_may_stand_before_the_command(small, words):
    assert small.main(*words).code == 0


def test_one_bad_job_of_a_sweep_is_said_after_the_good_ones(small):
    said = small.main("check", "--multirun", "recipe=small", "search.trials=5,many")
    assert said.code == 1
    assert "small is valid" in said.out
    assert "'many'" in said.err


@pytest.mark.engine
@pytest.mark.usefixtures("engine")
def test_a_sweep_runs_each_job_to_its_release(finished):
    said = finished.main("--multirun", "recipe=small", "select.rule=best,one_standard_error")
    assert said.code == 0, said.err
    assert said.out.count("small: release") == 2
    assert [run.status for run in finished.store.runs()] == ["succeeded"] * 3


@pytest.mark.engine
def test_history_lists_runs_and_shows_one(finished):
    run = finished.run()
    listed, shown = finished.main("runs"), finished.main("show", run.run_id)
    assert (listed.code, shown.code) == (0, 0)
    assert run.run_id in listed.out
    assert run.run_id in shown.out
    assert "at least 0.6" in shown.out
    (told,) = json.loads(finished.main("runs", "recipe=small", "limit=5", "--json").out)
    assert (told["run_id"], told["status"]) == (run.run_id, "succeeded")
    told = json.loads(finished.main("show", "--json").out)
    assert told["run_id"] == run.run_id
    assert told["summary"]["actor"] == actor()
    assert actor() in shown.out
    assert told["events"][0]["kind"] == "stage_started"
    trials = json.loads(finished.main("trials", "--json").out)
    assert trials == told["search"]
    assert trials["importance"]["logistic"]["why_not"].startswith("too few trials to tell")
    assert trials["spaces"]["logistic"] == {"C": {"log_uniform": [0.001, 10]}}
    shown = finished.main("trials", run.run_id).out
    assert f"trial {trials['chosen']}" in shown
    assert shown.count("trial ") == len(trials["trials"])


def test_history_of_nothing_is_empty(small):
    assert json.loads(small.main("runs", "--json").out) == []
    assert json.loads(small.main("status", "--json").out) == []
    assert small.main("runs").code == small.main("status").code == 0


@pytest.mark.engine
@pytest.mark.parametrize(
    ("spoil", "texts"),
    [
        pytest.param(lambda text: text.replace("tenure", "months", 1), ["tenure"], id="a field is gone"),
        pytest.param(lambda text: text.replace("Month-to-month", "Weekly"), ["contract", "Weekly"], id="a wrong value"),
        pytest.param(lambda text: "", ["empty"], id="an empty file"),
    ],
)
def test_a_file_that_breaks_the_contract_is_not_scored(finished, spoil, texts):
    source = finished.root / "customers.csv"
    source.write_text(spoil(finished.rows.read_text()))
    said = finished.main("predict", "recipe=small", "input=customers.csv", "output=scores.csv")
    assert said.code == 1, said.err
    for text in texts:
        assert text in said.err
    assert not (finished.root / "scores.csv").exists()


@pytest.mark.engine
def test_a_release_that_is_not_there_is_not_scored_with(finished):
    said = finished.main("predict", "recipe=small", "input=x.csv", "output=y.csv", "release=9")
    assert said.code == 1
    assert "`small` has no release 9" in said.err
    assert "`1`" in said.err


def test_findings_are_told_in_the_format_asked_for(small):
    concise = small.main("check", "recipe=small", "objective.metric=roc", "--format", "concise")
    assert (concise.code, concise.out) == (1, "")
    place = "command line: objective.metric=roc: error[invalid-value] "
    assert concise.err.startswith(place)
    assert concise.err.count("\n") == 1
    small.edit("task: binary", "tsk: binary")
    github = small.main("check", "recipe=small", "--format=github")
    assert (github.code, github.err) == (1, "")
    first = github.out.splitlines()[0]
    assert first.startswith("::error file=recipes/small.yaml,line=")
    assert "title=error[" in first
    assert "%0Ahelp: " in first
    assert json.loads(small.main("check", "recipe=small", "--format", "json").out)["errors"]


def test_a_format_that_there_is_not(small):
    said = small.main("check", "recipe=small", "--format", "xml")
    assert said.code == 2
    assert "the formats are `full`, `concise`, `json` and `github`" in said.err
    assert small.main("check", "recipe=small", "--format").code == 2
