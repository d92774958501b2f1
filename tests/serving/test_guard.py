"""Who may ask: keys and their roles, how often, how many at once, for how long; health is open to all."""

from __future__ import annotations

import asyncio
import base64
import time
from dataclasses import replace

import httpx
import orjson
import pytest
from openapi_spec_validator import validate

from mlops_compiler.monitoring import observed
from mlops_compiler.serving.app import create_app
from mlops_compiler.serving.guard import Guard, Limits
from mlops_compiler.serving.keys import KeyRing, make_key
from mlops_compiler.serving.labels import LabelBook
from mlops_compiler.serving.meters import Meters
from mlops_compiler.serving.prediction_log import LogSettings, PredictionLog
from mlops_compiler.serving.service import Around
from mlops_compiler.store.failures import failure
from mlops_compiler.store.location import StoreLocation

INFO = {"recipe": "churn", "release": 3}


class Ring:
    """Keys, and how they are shown."""

    def __init__(self):
        self.kept = {}
        self.shown = {}

    def make(self, name, *roles, **more):
        self.shown[name], self.kept[name] = make_key(("churn", "development"), name, roles or ("predict",), **more)
        return self.shown[name]

    def change(self, name, **more):
        self.kept[name] = replace(self.kept[name], **more)

    def read(self):
        return list(self.kept.values())


@pytest.fixture
def ring():
    made = Ring()
    made.make("crm", "predict", "label")
    made.make("ops", "operate")
    return made


@pytest.fixture
def location(tmp_path):
    return StoreLocation(url=str(tmp_path / "store"))


@pytest.fixture
def serve(predictor, location):
    """Give a function that makes a service; asked, it gives the answer."""

    def make(keys=None, **limits):
        around = Around(
            guard=Guard(keys, Limits(**limits)),
            log=PredictionLog(location, "churn", 3, LogSettings()),
            labels=LabelBook(location, "churn", predictor.manifest),
            meters=Meters("churn", 3),
        )
        app = create_app(predictor, INFO, around)

        async def send(method, path, content, headers):
            transport = httpx.ASGITransport(app, root_path="/churn")
            async with httpx.AsyncClient(transport=transport, base_url="http://service") as client:
                return await client.request(method, f"/churn{path}", content=content, headers=headers)

        def ask(method, path="", content=None, **headers):
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            return asyncio.run(send(method, path, content, named))

        ask.app, ask.around = app, around
        return ask

    return make


def test_every_route_asks_for_a_key_but_health(serve, ring, example):
    ask = serve(KeyRing(ring.read))
    body = orjson.dumps(example)
    for method, path in [
        ("POST", ""), ("POST", "/labels"), ("GET", ""), ("GET", "/metrics"), ("GET", "/docs"), ("GET", "/openapi.json"),
        ("GET", "/docs/swagger-ui.css"), ("GET", "/elsewhere"), ("DELETE", ""),
    ]:  # fmt: skip
        answer = ask(method, path, body if method == "POST" else None)
        assert (answer.status_code, answer.json()["error"]) == (401, "no-key"), path
        assert answer.headers["www-authenticate"]
    assert ask("GET", "/health").status_code == 200


def test_a_key_opens_what_its_roles_say(serve, ring, example):
    ask = serve(KeyRing(ring.read))
    body, label = orjson.dumps(example), orjson.dumps({"id": "a", "outcome": "Yes"})
    for name, expected in {"crm": (200, 202, 403, 200), "ops": (403, 403, 200, 200)}.items():
        key = ring.shown[name]
        found = (
            ask("POST", "", body, x_api_key=key).status_code,
            ask("POST", "/labels", label, authorization=f"Bearer {key}").status_code,
            ask("GET", "/metrics", x_api_key=key).status_code,
            ask("GET", "", authorization=f"bearer {key}").status_code,
        )
        assert found == expected, name


def test_a_browser_shows_the_key_as_a_password(serve, ring):
    ask = serve(KeyRing(ring.read))
    assert ask("GET", "/docs").headers["www-authenticate"].startswith("Basic")
    basic = base64.b64encode(f"me:{ring.shown['crm']}".encode()).decode()
    assert ask("GET", "/docs", authorization=f"Basic {basic}").status_code == 200
    for wrong in ("Basic !", "Basic bWU=", "Basic /w=="):
        assert ask("GET", "/docs", authorization=wrong).status_code == 401


@pytest.mark.parametrize(
    "wrong",
    ["", "x", "mlops", "mlops_", "mlops__", "mlops_abc_def", "Mlops_{id}_{secret}", "mlops_{id}_", "mlops_{id}_{secret}x",
     "mlops_{other}_{secret}", "{secret}", "mlops_{id}_{other_secret}"],
)  # fmt: skip
def test_what_is_no_key_opens_nothing(ring, wrong):
    _, public, secret = ring.shown["crm"].split("_", 2)
    _, other, other_secret = ring.shown["ops"].split("_", 2)
    keys = KeyRing(ring.read)
    assert keys.find(wrong.format(id=public, secret=secret, other=other, other_secret=other_secret)) is None
    assert keys.find(ring.shown["crm"]).name == "crm"


def test_a_key_that_is_revoked_or_over_opens_nothing(ring):
    keys = KeyRing(ring.read)
    ring.change("crm", revoked=time.time())
    keys.look()
    assert keys.find(ring.shown["crm"]) is None
    ring.change("ops", expires=time.time() - 1)
    keys.look()
    assert keys.find(ring.shown["ops"]) is None


def test_a_new_key_is_known_at_once(ring):
    keys = KeyRing(ring.read)
    assert keys.find(ring.make("new")).name == "new"


def test_the_last_keys_count_where_the_store_does_not_answer(ring):
    keys = KeyRing(ring.read)

    def fails():
        raise failure("store-unreachable", "gone")

    keys._read = fails
    assert keys.find("mlops_abc_def") is None
    assert keys.find(ring.shown["crm"]).name == "crm"


def test_keys_are_read_on_whatever_fails_meanwhile(ring):
    keys = KeyRing(ring.read)
    turns = iter([RuntimeError("a fault of ours"), failure("store-unreachable", "gone"), None])

    def read():
        if (trouble := next(turns)) is not None:
            raise trouble
        return ring.read()

    keys._read = read
    ring.change("crm", revoked=time.time())
    waited = iter([False, False, False, True])
    keys._work(lambda _: next(waited))
    assert keys.find(ring.shown["crm"]) is None


def test_nothing_kept_gives_the_key_away(ring):
    for name, key in ring.kept.items():
        secret = ring.shown[name].split("_", 2)[2]
        assert secret not in str(key)
        assert len(secret) >= 43


def test_who_asks_too_often_comes_again(serve, ring, example):
    ring.make("other")
    ask = serve(KeyRing(ring.read), rate="3/hour")
    body = orjson.dumps(example)
    found = [ask("POST", "", body, x_api_key=ring.shown["crm"]) for _ in range(4)]
    assert [answer.status_code for answer in found] == [200, 200, 200, 429]
    assert found[3].json()["error"] == "too-often"
    assert 1 <= int(found[3].headers["retry-after"]) <= 3601
    assert ask("POST", "", body, x_api_key=ring.shown["other"]).status_code == 200


def test_too_many_at_once_come_again(serve, example):
    ask = serve(at_once=1)
    ask.around.guard.enter()
    answer = ask("POST", "", orjson.dumps(example))
    assert (answer.status_code, answer.json()["error"], answer.headers["retry-after"]) == (429, "overloaded", "1")
    ask.around.guard.leave()
    assert ask("POST", "", orjson.dumps(example)).status_code == 200
    assert ask("POST", "", b"{").status_code == 400
    assert ask.around.guard._inside == 0


def test_a_body_that_does_not_come_is_given_up(serve):
    async def slow():
        yield b"{"
        await asyncio.sleep(30)

    answer = serve(deadline=0.05)("POST", "", slow())
    assert (answer.status_code, answer.json()["error"]) == (408, "too-slow")


def test_an_answer_that_takes_too_long_is_given_up(serve, example, monkeypatch):
    ask = serve(deadline=0.05)
    over = time.monotonic() + 0.4

    def slow(*_args):
        while time.monotonic() < over:
            pass

    monkeypatch.setattr(ask.app.state.service, "answer", slow)
    answer = ask("POST", "", orjson.dumps([example] * 100))
    assert (answer.status_code, answer.json()["error"]) == (504, "too-late")


def test_outcomes_are_on_disk_when_the_client_hears_of_it(serve, ring, location, example):
    ask = serve(KeyRing(ring.read))
    key = ring.shown["crm"]
    name = ask("POST", "", orjson.dumps(example), x_api_key=key).json()["id"]
    ask.around.log.flush()
    answer = ask("POST", "/labels", orjson.dumps({"id": name, "outcome": "Yes"}), x_api_key=key)
    assert (answer.status_code, answer.json()) == (202, {"taken": 1})
    (row,) = observed.joined(location, "churn").to_dicts()
    assert (row["id"], row["client"], row["outcome"], row["outcome_source"]) == (name, "crm", "Yes", "key:crm")


def test_outcomes_that_cannot_be_kept_are_sent_again(serve, monkeypatch):
    ask = serve()

    def full(*_args, **_more):
        raise failure("store-full", "no space is left")

    monkeypatch.setattr(ask.around.labels._segments, "append", full)
    answer = ask("POST", "/labels", orjson.dumps({"id": "a", "outcome": "Yes"}))
    assert (answer.status_code, answer.json()["error"]) == (503, "cannot-keep")


@pytest.mark.parametrize(
    ("body", "faults"),
    [
        ({"id": "a", "outcome": "maybe"}, ["wrong-outcome"]),
        ({"id": "a"}, ["wrong-outcome"]),
        ({"outcome": "Yes"}, ["missing-field"]),
        ({"id": "a", "customer": "7", "outcome": "Yes"}, ["missing-field"]),
        ({"id": ["a"], "outcome": None, "more": 1}, ["wrong-type", "unknown-field", "wrong-outcome"]),
        ([{"id": "a", "outcome": "Yes"}, 5, {"id": "b", "outcome": "yes"}], ["wrong-type", "wrong-outcome"]),
        ([], ["wrong-type"]),
    ],
)
def test_every_fault_of_outcomes_is_named(serve, location, body, faults):
    answer = serve()("POST", "/labels", orjson.dumps(body))
    assert answer.status_code == 422
    assert [fault["code"] for fault in answer.json()["faults"]] == faults
    assert observed.outcomes(location, "churn").height == 0


def test_who_verifies_is_no_client(serve, ring, location, example):
    ask = serve(KeyRing(ring.read))
    body = orjson.dumps(example)
    assert ask("POST", "", body, x_api_key=ring.shown["crm"], x_mlops_purpose="x").status_code == 403
    ring.make("deployer", "predict", "operate")
    assert ask("POST", "", body, x_api_key=ring.shown["deployer"], x_mlops_purpose="verification").status_code == 200
    ask.around.log.flush(whole=True)
    assert observed.predictions(location, "churn").height == 0
    assert set(observed.traffic(location, "churn")["role"]) == {"answer", "verification"}


def test_prometheus_reads_what_happened(serve, example):
    ask = serve()
    ask("POST", "", orjson.dumps([example] * 3))
    ask("POST", "", b"{")
    told = ask("GET", "/metrics").text
    assert 'mlops_requests_total{code="",environment="development",recipe="churn",release="3",status="200"} 1.0' in told
    assert (
        'mlops_requests_total{code="not-json",environment="development",recipe="churn",release="3",status="400"} 1.0'
        in told
    )
    assert 'mlops_rows_total{environment="development",recipe="churn",release="3"} 3.0' in told
    assert 'mlops_log_waiting_rows{environment="development",recipe="churn",release="3"} 3.0' in told
    assert 'mlops_request_seconds_count{environment="development",recipe="churn",release="3"} 2.0' in told


def test_the_description_names_the_keys(serve, ring):
    told = serve(KeyRing(ring.read))("GET", "/openapi.json", x_api_key=ring.shown["ops"]).json()
    validate(told)
    assert set(told["components"]["securitySchemes"]) == {"bearer", "header"}
    for path in ("/", "/labels"):
        assert {"401", "403", "408", "429"} <= set(told["paths"][path]["post"]["responses"])
    assert told["paths"]["/health"]["get"]["security"] == []
    assert "securitySchemes" not in serve()("GET", "/openapi.json").json()["components"]
