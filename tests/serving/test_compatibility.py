"""What breaks the clients of a release is found by comparing two manifests, and all of it is told."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from mlops_compiler.diagnostics import DataError
from mlops_compiler.serving.compatibility import changes, must_be_compatible


def field(name, kind="int", **rules):
    rules = {"nullable": False, "range": None, "one_of": None, "required": True} | rules
    return {"name": name, "type": kind, **rules}


def manifest(*fields, **others):
    told = {"task": "binary_classification", "target": "churn", "positive": "Yes", "classes": ["No", "Yes"]}
    return {**told, "key": "customer", "threshold": 0.5, "unused": [], "request": list(fields), **others}


def told(old, new):
    return SimpleNamespace(
        breaking=[change.text for change in changes(old, new) if change.breaking],
        notes=[change.text for change in changes(old, new) if not change.breaking],
    )


BEFORE = manifest(
    field("tenure", range=[0, 100]),
    field("plan", "category", one_of=["a", "b"]),
    field("note", "text", nullable=True, required=False),
    unused=["colour"],
)


def test_the_same_contract_changes_nothing():
    assert changes(BEFORE, BEFORE) == ()


@pytest.mark.parametrize(
    ("old", "new", "text"),
    [
        pytest.param([], [field("a")], "field `a` is new, and required", id="new and required"),
        pytest.param([field("a")], [], "field `a` is gone, and is refused where a client sends it", id="gone"),
        pytest.param(
            [field("a", required=False)], [field("a")], "field `a` is required now", id="optional to required"
        ),
        pytest.param(
            [field("a", nullable=True)], [field("a")], "field `a` must not be null any more", id="nullable to not"
        ),
        pytest.param([field("a", "float")], [field("a")], "field `a` was float, and is int", id="float to int"),
        pytest.param([field("a", "date")], [field("a", "datetime")], "field `a` was date, and is datetime", id="date"),
        pytest.param(
            [field("a", range=[0, 10])],
            [field("a", range=[0, 9])],
            "field `a` was from 0 to 10, and is from 0 to 9",
            id="narrower above",
        ),
        pytest.param(
            [field("a", range=[0, 10])],
            [field("a", range=[1, 99])],
            "field `a` was from 0 to 10, and is from 1 to 99",
            id="narrower below",
        ),
        pytest.param(
            [field("a")], [field("a", range=[0, 1])], "field `a` was not bounded, and is from 0 to 1", id="bounded"
        ),
        pytest.param(
            [field("a", "category", one_of=["x", "y"])],
            [field("a", "category", one_of=["x", "z"])],
            "field `a` has lost `y`",
            id="a level lost",
        ),
        pytest.param(
            [field("a", "text")],
            [field("a", "text", one_of=["x"])],
            "field `a` could be anything, and is one of `x`",
            id="levels",
        ),
        pytest.param(
            [field("a", "text")], [field("a", "text", pattern="x+")], "field `a` must match x+", id="a pattern"
        ),
    ],
)
def test_what_takes_less_breaks(old, new, text):
    assert told(manifest(*old), manifest(*new)).breaking == [text]


@pytest.mark.parametrize(
    ("old", "new", "text"),
    [
        pytest.param([], [field("a", required=False)], "field `a` is new, and may be left out", id="new and optional"),
        pytest.param(
            [field("a")], [field("a", required=False)], "field `a` may be left out", id="required to optional"
        ),
        pytest.param([field("a")], [field("a", nullable=True)], "field `a` may be null", id="nullable"),
        pytest.param([field("a")], [field("a", "float")], "field `a` was int, and is float", id="int to float"),
        pytest.param(
            [field("a", range=[0, 1])], [field("a")], "field `a` was from 0 to 1, and is not bounded", id="unbounded"
        ),
        pytest.param(
            [field("a", "category", one_of=["x"])],
            [field("a", "category", one_of=["x", "y"])],
            "field `a` has `y` besides",
            id="another level",
        ),
        pytest.param(
            [field("a", "text", pattern="x+")],
            [field("a", "text")],
            "field `a` need not match x+ any more",
            id="no pattern",
        ),
    ],
)
def test_what_takes_more_is_a_note(old, new, text):
    found = told(manifest(*old), manifest(*new))
    assert (found.breaking, found.notes) == ([], [text])


def test_a_column_that_is_not_looked_at_any_more_may_still_be_sent():
    found = told(manifest(field("a")), manifest(unused=["a"]))
    assert found.breaking == []
    assert "not looked at" in found.notes[0]


def test_a_name_that_could_be_sent_must_not_be_refused():
    assert told(BEFORE, {**BEFORE, "unused": []}).breaking == ["`colour` could be sent, and is refused now"]


@pytest.mark.parametrize(
    ("change", "part"),
    [
        pytest.param({"task": "regression", "classes": None}, "the task was", id="task"),
        pytest.param({"positive": "No"}, "the positive was `Yes`, and is `No`", id="positive"),
        pytest.param({"target": "left"}, "the target was `churn`", id="target"),
        pytest.param({"classes": ["Yes"]}, "what is decided has lost `No`", id="class"),
    ],
)
def test_answers_that_mean_something_else_break(change, part):
    (text,) = told(BEFORE, {**BEFORE, **change}).breaking
    assert part in text


def test_another_class_or_threshold_is_a_note():
    found = told(BEFORE, {**BEFORE, "classes": ["No", "Yes", "Maybe"], "threshold": 0.4})
    assert found.breaking == []
    assert found.notes == ["what is decided has `Maybe` besides", "the threshold was 0.5, and is 0.4"]


def test_every_way_is_told_when_a_release_is_refused():
    new = manifest(field("tenure", range=[1, 100]), field("plan", "category", one_of=["a"]), field("more"))
    with pytest.raises(DataError) as refused:
        must_be_compatible(changes(BEFORE, new), 3, 4)
    (finding,) = refused.value.diagnostics
    assert finding.code == "incompatible-release"
    assert "release 3" in finding.headline
    assert len(finding.notes) == len(told(BEFORE, new).breaking) == 5
    must_be_compatible(changes(BEFORE, BEFORE), 3, 4)
