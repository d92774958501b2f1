"""Requests of a slow model go to threads, so that they do not wait for each other; those of a quick one stay."""

from __future__ import annotations

import asyncio
import threading

import httpx
import orjson
import pytest

from mlops_compiler.serving.app import create_app
from mlops_compiler.serving.pace import Pace
from tests.serving.conftest import EXAMPLE


def stays(pace, count):
    """Answer requests; returns how many of them the loop took."""
    return sum(pace.stays() for _ in range(count))


def test_a_quick_model_stays_though_some_answers_take_longer():
    pace = Pace()
    for seconds in (0.04, *[0.0004] * 20, 0.02, 0.09):
        pace.took(seconds)
        assert pace.stays()


def test_one_answer_that_keeps_all_waiting_is_enough():
    pace = Pace()
    pace.took(2.0)
    assert not pace.stays()


def test_a_slow_one_leaves_and_comes_back_when_it_is_quick():
    pace = Pace()
    for _ in range(20):
        pace.took(0.01)
    assert stays(pace, 320) == 10
    for _ in range(5):
        pace.took(0.001)
    assert stays(pace, 320) == 320


@pytest.mark.parametrize("slow", [True, False], ids=["slow", "quick"])
def test_slow_answers_do_not_wait_for_each_other(make_predictor, monkeypatch, slow):
    app = create_app(make_predictor(), {"recipe": "churn", "release": 3})
    service = app.state.service
    if slow:
        for _ in range(20):
            service._pace.took(1.0)
    loop, whole, met = threading.get_ident(), service.answer, threading.Barrier(4)

    def answer(body, exchange):
        assert (threading.get_ident() == loop) is not slow
        if slow:
            met.wait(timeout=20)  # nobody comes from here before all four are there
        return whole(body, exchange)

    monkeypatch.setattr(service, "answer", answer)

    async def ask():
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://service") as client:
            return await asyncio.gather(*[client.post("/", content=orjson.dumps(EXAMPLE)) for _ in range(4)])

    assert [answer.status_code for answer in asyncio.run(ask())] == [200] * 4
