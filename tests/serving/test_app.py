"""The service: whatever a client sends, the answer is JSON, and never a 5xx."""

from __future__ import annotations

import asyncio

import httpx
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops_compiler.diagnostics import DataError
from mlops_compiler.serving.app import create_app


@pytest.fixture(scope="module")
def send(predictor):
    """Give a function that sends one request to the service, mounted below a route."""
    transport = httpx.ASGITransport(create_app(predictor, {"recipe": "churn", "release": 3}), root_path="/churn")

    async def _send(method, path, content):
        async with httpx.AsyncClient(transport=transport, base_url="http://service") as client:
            return await client.request(method, "/churn" + path, content=content)

    return lambda method, path="", content=None: asyncio.run(_send(method, path, content))


@pytest.mark.parametrize("path", ["", "/"], ids=["bare", "slash"])
def test_answers_one_customer(send, predictor, example, path):
    answer = send("POST", path, orjson.dumps(example))
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.json().keys() == {"id", "release", "probability", "decision"}
    assert answer.json()["release"] == 3


def test_answers_many_with_the_bits_of_a_batch(send, predictor, rows):
    sent = [row | {"customer": f"c{index}"} for index, row in enumerate(rows.to_dicts())] * 2
    answer = send("POST", "", orjson.dumps(sent)).json()
    assert [item["customer"] for item in answer["predictions"]] == [row["customer"] for row in sent]
    found = [item["probability"] for item in answer["predictions"]]
    assert found == predictor.predict(rows)["probability"].to_list() * 2


def test_says_what_it_is_and_that_it_is_ready(send, example):
    assert send("GET", "/health").json() == {"status": "ready", "release": 3}
    about = send("GET").json()
    assert (about["recipe"], about["release"], about["example"]) == ("churn", 3, example)
    assert [field["name"] for field in about["request"]] == list(example)


@pytest.mark.parametrize(
    ("method", "path", "content", "status", "code"),
    [
        pytest.param("POST", "", b"{", 400, "not-json", id="no JSON"),
        pytest.param("POST", "", b"{}", 422, "invalid-request", id="nothing in it"),
        pytest.param("POST", "", b" " * (2**20 + 1), 413, "too-large", id="too large"),
        pytest.param("POST", "/elsewhere", b"{}", 404, "not-found", id="another path"),
        pytest.param("DELETE", "", None, 405, "method-not-allowed", id="another method"),
    ],
)
def test_refuses(send, method, path, content, status, code):
    answer = send(method, path, content)
    assert (answer.status_code, answer.json()["error"]) == (status, code)


def test_stops_reading_a_body_without_a_stated_length(send):
    async def endless():
        while True:
            yield b" " * 65_536

    assert send("POST", "", endless()).status_code == 413


def test_does_not_serve_a_release_that_cannot_score_its_example(make_predictor):
    with pytest.raises(DataError):
        create_app(make_predictor("prior", example={"tenure": "five"}), {"release": 1})


bodies = st.binary(max_size=200) | st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(["monthly", 5, 70.5, True]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["tenure", "charges", "contract", "senior", "customer", "x"]), inner)
    ),
    max_leaves=12,
).map(lambda value: orjson.dumps(value, option=orjson.OPT_PASSTHROUGH_DATETIME) if _writable(value) else b"")


def _writable(value):
    try:
        orjson.dumps(value)
    except TypeError:
        return False
    return True


@given(content=bodies)
def test_nothing_that_is_sent_is_a_failure_of_ours(send, content):
    answer = send("POST", "", content)
    assert answer.status_code in (200, 400, 413, 422)
    assert orjson.loads(answer.content)
