"""A prediction is followed back to what its release was made of."""

from __future__ import annotations

from types import SimpleNamespace

import orjson

from mlops_compiler.commands.trace import lineage

KEPT = {
    "m": {"model": {"kind": "boosting", "parameters": {"rounds": 90}}},
    "r": {"name": "churn", "seed": 1},
}
RUN = SimpleNamespace(
    overrides=["recipe=churn"],
    plan=[{"stage": "snapshot", "fingerprint": "f1"}, {"stage": "report"}],
    summary={
        "recipe": "r",
        "code": {"mlops-compile": "0.1.0", "commit": "abc", "dirty": False},
        "environment": {"libraries": {"polars": "2.1.0"}},
    },
)


def store(run=RUN):
    objects = SimpleNamespace(get=lambda digest: orjson.dumps(KEPT[digest]), exists=KEPT.__contains__)
    release = SimpleNamespace(manifest="m", run_id="run-7", metrics={"roc_auc": 0.84})
    snapshot = SimpleNamespace(outputs={"snapshot": "d1"}, summary={"rows": 7043, "other": 1})
    return SimpleNamespace(
        objects=objects,
        release=lambda _recipe, number: release if number == 3 else None,
        run=lambda _run_id: run,
        stage_record={"f1": snapshot}.get,
    )


def test_a_release_is_followed_to_code_recipe_and_rows():
    told = lineage(store(), "churn", 3)
    assert (told["run"], told["model"], told["parameters"]) == ("run-7", "boosting", {"rounds": 90})
    assert told["code"]["commit"] == "abc"
    assert told["libraries"] == {"polars": "2.1.0"}
    assert (told["recipe"], told["recipe_text"]) == ("r", KEPT["r"])
    assert told["data"] == {"snapshot": "d1", "rows": 7043}


def test_what_is_no_longer_known_is_said():
    assert lineage(store(), "churn", 9) == {"release": 9, "known": False}
    told = lineage(store(run=None), "churn", 3)
    assert (told["code"], told["recipe_text"], told["data"]) == (None, None, None)
