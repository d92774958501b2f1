"""A run from the command line is noted down by its trackers, and succeeds where they cannot."""

from __future__ import annotations

import json

import pytest

from mlops_compiler.backends.local.run import run_in_process
from mlops_compiler.plan.stages import Reuse

QUICK = ("recipe=small", "~models.boosting", "explain=none")


@pytest.fixture
def in_process(monkeypatch):
    """Run stages in this process: what is told of a run does not depend on the engine."""

    def execute(plan, tasks, _cluster, feed):
        records = {action.stage.name: action.record for action in plan.actions if isinstance(action, Reuse)}
        for stage in plan.to_run:
            records = run_in_process([tasks[stage.name]], records)
            feed.poll()
        return records

    monkeypatch.setattr("mlops_compiler.runtime.executor.execute", execute)


@pytest.mark.usefixtures("in_process")
def test_trials_are_noted_once_and_a_folder_that_cannot_be_written_is_a_warning(small):
    board = "track.board={kind: tensorboard, path: board}"
    said = small.main(*QUICK, board, "search.trials=3")
    assert said.code == 0, said.err
    trials = [event.payload for event in small.events("trial_finished")]
    folders = {path.name for path in (small.root / "board" / "small").iterdir()}
    assert folders == {f"{trial['model']}-{trial['fingerprint'][:12]}" for trial in trials}

    (small.root / "taken").write_text("a file")
    said = small.main(*QUICK, board, "track.other={kind: tensorboard, path: taken}", "search.trials=4", "--json")
    assert said.code == 0, said.err
    (warning,) = (item for item in json.loads(said.out)["warnings"] if item["code"] == "tracking-failed")
    assert warning["headline"] == "tracker `other` could not note the run down"
    assert len(list((small.root / "board" / "small").rglob("events*"))) == 4
