"""Services on an engine that outlives the command: deployed, replaced, managed from elsewhere, and ended without a trace."""

from __future__ import annotations

import http.client
import json
import os
import socket
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

from mlops_compiler.backends.ray import serve_engine
from mlops_compiler.backends.ray.serve_logs import tail
from mlops_compiler.backends.ray.serve_session import end_session, members
from mlops_compiler.backends.ray.service import ServiceTarget, deploy, service_logs, service_state, undeploy
from mlops_compiler.diagnostics import DataError, EngineError, UsageError
from mlops_compiler.serving.predictor import Predictor
from mlops_compiler.serving.rollout import Rollout
from mlops_compiler.serving.service import Service
from mlops_compiler.store.location import StoreLocation
from mlops_compiler.store.reader import open_reader
from mlops_compiler.store.records import Deployment, Release
from mlops_compiler.store.writer import open_writer

PARENT = "import subprocess, sys, time; subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']); time.sleep(60)"


def test_ends_a_session_and_nothing_else():
    ours, other = (
        subprocess.Popen([sys.executable, "-c", PARENT, mark], start_new_session=True) for mark in ("mark-1", "mark-2")
    )
    try:
        while len(members(ours.pid, "mark-1")) < 2 or len(members(other.pid, "mark-2")) < 2:
            os.sched_yield()
        assert members(ours.pid, "mark-2") == []
        end_session(ours.pid, "mark-2")
        assert len(members(ours.pid, "mark-1")) == 2
        # A leader that died first leaves its children in the session; without the mark nobody knows whose they are.
        end_session(ours.pid, "mark-1")
        assert [
            process for process in psutil.process_iter() if _session(process.pid) == ours.pid and _lives(process)
        ] == []
        assert len(members(other.pid, "mark-2")) == 2
    finally:
        for process in (ours, other):
            end_session(process.pid, "mark-")
            process.wait()


def _session(pid):
    try:
        return os.getsid(pid)
    except OSError:
        return None


def _lives(process):
    return process.is_running() and process.status() != psutil.STATUS_ZOMBIE


def test_logs_are_merged_by_time(tmp_path):
    (tmp_path / "replica_churn_release_a.log").write_text(
        "INFO 2026-11-23 07:00:00,001 a -- one\nINFO 2026-11-23 07:00:00,003 a -- three\nTraceback\n"
    )
    (tmp_path / "replica_churn_release_b.log").write_text("INFO 2026-11-23 07:00:00,002 b -- two\n")
    (tmp_path / "replica_other_release_c.log").write_text("INFO 2026-11-23 07:00:00,004 c -- other\n")
    assert [line[-5:] for line in tail(tmp_path, "churn", 3)] == ["- two", "three", "eback"]
    assert tail(tmp_path, "churn", 0) == []
    with pytest.raises(EngineError, match="not on this machine"):
        tail(tmp_path / "elsewhere", "churn", 3)


@pytest.fixture(scope="module")
def store(tmp_path_factory, make_release):
    """Give a store with two releases of a recipe."""
    location = StoreLocation(url=str(tmp_path_factory.mktemp("store")))
    writer = open_writer(location)
    releases = [
        writer.register_release(
            recipe="churn",
            fingerprint=str(number) * 64,
            manifest=make_release(writer.objects, **changes),
            metrics={},
            run_id="run",
            notes="",
        )
        for number, changes in enumerate([{}, {"threshold": 0.9}])
    ]
    return SimpleNamespace(location=location, writer=writer, releases=releases)


@pytest.fixture(scope="module")
def target():
    return ServiceTarget(route="/churn", port=serve_engine.free_port(), cpus=2)


@pytest.fixture(scope="module")
def deployment(store, target):
    """Serve the first release, and see to it that nothing of it is left."""
    deployment = deploy(store.location, target, store.releases[0])
    store.writer.record_deployment(deployment)
    yield deployment
    undeploy(deployment)


def post(target, body):
    connection = http.client.HTTPConnection(target.host, target.port, timeout=20)
    try:
        connection.request("POST", target.route, json.dumps(body))
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()


def release_like(release, **changes):
    fields = {name: getattr(release, name) for name in Release.__dataclass_fields__}
    return Release(**fields | changes)


@pytest.mark.engine
def test_serves_a_release_to_the_last_bit(store, target, deployment, example):
    predictor = Predictor.load(open_reader(store.location), store.releases[0].manifest)
    service = Service(predictor, {"release": 1})
    for row in (example, example | {"charges": None}, [example, example | {"customer": "c1", "tenure": 70}]):
        status, answer = post(target, row)
        names = [answer.pop("id"), *(each.pop("id") for each in answer.get("predictions", ()))]
        assert (status, answer) == (200, service.answer(json.dumps(row).encode()))
        assert len(set(names)) == len(names)
    assert post(target, {"tenur": 1})[0] == 422


@pytest.mark.engine
def test_is_managed_from_its_record_alone(deployment):
    state = service_state(Deployment(**json.loads(json.dumps(deployment_fields(deployment)))))
    assert (state["status"], state["replicas"], state["release"]) == ("healthy", 1, 1)
    assert any("POST /churn" in line for line in service_logs(deployment, 50))


def private(deployment):
    """Give the folder that the engine's processes have to themselves."""
    return Path(deployment.session).parents[1]


def deployment_fields(deployment):
    return {name: getattr(deployment, name) for name in Deployment.__dataclass_fields__}


@pytest.mark.engine
def test_keeps_its_token_to_its_owner(store, deployment):
    token = Path(store.location.url) / "engine" / "token"
    assert token.stat().st_mode & 0o777 == 0o600
    assert private(deployment).stat().st_mode & 0o077 == 0
    listening = {
        address.laddr.ip
        for process in members(deployment.pid, str(private(deployment)))
        for address in process.net_connections("tcp")
        if address.status == psutil.CONN_LISTEN
    }
    assert listening <= {"127.0.0.1", "::ffff:127.0.0.1", "::1"}


@pytest.mark.engine
@pytest.mark.usefixtures("deployment")
@pytest.mark.parametrize(
    ("changes", "settings", "code"),
    [
        pytest.param({"recipe": "other"}, {}, "service-refused", id="route of another"),
        pytest.param({}, {"port": 1}, "service-port", id="another port"),
        pytest.param({}, {"replicas": (1, 99)}, "unsatisfiable-resources", id="too many replicas"),
        pytest.param({"manifest": "0" * 64, "number": 9}, {}, "artifact-missing", id="lost release"),
    ],
)
def test_what_cannot_be_served_leaves_what_is(store, target, example, changes, settings, code):
    fields = {name: getattr(target, name) for name in ServiceTarget.__dataclass_fields__}
    with pytest.raises((UsageError, EngineError)) as refused:
        deploy(store.location, ServiceTarget(**fields | settings), release_like(store.releases[0], **changes))
    assert refused.value.diagnostics[0].code == code
    status, body = post(target, example)
    assert (status, body["release"]) == (200, 1)


@pytest.mark.engine
def test_replaces_a_release_without_losing_a_request(store, target, deployment, example):
    answers, over = [], threading.Event()

    def ask():
        while not over.is_set():
            answers.append(post(target, example))

    client = threading.Thread(target=ask)
    client.start()
    try:
        replaced = deploy(store.location, target, store.releases[1])
        store.writer.record_deployment(replaced)
    finally:
        over.set()
        client.join()
    assert {status for status, _ in answers} == {200}
    assert [body["release"] for _, body in answers] == sorted(body["release"] for _, body in answers)
    assert answers[-1][1]["release"] == service_state(replaced)["release"] == 2
    assert replaced.pid == deployment.pid


@pytest.mark.engine
def test_ends_without_a_trace(deployment, target):
    mark = str(private(deployment))
    assert members(deployment.pid, mark)
    assert undeploy(deployment) == "stopped"
    assert members(deployment.pid, mark) == []
    assert not [
        process for process in psutil.process_iter() if _session(process.pid) == deployment.pid and _lives(process)
    ]
    assert not Path(mark).exists()
    assert service_state(deployment)["status"] == "gone"
    assert undeploy(deployment) == "gone"


def test_refuses_a_port_that_is_taken(tmp_path, store):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        target = ServiceTarget(port=taken.getsockname()[1])
        with pytest.raises(UsageError, match="address already in use"):
            deploy(StoreLocation(url=str(tmp_path)), target, store.releases[0])
    assert not (tmp_path / "engine" / "engine.json").exists()


def test_refuses_a_release_that_clients_would_fail_with(store, target):
    manifest = json.loads(store.writer.objects.get(store.releases[0].manifest))
    fewer = [field for field in manifest["request"] if field["name"] != "senior"]
    digest = store.writer.objects.put(json.dumps({**manifest, "request": fewer}).encode())
    strict = ServiceTarget(port=target.port, rollout=Rollout(compatible=True))
    store.writer.record_deployment(
        Deployment(
            recipe="churn",
            release=1,
            route="/churn",
            host="127.0.0.1",
            port=target.port,
            address="127.0.0.1:1",
            pid=None,
            created=0.0,
            app="churn",
            session="",
            settings={"folder": store.location.url, "url": "", "serve": False, "spec": {}},
        )
    )
    try:
        with pytest.raises(DataError, match="clients of release 1 would fail") as refused:
            deploy(store.location, strict, release_like(store.releases[1], manifest=digest))
    finally:
        store.writer.remove_deployment("churn", "development")
    assert "`senior` is gone" in refused.value.diagnostics[0].notes[0].text


def test_an_application_keeps_its_name_until_it_is_ended(store, target, monkeypatch):
    orders = []

    def done(order, *_):
        orders.append(order)
        return {"address": "127.0.0.1:1", "pid": None, "session": "", "url": "http://service", "serve": False}

    monkeypatch.setattr("mlops_compiler.backends.ray.service.have_done", done)
    monkeypatch.setattr(serve_engine, "can_connect", lambda _: True)
    here = ServiceTarget(port=target.port, address="auto", environment="production")
    first = deploy(store.location, here, store.releases[0])
    old = {name: value for name, value in first.settings["spec"].items() if name not in ("app", "environment")}
    kept = replace(first, app="churn", settings={**first.settings, "spec": old})
    store.writer.record_deployment(kept)
    try:
        second = deploy(store.location, here, store.releases[1])
        beside = deploy(store.location, replace(here, environment="test"), store.releases[1])
    finally:
        store.writer.remove_deployment("churn", "production")
    assert [item.app for item in (first, second, beside)] == ["churn.production", "churn", "churn.test"]
    # What failed is put back as the service that it was, whatever an older version wrote of it.
    before = orders[1]["before"]
    assert (before["app"], before["environment"], before["release"]) == ("churn", "production", 1)
    assert orders[2]["before"] is None


def test_refuses_a_cluster_that_is_not_there(tmp_path, store):
    with pytest.raises(EngineError, match="cannot be joined"):
        deploy(StoreLocation(url=str(tmp_path)), ServiceTarget(address="127.0.0.1:1"), store.releases[0])
