"""A release is deployed, asked, looked at and ended from the command line; it answers what a batch holds."""

from __future__ import annotations

import json
import urllib.request

import polars as pl
import psutil
import pytest

from mlops_compiler.backends.ray.serve_engine import free_port

pytestmark = pytest.mark.engine


def ask(url, rows):
    request = urllib.request.Request(url, json.dumps(rows).encode(), {"content-type": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.loads(answer.read())


def engine_of(pid):
    """List the processes of a session that lead to the service."""
    leader = psutil.Process(pid)
    return [leader, *leader.children(recursive=True)]


def batch(place, *named):
    """Score the whole file in batch."""
    scored = place.main("predict", *named, f"input={place.rows}", "output=scores.ndjson")
    assert scored.code == 0, scored.err
    return [json.loads(line) for line in (place.root / "scores.ndjson").read_text().splitlines()]


def test_a_release_is_served_from_deploy_to_undeploy(finished):
    named = ("recipe=small", f"deploy.port={free_port()}")
    deployed = finished.main("deploy", *named, "--json")
    assert deployed.code == 0, deployed.err
    told = json.loads(deployed.out)
    processes = engine_of(told["pid"])
    try:
        (state,) = json.loads(finished.main("status", "--json").out)
        assert (state["recipe"], state["release"], state["status"]) == ("small", 1, "healthy")
        assert "healthy" in finished.main("status", *named).out

        rows = pl.read_csv(finished.rows).drop("churn").head(20).to_dicts()
        answer = ask(told["url"], rows)
        assert answer["release"] == 1
        told_by_service = [
            {name: value for name, value in row.items() if name != "id"} for row in answer["predictions"]
        ]
        assert told_by_service == batch(finished, *named)[:20]
        assert "POST" in finished.main("logs", *named).out

        replayed = json.loads(finished.main("verify", *named, "rows=50", "--json").out)
        assert (replayed["rows"], replayed["differing"], replayed["source"]) == (50, 0, "the holdout")
        assert replayed["correctness"]["rows"] == 50
        of_file = finished.main("verify", *named, f"input={finished.rows}", "rows=40")
        assert of_file.code == 0, of_file.err
        assert f"40 rows of {finished.rows.name} sent, all equal" in of_file.out
        assert "roc_auc" in of_file.out
        rollout = json.loads(finished.main("rollout", *named, "--json").out)
        assert rollout["rollout"] is None
        assert [(step["step"], step["differing"]) for step in rollout["steps"]] == [("replay", 0)]
        assert "no release is on its way" in finished.main("rollout", *named, "--abort").err
    finally:
        ended = finished.main("undeploy", *named)
    assert ended.code == 0, ended.err
    assert "served no longer" in ended.out
    assert psutil.wait_procs(processes, timeout=30)[1] == []
    assert json.loads(finished.main("status", "--json").out) == []
    assert finished.main("undeploy", *named).code == 2
