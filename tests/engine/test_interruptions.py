"""A run may end at any moment, however it is ended: what it finished is kept, and nothing of it stays behind."""

from __future__ import annotations

import contextlib
import hashlib
import signal
import time

import psutil
import pytest

pytestmark = pytest.mark.engine
PATIENCE = 90


@pytest.fixture
def started(small):
    """Give a function that starts the recipe on an engine of its own with one CPU; ends all of it."""
    processes = []

    def start():
        processes.append(small.start("recipe=small", "cluster.cpus=1"))
        return processes[-1]

    yield start
    for process in processes:
        end(family(process.pid))
        process.communicate()


def family(pid):
    """List a process and all that it started."""
    try:
        leader = psutil.Process(pid)
        return [leader, *leader.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def end(members):
    for member in members:
        with contextlib.suppress(psutil.NoSuchProcess):
            member.kill()


def wait_for(condition, process=None):
    """Wait until something is so; fail where it takes too long, or the process that should do it ends."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "waited for too long"
        assert process is None or process.poll() is None, process.communicate()
        time.sleep(0.02)


def has_fitted(small, folds):
    return bool(small.store.runs()) and len(small.events("fold_finished")) >= folds


def is_whole(small):
    """Whether every object of the store is what its name says."""
    paths = list(small.folder.glob("objects/*/*"))
    return bool(paths) and all(
        hashlib.sha256(path.read_bytes()).hexdigest() == path.parent.name + path.name for path in paths
    )


def test_a_run_killed_in_the_search_goes_on_from_there(small, started, first_run):
    process = started()
    wait_for(lambda: has_fitted(small, 2), process)
    members = family(process.pid)
    agents = [member for member in members if member.name().endswith("Agent")]
    process.kill()
    process.communicate()
    assert psutil.wait_procs(set(members) - set(agents), timeout=30)[1] == []
    end(agents)  # Ray's agents look for their lost head for a minute before they end
    assert small.run().status == "lost"
    assert is_whole(small)
    assert len(small.events("fold_finished")) < 18
    killed = small.run().run_id

    again = started()
    _, err = again.communicate(timeout=PATIENCE)
    assert again.returncode == 0, err
    planned = {item["stage"]: item["action"] for item in small.run().plan}
    assert (planned["snapshot"], planned["split"], planned["prepare"]) == ("reuse",) * 3
    assert any(event.payload["cached"] for event in small.events("trial_finished"))
    assert small.run().run_id != killed
    assert is_whole(small)
    assert not list(small.folder.glob("tmp/*"))
    # The first run had two CPUs and was never stopped: neither parallelism nor the kill left a trace.
    assert small.digests() == first_run[0].digests()
    assert [release.number for release in small.store.releases("small")] == [1]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
def test_a_run_that_is_interrupted_says_so_and_cleans_up(small, started, number):
    process = started()
    wait_for(lambda: has_fitted(small, 1), process)
    members = family(process.pid)
    process.send_signal(number)
    out, err = process.communicate(timeout=PATIENCE)
    assert (process.returncode, out) == (130, ""), err
    assert "interrupted" in err
    assert "Traceback" not in err
    assert psutil.wait_procs(members, timeout=30)[1] == []
    assert small.run().status == "interrupted"
    assert is_whole(small)
