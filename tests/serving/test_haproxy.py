"""HAProxy before the replicas: open where the service is, and nowhere else; releases change behind it without a loss."""

from __future__ import annotations

import os
import subprocess
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import httpx
import psutil
import pytest

from benchmarks.acting import SLOW, Acting
from benchmarks.rollout import Clients, Stage, canary
from mlops_compiler.backends.ray import serve_haproxy
from mlops_compiler.backends.ray.serve_haproxy import found_proxy, through_haproxy
from mlops_compiler.backends.ray.service import service_state, undeploy
from mlops_compiler.diagnostics import UsageError


@pytest.mark.parametrize(
    ("host", "bind", "listens"),
    [
        pytest.param("127.0.0.1", "*:9101", "127.0.0.1:9101", id="metrics"),
        pytest.param("127.0.0.1", ":8404", "127.0.0.1:8404", id="no host"),
        pytest.param("127.0.0.1", "127.0.0.1:8000", "127.0.0.1:8000", id="the service"),
        pytest.param("127.0.0.1", "*:8000", "127.0.0.1:8000", id="the service, everywhere"),
        pytest.param("0.0.0.0", "0.0.0.0:8000", "0.0.0.0:8000", id="a service for all"),  # noqa: S104 - it is asked for
        pytest.param("0.0.0.0", "*:8000", "*:8000", id="a service for all, by another name"),  # noqa: S104 - likewise
        pytest.param("0.0.0.0", "*:9101", "127.0.0.1:9101", id="metrics of a service for all"),  # noqa: S104 - likewise
        pytest.param("127.0.0.1", "fd@3", None, id="something else"),
    ],
)
def test_only_the_service_is_open(tmp_path, host, bind, listens):
    script = Path(through_haproxy(tmp_path, host, 8000, 9101, 8404)["RAY_SERVE_HAPROXY_BINARY_PATH"])
    config = tmp_path / "haproxy.cfg"
    socket = f"global\n    stats socket {tmp_path}/admin.sock mode 666 level admin\n"
    config.write_text(f"{socket}defaults\n    mode http\n    timeout client 1s\nlisten one\n    bind {bind}\n")
    done = subprocess.run([script, "-c", "-f", config], capture_output=True, text=True, check=False)
    if listens is None:
        assert "not on the loopback interface" in done.stderr
        return
    written = Path(f"{config}.kept").read_text()
    assert f"bind {listens}\n" in written
    assert "mode 600 level admin" in written
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("host", "brought", "found"),
    [("127.0.0.1", True, "haproxy"), ("127.0.0.1", False, "serve"), ("::1", True, "serve")],
)
def test_it_is_taken_where_it_can_be(monkeypatch, host, brought, found):
    monkeypatch.setattr(serve_haproxy, "find_spec", lambda _: object() if brought else None)
    assert found_proxy(host) == found


@pytest.fixture(scope="module")
def stage(tmp_path_factory):
    """Serve a release behind HAProxy, beside one that decides otherwise."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", os.environ.get("PYTHONPATH", ""))
        stage = Stage.build(tmp_path_factory.mktemp("haproxy"), replicas=1)
        for model in (Acting(), Acting(probability=0.7)):
            stage.release(model)
        stage.deploy(1)
        yield stage
        undeploy(stage.deployment())


@pytest.mark.engine
def test_releases_change_behind_it_and_no_request_is_lost(stage):
    processes = [process for process in psutil.process_iter(["name"]) if process.info["name"] == "haproxy"]
    heard = {item.laddr.ip for process in processes for item in process.net_connections() if item.status == "LISTEN"}
    assert heard == {"127.0.0.1"}
    with Clients(target=stage.target, count=3) as clients:
        stage.deploy(2, canary(steps=(0.5, 1.0), hold=1.0, min_requests=10))
        clients.wait_for(lambda: clients.by(2) > 100)
        stage.deploy(1)
        before = clients.by(1)
        clients.wait_for(lambda: clients.by(1) > before + 100)
    assert clients.lost == {}
    assert service_state(stage.deployment())["release"] == 1


def replicas():
    """Find the processes of the replicas; Ray calls them so, with what they do just now behind it."""
    named = ((process, (process.info["cmdline"] or [""])[0]) for process in psutil.process_iter(["cmdline"]))
    return [process for process, name in named if name.startswith("ray::ServeReplica:acting")]


@pytest.mark.engine
def test_a_replica_that_is_killed_loses_what_it_had_in_hand_and_is_replaced(stage):
    deployment = stage.deploy(1, replicas=(2, 2))
    with Clients(target=stage.target, count=3, slow=10**9) as clients:
        clients.wait_for(lambda: clients.by(1) > 100)
        replicas()[0].kill()
        before = clients.by(1)
        clients.wait_for(lambda: clients.by(1) > before + 200)
        while service_state(deployment)["status"] != "healthy" or len(replicas()) < 2:
            continue
    assert sum(clients.lost.values()) <= 3


@pytest.mark.engine
def test_what_is_too_much_is_told_in_json_and_the_rest_is_answered(stage):
    few = replace(stage.target.settings, limits=replace(stage.target.settings.limits, at_once=4))
    stage.deploy(1, settings=few)
    together = threading.Barrier(40)

    def ask(_):
        together.wait()
        return httpx.post(f"http://127.0.0.1:{stage.target.port}/acting", json={"tenure": SLOW}, timeout=60)

    with ThreadPoolExecutor(40) as pool:
        answers = list(pool.map(ask, range(40)))
    assert {answer.status_code for answer in answers} == {200, 429}
    for answer in answers:
        if answer.status_code == 429:
            assert (answer.json()["error"], answer.headers["retry-after"]) == ("overloaded", "1")


@pytest.mark.engine
def test_an_engine_keeps_its_proxy(stage):
    with pytest.raises(UsageError) as refused:
        stage.deploy(2, proxy="serve")
    assert refused.value.diagnostics[0].code == "service-proxy"
