"""What a recipe may want watched, and what is refused."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from pydantic import ValidationError

from mlops_compiler.commands import monitor as command
from mlops_compiler.commands.base import INTERRUPTED, Invocation
from mlops_compiler.commands.notices import Notices
from mlops_compiler.diagnostics import Diagnostic, EngineError
from mlops_compiler.frontend.hydra_app import launch
from mlops_compiler.frontend.validate import validate
from mlops_compiler.recipe.monitor import Monitor


def test_the_old_keys_are_still_the_same():
    found = Monitor.model_validate({"every": "1h", "drift": "auto", "performance": {"roc_auc": {"at_least": 0.8}}})
    assert (found.every, found.drifts is not None, found.alert.agree) == (3600.0, True, 1)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"every": "1h", "cron": "0 * * * *"}, "both say when"),
        ({"alert": {"of": ["drfit"]}}, "'drfit'"),
        ({"alert": {"of": ["drift:"]}}, "'drift:'"),
        ({"alert": {"of": ["drift", "drift"]}}, "twice"),
        ({"alert": {"agree": 2, "of": ["drift"]}}, "never agree"),
        ({"drift": {"columns": ["tenure"], "ignore": ["tenure"]}}, "ignores tenure"),
        ({"stale_after": {}}, "how old what may be"),
        ({"patience": {"drfit": 2}}, "patience"),
        ({"window": "a day"}, "duration"),
    ],
)
def test_what_can_never_be_watched_is_refused(given, said):
    with pytest.raises(ValidationError, match=said):
        Monitor.model_validate(given)


@pytest.mark.parametrize(
    ("given", "task", "labelled", "said"),
    [
        ({"stale_after": {"labels": "1d"}}, "clustering", False, "has no target"),
        ({"slices": ["cut"], "drift": "none"}, "clustering", False, "has no target"),
        ({"alert": {"of": ["estimate"]}}, "anomaly_detection", True, "names estimate"),
        ({"alert": {"of": ["latency"]}}, "regression", True, "names latency"),
        ({"alert": {"agree": 9}}, "clustering", False, "3 kinds are watched"),
    ],
)
def test_what_the_task_has_not_is_refused(given, task, labelled, said):
    assert said in Monitor.model_validate(given).lack(task, labelled=labelled)


def test_what_the_task_has_is_not():
    given = {"alert": {"agree": 2, "of": ["drift:cut", "latency"]}, "latency_p99": "50ms"}
    assert Monitor.model_validate(given).lack("clustering", labelled=False) is None
    assert Monitor.model_validate({"slices": ["cut"]}).lack("clustering", labelled=False) is None


@pytest.mark.parametrize(
    ("section", "said"),
    [
        ("slices: [contrat]", "did you mean `contract`?"),
        ("drift: {ignore: [tenur]}", "did you mean `tenure`?"),
        ("drift: {thresholds: {monthly: 0.2}}", "`monthly` under `monitor.drift.thresholds`"),
    ],
)
def test_a_column_that_is_not_there_is_refused(served, section, said):
    served.watch(section)
    found = served.place.main("check", "recipe=telco")
    assert found.code == 1
    assert said in found.err


def test_a_notice_of_what_nothing_watches_is_warned_of(served):
    path = served.root / "recipes" / "telco.yaml"
    notice = "notify: [{when: [drift, alert], to: 'json://localhost'}]\n"
    path.write_text(path.read_text() + notice)
    assert "not-acted-on" not in served.place.main("check", "recipe=telco").err
    served.watch("drift: none")
    path.write_text(path.read_text() + notice)
    assert served.place.main("check", "recipe=telco").err.count("not-acted-on") == 1


class Clock:
    """A clock that jumps to what it waits for, and then a little further; ends after some waits."""

    def __init__(self, start, waits, sleeps=timedelta()):
        self.time, self.waits, self.sleeps = start, waits, sleeps

    def now(self):
        return self.time

    def wait(self, seconds):
        if self.waits == 0:
            raise KeyboardInterrupt
        self.waits -= 1
        self.time += timedelta(seconds=seconds) + self.sleeps


def watched(served, monkeypatch, clock):
    monkeypatch.chdir(served.root)
    invocation = Invocation(command="monitor", overrides=(), flags=frozenset({"--watch"}))
    (code,) = launch(
        ["recipe=telco"], lambda composed: command._watched(composed, validate(composed), invocation, clock)
    )
    return code


def test_watching_checks_as_often_as_the_recipe_says(served, others, monkeypatch, capsys):
    served.watch("every: 40s")
    served.serve(others.head(200))
    assert watched(served, monkeypatch, Clock(datetime.now(UTC), waits=4)) == INTERRUPTED
    assert len(served.store.checks("telco", "development")) == 3
    assert "watching ended: 3 checks, 0 alerts" in capsys.readouterr().err


def test_a_check_that_was_missed_is_told(served, monkeypatch, inbox):
    monkeypatch.setenv("HOOK", inbox.url)
    served.watch("every: 60s")
    path = served.root / "recipes" / "telco.yaml"
    path.write_text(f"{path.read_text()}notify: [{{when: [missed], to: {{secret: HOOK}}}}]\n")
    watched(served, monkeypatch, Clock(datetime.now(UTC), waits=1, sleeps=timedelta(minutes=5)))
    (message,) = inbox.messages
    assert "the check of" in message["message"]
    assert "were missed" in message["message"]


@pytest.mark.parametrize(("code", "told"), [("release-taken-back", 1), ("service-unreachable", 0)])
def test_a_release_that_was_taken_back_is_told(served, monkeypatch, inbox, code, told):
    monkeypatch.setenv("HOOK", inbox.url)
    monkeypatch.chdir(served.root)
    path = served.root / "recipes" / "telco.yaml"
    path.write_text(f"{path.read_text()}notify: [{{when: [rollback], to: {{secret: HOOK}}}}]\n")

    def deploy(composed):
        notices = Notices.of(composed, Invocation(command="deploy", overrides=()), "rollout")
        with pytest.raises(EngineError), notices.of_rollback(2, 1):
            raise EngineError([Diagnostic(code=code, headline="3 % of requests fail")])

    launch(["recipe=telco"], deploy)
    assert len(inbox.messages) == told
    for message in inbox.messages:
        lines = message["message"].splitlines()
        assert message["type"] == "failure"
        assert lines[:2] == ["release 2 is taken back: release 1 answers", "reason: 3 % of requests fail"]
        assert lines[-1] == "next: mlops-compile status recipe=telco"
