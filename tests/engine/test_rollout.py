"""Releases roll out, fail, and are put back while clients ask without a pause: no request is lost."""

from __future__ import annotations

import os
import signal
import threading

import pytest

from benchmarks.acting import Acting
from benchmarks.rollout import RECIPE, Clients, Stage, canary
from mlops_compiler.backends.ray.serve_interrupt import rollout_of
from mlops_compiler.backends.ray.service import service_state, undeploy
from mlops_compiler.diagnostics import EngineError, UsageError
from mlops_compiler.store.reader import open_reader

pytestmark = pytest.mark.engine
QUICK = {"hold": 1.0, "min_requests": 10}


@pytest.fixture(scope="module")
def stage(tmp_path_factory):
    """Serve a release, beside one that decides otherwise and one that fails every request."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", os.environ.get("PYTHONPATH", ""))
        stage = Stage.build(tmp_path_factory.mktemp("rollout"), replicas=1)
        for model in (Acting(), Acting(probability=0.7), Acting(on_request="raise")):
            stage.release(model)
        stage.deploy(1)
        yield stage
        undeploy(stage.deployment())


@pytest.fixture
def clients(stage):
    """Let clients ask all the while; none of their requests may be lost."""
    with Clients(target=stage.target, count=3) as clients:
        yield clients
    assert clients.asked > 0
    assert clients.lost == {}


def told(stage, action):
    """Give what the audit log says of an action, the newest first."""
    return [entry.payload for entry in open_reader(stage.location).audit(RECIPE) if entry.action == action]


def code_of(stage, number, rollout):
    """Deploy a release that does not come into its place; gives the code of the reason."""
    with pytest.raises(EngineError) as taken:
        stage.deploy(number, rollout)
    return taken.value.diagnostics[0].code


class Lull:
    """Says whether the new release has answered none of so many requests."""

    def __init__(self, clients, requests):
        self.clients, self.requests = clients, requests
        self.old, self.new = clients.by(1), clients.by(2)

    def __call__(self):
        if self.clients.by(2) > self.new:
            self.old, self.new = self.clients.by(1), self.clients.by(2)
        return self.clients.by(1) >= self.old + self.requests


def test_a_canary_takes_the_place_and_is_put_back(stage, clients):
    stage.deploy(2, canary(steps=(0.5, 1.0), shadow=True, **QUICK))
    assert (stage.deployment().release, service_state(stage.deployment())["release"]) == (2, 2)
    (shadow,), (whole, half) = told(stage, "shadow"), told(stage, "canary")
    assert [item["share"] for item in (shadow, half, whole)] == [0.0, 0.5, 1.0]
    assert all(item["verdict"] == "passed" and item["errors"] == 0 for item in (shadow, half, whole))
    # The two decide differently wherever they are compared.
    assert shadow["compared"] == shadow["differing"] > 0
    assert shadow["largest_difference"] == pytest.approx(0.4)
    assert rollout_of(stage.deployment()) is None
    stage.deploy(1)
    assert service_state(stage.deployment())["release"] == 1
    assert clients.by(1) > 0
    assert clients.by(2) > 0


def test_a_release_that_fails_is_taken_back(stage, clients):
    assert code_of(stage, 3, canary(steps=(1.0,), hold=60.0)) == "release-taken-back"
    assert told(stage, "canary")[0]["reason"].startswith("errors 100.0%")
    assert clients.by(3) == 0
    assert service_state(stage.deployment())["release"] == stage.deployment().release == 1


def test_a_rollout_that_nobody_watches_any_more_gives_the_traffic_back(stage, clients):
    codes = []
    deploying = threading.Thread(target=lambda: codes.append(code_of(stage, 2, canary(steps=(1.0,), hold=300.0))))
    deploying.start()
    watcher = stage.await_share()
    clients.wait_for(lambda: clients.by(2) > 0)
    with pytest.raises(UsageError, match="on its way"):
        stage.deploy(3, canary(**QUICK))
    os.kill(watcher, signal.SIGKILL)
    deploying.join()
    assert codes == ["engine-failed"]
    assert rollout_of(stage.deployment())["watched"] is False
    clients.wait_for(Lull(clients, 200))
    stage.deploy(1)
    assert rollout_of(stage.deployment()) is None
    assert service_state(stage.deployment())["status"] == "healthy"
