"""A plan that was written down is run exactly so, or not at all; programs are told by exit codes what a plan is."""

from __future__ import annotations

import json

import pytest


def test_exit_codes_tell_whether_anything_would_run(small):
    assert small.main("plan", "recipe=small").code == 0
    assert small.main("plan", "recipe=small", "--detailed-exitcode").code == 2
    assert small.main("plan", "recipe=smal", "--detailed-exitcode").code == 1
    assert small.main("plan", "recipe=small", "search.trials=0", "--detailed-exitcode").code == 1


def test_a_plan_is_written_and_runs(small, engine):
    written = small.main("plan", "recipe=small", "search.trials=3", "--out", "plan.json")
    assert written.code == 0
    assert "mlops-compile run plan=plan.json" in written.err
    said = small.main("run", "plan=plan.json")
    assert said.code == 0
    assert small.run().overrides == ["recipe=small", "search.trials=3"]
    assert small.main("plan", "recipe=small", "search.trials=3", "--detailed-exitcode").code == 0
    again = small.main("run", "plan=plan.json")
    assert again.code == 1
    assert "error[plan-stale]" in again.err
    assert "`search` was new and is reuse now" in again.err


CHANGES = {
    "the recipe": (lambda place: place.edit("trials: 6", "trials: 7"), "`search.trials` of the recipe changed since"),
    "a word that changes no result": (
        lambda place: place.edit("Which of six hundred", "Who of six hundred"),
        "`description` of the recipe changed since",
    ),
    "the data": (
        lambda place: place.rows.write_text(place.rows.read_text().replace("29.85", "29.95", 1)),
        "`snapshot` would make something else now",
    ),
}


@pytest.mark.parametrize("case", CHANGES.values(), ids=CHANGES)
def test_what_changed_since_is_refused(small, case):
    change, words = case
    assert small.main("plan", "recipe=small", "--out", "plan.json").code == 0
    change(small)
    said = small.main("run", "plan=plan.json")
    assert said.code == 1
    assert words in said.err
    assert not small.folder.exists()


def test_a_plan_is_not_changed_on_the_way(small):
    small.main("plan", "recipe=small", "--out", "plan.json")
    said = small.main("run", "plan=plan.json", "search.trials=3")
    assert (said.code, "would change that" in said.err) == (2, True)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param(None, "No such file", id="none"),
        pytest.param("{", "Expecting property name", id="no JSON"),
        pytest.param("[]", "list indices", id="no mapping"),
        pytest.param(json.dumps({"format": 1}), "overrides", id="too little"),
    ],
)
def test_a_file_that_is_no_plan(small, text, words):
    if text is not None:
        (small.root / "plan.json").write_text(text)
    said = small.main("run", "plan=plan.json")
    assert said.code == 1
    assert "plan.json is no plan that can be read" in said.err
    assert words in said.err


def test_a_plan_of_another_version(small):
    small.main("plan", "recipe=small", "--out", "plan.json")
    path = small.root / "plan.json"
    path.write_text(path.read_text().replace('"format": 1', '"format": 99'))
    assert "its format is 99" in small.main("run", "plan=plan.json").err


def test_a_plan_holds_no_password(small):
    said = small.main("plan", "recipe=small", "store.database=postgresql://me:s3cret@nowhere/db", "--out", "plan.json")
    assert said.code != 0
    assert not (small.root / "plan.json").exists()
    assert "s3cret" not in said.err + said.out


def test_a_plan_goes_where_it_can_be_written(small):
    said = small.main("plan", "recipe=small", "--out", "no/such/folder/plan.json")
    assert (said.code, "cannot be written" in said.err) == (2, True)
    said = small.main("plan", "-m", "recipe=small", "search.trials=3,4", "--out", "plan.json")
    assert "a sweep makes several" in said.err


def test_why_says_where_the_change_is_written(finished):
    finished.edit("k: 3", "k: 4")
    said = finished.main("why", "search", "recipe=small")
    assert said.code == 0
    assert "`validate.folds.k` changed: 3 → 4" in said.out
    assert "--> recipes/small.yaml:" in said.out
    told = json.loads(finished.main("why", "search", "recipe=small", "--json").out)
    assert [link["stage"] for link in told["chain"]] == ["search", "prepare", "split"]
    assert finished.main("why", "serch", "recipe=small").code == 2
    assert "`why` needs a stage" in finished.main("why", "recipe=small").err
