"""A release that answers otherwise than when it was trained is not served; one that does later says so, and is replaced."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace

import httpx
import pytest

from mlops_compiler.diagnostics import EngineError
from mlops_compiler.serving.app import create_app
from mlops_compiler.serving.selftest import expected_of, must_be_as_trained
from mlops_compiler.serving.service import Service

INFO = {"recipe": "churn", "release": 3}
TASKS = {
    "binary_classification": "logistic_regression",
    "multiclass_classification": "logistic_regression",
    "regression": "ridge",
    "clustering": "k_means",
    "anomaly_detection": "isolation_forest",
}


@pytest.mark.parametrize("task", TASKS)
def test_a_release_answers_its_example_as_when_it_was_trained(make_predictor, task):
    trained = make_predictor(TASKS[task], task=task)
    expected = expected_of(trained)
    assert len(expected) > 0
    Service(make_predictor(TASKS[task], task=task, expected=expected), INFO)


def test_another_answer_is_not_served(make_predictor, predictor):
    expected = expected_of(predictor)
    with pytest.raises(EngineError, match="otherwise than it did when it was trained"):
        create_app(make_predictor(expected={**expected, "probability": expected["probability"] + 0.001}), INFO)
    with pytest.raises(EngineError):
        create_app(make_predictor(expected={**expected, "decision": "nobody"}), INFO)


@pytest.mark.parametrize(
    ("expected", "found", "alike"),
    [
        ({"p": 0.3}, {"p": 0.3 + 1e-9, "release": 1}, True),
        ({"p": 0.3}, {"p": 0.3001}, False),
        ({"p": 0.3}, {}, False),
        ({"p": 0.3}, {"p": None}, False),
        ({"shares": {"a": 0.2, "b": 0.8}}, {"shares": {"a": 0.2, "b": 0.8 - 1e-9}}, True),
        ({"shares": {"a": 0.2, "b": 0.8}}, {"shares": {"a": 0.2, "c": 0.8}}, False),
        ({"cluster": 2, "distance": 0.0}, {"cluster": 2, "distance": 1e-12}, True),
        ({"cluster": 2}, {"cluster": 1}, False),
        (None, {"p": 0.3}, True),
    ],
)
def test_the_last_digits_may_differ_and_nothing_else(expected, found, alike):
    if alike:
        must_be_as_trained({"expected": expected}, found)
    else:
        with pytest.raises(EngineError):
            must_be_as_trained({"expected": expected}, found)


def test_a_manifest_of_an_earlier_version_keeps_no_prediction(predictor):
    assert "expected" not in predictor.manifest
    Service(predictor, INFO).check()


def test_an_example_that_cannot_be_scored_has_no_prediction(make_predictor):
    assert expected_of(make_predictor("prior", example={"tenure": "five"})) is None


def test_health_tells_that_the_release_is_broken(predictor, monkeypatch):
    app = create_app(predictor, INFO)
    service = app.state.service

    async def ask():
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://service") as client:
            return await client.get("/health")

    for broken in (lambda *_: {"probability": 0.1}, lambda *_: SimpleNamespace().nothing):
        with monkeypatch.context() as patch:
            patch.setattr(service, "answer", broken)
            with pytest.raises((RuntimeError, AttributeError)):
                service.check()
        answer = asyncio.run(ask())
        assert (answer.status_code, answer.json()) == (503, {"status": "broken", "release": 3})
        service.check()
        assert asyncio.run(ask()).json() == {"status": "ready", "release": 3}
