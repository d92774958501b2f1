"""Sweeps of recipes: side by side, sharing the store, no failure hiding the others."""

from __future__ import annotations

import json

import pytest

pytestmark = [pytest.mark.engine, pytest.mark.usefixtures("engine")]


def test_jobs_run_side_by_side_and_share_the_store(finished):
    said = finished.main(
        "--multirun", "--json", "recipe=small", "validate.seed=7,11", "hydra/launcher=ray", "search.trials=6"
    )
    assert said.code == 0, said.err
    first, second = (json.loads(line) for line in said.out.splitlines())
    assert first["ran"] == []  # the recipe ran before with this seed: its job reuses all of it
    assert "search" in second["ran"]
    assert "snapshot" in second["reused"]
    assert first["release"] != second["release"] or first["release"] is None
    for number in (0, 1):
        assert f"job {number} done" in said.err


def test_a_job_that_fails_neither_stops_nor_hides_the_others(finished):
    said = finished.main("-m", "check", "recipe=small", "search.trials=6,nine,8", "hydra/launcher=ray")
    assert said.code == 1
    assert said.out.count("small is valid") == 2
    assert "job 1 failed" in said.err
    assert "search.trials=nine" in said.err
    assert "Traceback" not in said.err


def test_a_sweep_with_a_job_that_does_not_compose_is_refused_before_any_starts(finished):
    said = finished.main("-m", "check", "recipe=small,smal", "hydra/launcher=ray")
    assert said.code == 2
    assert "there is no recipe `smal`" in said.err
    assert "job 0" not in said.err


@pytest.mark.parametrize(
    ("word", "told"),
    [
        ("hydra.launcher.max_concurrent=0", "`hydra.launcher.max_concurrent` is 0"),
        ("hydra.launcher.address=here", "`hydra.launcher.address` is 'here'"),
    ],
)
def test_settings_are_checked(small, word, told):
    said = small.main("-m", "check", "recipe=small", "search.trials=6,7", "hydra/launcher=ray", word)
    assert said.code == 2
    assert told in said.err
