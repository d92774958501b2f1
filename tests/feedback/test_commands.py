"""`feedback` and `retrain` as a user types them, on what a service logged."""

from __future__ import annotations

import io
import json
from contextlib import redirect_stderr, redirect_stdout
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from mlops_compiler import cli
from mlops_compiler.commands import retrain as module
from mlops_compiler.store.collections import collections
from mlops_compiler.store.segments import LABELS, PREDICTIONS, Segments
from tests.feedback.conftest import lay_out
from tests.ui.conftest import visitor

HERE = "cluster.engine=in_process"
OUTCOME = ("outcome", "outcome_time", "outcome_source")


def main(*words):
    """Run a command line in this process; gives its code, what it printed and what it said beside."""
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        code = cli.main(words)
    return code, out.getvalue(), err.getvalue()


def log(world, joined):
    """Log predictions and labels as a service does."""
    location = world.planned().location
    told = joined.select(
        "id", pl.lit(None, pl.String).alias("key"), "outcome", time="outcome_time", source="outcome_source"
    )
    for kind, rows in ((PREDICTIONS, joined.drop(OUTCOME)), (LABELS, told)):
        content = io.BytesIO()
        rows.write_parquet(content)
        Segments(location, kind, "churn").append(content.getvalue())


@pytest.fixture
def logged(world, served):
    """Log what four keys asked and labelled; a fifth of the labels of the first one are false."""
    for place in range(4):
        part = served.slice(500 * place, 500)
        log(world, world.logged(part, f"key{place}", flipped=0.0 if place else 0.2, seed=place, days=2))
    return world


def test_feedback_says_what_comes_back_and_where_it_fails(logged, tmp_path):
    code, out, _ = main("feedback", "recipe=churn", "--json")
    told = json.loads(out)
    assert code == 0
    assert (told["predictions"], told["release"]) == (2000, 1)
    assert told["sources"]["key:key0"]["held_back"]
    assert told["rows"] == sum(said["returns"] for said in told["sources"].values())
    assert told["rows"] + sum(told["dropped"].values()) == 2000
    assert told["failings"]["slices"]["tested"] > 100
    worst = told["failings"]["slices"]["worst"][0]
    assert {"changed", "outcome", "calibration", "q"} <= set(worst)
    assert collections(logged.store, "churn") == [], "it only looks"

    code, out, _ = main("feedback", "recipe=churn", "--out", str(tmp_path / "rows.parquet"))
    assert code == 0
    assert "key:key0" in out
    assert "held back" in out
    assert pl.read_parquet(tmp_path / "rows.parquet").height == told["rows"]
    main("feedback", "recipe=churn", "--out", str(tmp_path / "all.json"))
    assert json.loads((tmp_path / "all.json").read_text())["rows"] == told["rows"]


def test_collected_rows_are_what_the_next_run_learns_from(logged):
    code, out, _ = main("feedback", "recipe=churn", "--collect", "--json")
    assert code == 0
    told = json.loads(out)
    assert told["collection"] == 1
    (kept,) = collections(logged.store, "churn")
    assert (kept.account["release"], kept.account["failings"]) == (1, told["failings"])
    code, out, _ = main("plan", "recipe=churn")
    assert f"feed back: {json.loads(main('feedback', 'recipe=churn', '--json')[1])['rows']} rows" in out


def test_a_retraining_that_does_not_beat_the_release_is_refused_and_noted(logged):
    code, out, err = main("retrain", "recipe=churn", HERE, "--json")
    assert code == 1, err
    told = json.loads(out)
    assert told["retraining"]["cause"] == "hand"
    assert told["release"] is None
    assert told["criteria"][0]["beats"][0]["met"] is False
    store = logged.store
    (collection,) = collections(store, "churn")
    assert collection.refused == told["run_id"]
    assert collection.account["failings"]["slices"]["tested"] > 100
    assert store.run(told["run_id"]).summary["retraining"]["rows"] == collection.rows
    noted = {entry.action: entry.payload for entry in store.audit("churn")}
    assert noted["quarantine"]["source"] == "key:key0"
    assert (noted["retrain"]["outcome"], noted["retrain"]["run"]) == ("rejected", told["run_id"])
    assert "feedback" not in logged.plan(), "what was refused is learned from no more"
    assert next(event.kind for event in store.events(told["run_id"])) == "retraining"
    page = visitor(store.location).get("/recipes/churn/feedback").text
    for shown in ("<b>key:key0</b> is held back", "Where release 1 fails", ">rejected<", f"/runs/{told['run_id']}"):
        assert shown in page


def test_nothing_new_makes_no_second_release(world):
    code, out, _ = main("retrain", "recipe=churn", HERE)
    assert code == 0
    assert "nothing has changed" in out
    assert [release.number for release in world.store.releases("churn")] == [1]
    assert world.store.audit("churn")[0].payload["outcome"] == "nothing new"


def test_newest_rows_without_feedback_must_beat_it_too_and_stay_one_release(tmp_path, monkeypatch, customers):
    monkeypatch.chdir(tmp_path)
    early = customers.filter(pl.col("internet_service") != "Fiber optic").head(1500)
    world = lay_out(tmp_path, early)
    world.run()
    later = customers.join(early, on="customer_id", how="anti", maintain_order="left").head(3500)
    pl.concat([early, later]).write_csv(world.source)
    code, out, err = main("retrain", "recipe=churn", HERE, "--json")
    assert code == 0, err
    assert json.loads(out)["release"] == 2
    assert json.loads(out)["criteria"][0]["beats"][0]["other"] == "release 1"
    assert main("recipe=churn", HERE)[0] == 0
    assert main("retrain", "recipe=churn", HERE)[0] == 0
    assert [release.number for release in world.store.releases("churn")] == [2, 1], "the same model has one number"


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (("feedback", "recipe=churn", "~feedback"), 2, "does not say what comes back"),
        (("retrain", "recipe=churn", "~feedback"), 2, "does not say what comes back"),
        (("retrain", "recipe=churn", "--watch"), 2, "does not say when to train anew"),
        (("retrain", "recipe=churn", "--if-due"), 2, "does not say when to train anew"),
        (("feedback", "recipe=churn", "--out", "rows.xlsx"), 2, "`.parquet`"),
    ],
)
def test_what_cannot_be_is_refused(world, words, code, told):
    found = main(*words)
    assert found[0] == code
    assert told in found[1] + found[2]


def test_what_is_not_due_is_not_done(world):
    code, out, _ = main("retrain", "recipe=churn", "feedback.retrain.cron='0 3 1 1 *'", "--if-due", "--json")
    assert code == 0
    assert json.loads(out) == {"recipe": "churn", "due": False, "said": "nothing is due"}


class Time:
    """A clock that waits at no time, and ends the watching after some days."""

    def __init__(self, days):
        self.time = datetime.now(UTC)
        self.end = self.time + timedelta(days=days)

    def now(self):
        return self.time

    def wait(self, seconds):
        self.time += timedelta(hours=6)
        if self.time > self.end:
            raise KeyboardInterrupt


def test_watching_trains_each_time_that_it_is_due(world, monkeypatch):
    clock, done = Time(days=3), []
    monkeypatch.setattr(module, "WallClock", lambda: clock)

    def train(composed, invocation, why, *, unattended):
        done.append(why.cause)
        with monkeypatch.context() as patch:
            patch.setattr("mlops_compiler.store.operations.time.time", clock.time.timestamp)
            world.store.add_audit(actor="t", action="retrain", recipe="churn")
        return 1

    monkeypatch.setattr(module, "train_anew", train)
    code, _, err = main("retrain", "recipe=churn", "feedback.retrain.cron='0 3 * * *'", "--watch")
    assert code == 130
    assert len(done) in (2, 3)
    assert set(done) == {"cron"}
    assert "watching ended" in err


def test_an_alert_trains_once(world, monkeypatch):
    world.store.add_check(
        environment="development",
        recipe="churn",
        release=1,
        status="alert",
        payload={"rules": [{"kind": "drift", "fired": True}]},
    )
    watched = ("monitor={drift: auto}", "feedback.retrain.when=[drift]")
    done = []
    monkeypatch.setattr(module, "train_anew", lambda composed, invocation, why, **_: done.append(why.text) or 0)
    assert main("retrain", "recipe=churn", *watched, "--if-due")[0] == 0
    assert done == ["the last check found drift"]
    world.store.add_audit(actor="t", action="retrain", recipe="churn")
    main("retrain", "recipe=churn", *watched, "--if-due")
    assert len(done) == 1
