"""A run goes on whatever its trackers do, and says afterwards which of them failed."""

from __future__ import annotations

import threading

from mlops_compiler.store.records import Event
from mlops_compiler.track.following import Following
from mlops_compiler.track.tracker import EndFacts, Log

END = EndFacts(status="succeeded")


class Notes(Log):
    def __init__(self):
        self.trials, self.ends = [], []

    def trial(self, trial):
        self.trials.append(trial)

    def end(self, outcome):
        self.ends.append(outcome)


class Broken(Notes):
    def trial(self, trial):
        raise OSError(28, "No space left on device")


def event(kind, /, **payload):
    return Event(id=1, run_id="r", time=0.0, kind=kind, payload=payload)


PLANNED = event("search_planned", metric="roc_auc")
FINISHED = event(
    "trial_finished",
    trial=3,
    model="net",
    kind="torch_mlp",
    fingerprint="a" * 64,
    parameters={"rate": 0.1, "on": True, "hidden": [64, 32]},
    preparation={"prepare.tails": None},
    status="complete",
    score=0.8,
    results=["fold-0", "fold-1"],
)


def test_a_trial_is_passed_on_with_the_records_of_its_folds():
    notes, asked = Notes(), []
    following = Following({"one": lambda: notes}, lambda seals: asked.append(seals) or {"fold-0": "record"})
    for item in (PLANNED, event("fold_finished", trial=3), FINISHED):
        following.feed(item)
    assert following.end(END) == {}
    (trial,) = notes.trials
    assert (trial.metric, trial.score, trial.folds, asked) == ("roc_auc", 0.8, ["record"], [["fold-0", "fold-1"]])
    assert trial.parameters == {"rate": 0.1, "on": True, "hidden": "[64, 32]", "prepare.tails": "null"}
    assert notes.ends == [END]


def test_a_tracker_that_fails_is_told_and_holds_up_no_other():
    notes, broken = Notes(), Broken()

    def down():
        raise ConnectionError("no server\nat all")

    following = Following({"down": down, "full": lambda: broken, "good": lambda: notes}, lambda _: {})
    for item in (PLANNED, FINISHED, FINISHED):
        following.feed(item)
    assert following.end(END) == {
        "down": "ConnectionError: no server",
        "full": "OSError: [Errno 28] No space left on device",
    }
    assert len(notes.trials) == 2
    assert broken.ends == []


def test_a_tracker_that_hangs_is_left_behind():
    never = threading.Event()
    following = Following({"hangs": lambda: never.wait() and Notes()}, lambda _: {})
    following.feed(FINISHED)
    assert following.end(END, patience=0.05) == {"hangs": "did not end within 0.05 seconds"}
    never.set()
