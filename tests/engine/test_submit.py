"""A run as a job of a cluster: the code, the recipe and small files travel; its log and its exit code come back."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.engine

CLUSTER = """
import socket, sys
from ray.cluster_utils import Cluster

def free():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]

# The agent's port is a fixed one by default, which the suite's own engine has.
ports = {"dashboard_port": free(), "dashboard_agent_listen_port": free()}
cluster = Cluster(initialize_head=True, head_node_args={"include_dashboard": True, "num_cpus": 2, **ports})
print(cluster.head_node.webui_url, flush=True)
sys.stdin.read()
cluster.shutdown()
"""


@pytest.fixture(scope="module")
def jobs():
    """Start a cluster of its own that takes jobs; gives its address."""
    process = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", CLUSTER],
        env={**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"},  # where jobs find `python`
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield f"http://{process.stdout.readline().strip()}"
    finally:
        process.communicate("", timeout=60)


def test_a_run_is_done_as_a_job(small, jobs):
    said = small.main(
        "run", "recipe=small", "search.trials=4", "validate.folds.k=2", f"cluster.jobs={jobs}", "--submit"
    )
    assert said.code == 0, said.out + said.err
    assert "job raysubmit_" in said.err
    assert "release 1" in said.out  # what the job wrote
    assert small.run().status == "succeeded"
    assert "cluster.address=auto" in small.run().overrides


def test_a_job_that_fails_ends_as_the_run_ends(small, jobs):
    small.rows.write_text(small.rows.read_text().replace("C00002", "C00001"))
    said = small.main("run", "recipe=small", f"cluster.jobs={jobs}", "--submit")
    assert said.code == 1
    assert "customer_id" in said.out


def test_what_is_wrong_is_told_before_anything_is_handed_in(small):
    said = small.main("run", "recipe=small", "prepare.scale.columns=[tenur]", "--submit")
    assert said.code == 1
    assert "unknown-column" in said.err


def test_it_must_be_said_where(small, monkeypatch):
    monkeypatch.delenv("RAY_API_SERVER_ADDRESS", raising=False)
    said = small.main("run", "recipe=small", "--submit")
    assert said.code == 2
    assert "cluster.jobs=http://HOST:8265" in said.err


def test_a_cluster_that_does_not_answer_is_told(small):
    said = small.main("run", "recipe=small", "cluster.jobs=http://127.0.0.1:9", "--submit")
    assert said.code == 3
    assert "no Ray cluster takes jobs at `http://127.0.0.1:9`" in said.err


def test_a_folder_of_this_machine_is_no_store_of_a_cluster_elsewhere(small):
    said = small.main("run", "recipe=small", "cluster.jobs=http://192.0.2.1:8265", "--submit")
    assert said.code == 2
    assert "store-not-shared" in said.err


@pytest.mark.parametrize(
    ("path", "code"),
    [("../aside.csv", "not-shippable"), ("data/small.csv", "too-large-to-ship")],
    ids=["outside", "large"],
)
def test_files_that_cannot_travel_are_refused(small, monkeypatch, path, code):
    monkeypatch.setattr("mlops_compiler.backends.ray.ship.AT_MOST", 2**20 if code == "not-shippable" else 1000)
    (small.root / "aside.csv").write_text(small.rows.read_text())
    said = small.main("run", "recipe=small", f"data.source.path={path}", "cluster.jobs=http://127.0.0.1:9", "--submit")
    assert said.code == 1
    assert code in said.err
