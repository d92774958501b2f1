"""The service's description is what it does: what it calls right is taken, and nothing that it invites gives a 5xx."""

from __future__ import annotations

import asyncio

import httpx
import orjson
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import response_schema_conformance, status_code_conformance

from mlops_compiler.serving.app import create_app
from mlops_compiler.serving.labels import LabelBook
from mlops_compiler.serving.meters import Meters
from mlops_compiler.serving.openapi import describe, row_schema
from mlops_compiler.serving.prediction_log import PredictionLog
from mlops_compiler.serving.refusal import RequestRefused
from mlops_compiler.serving.request import RequestContract
from mlops_compiler.serving.service import Around
from mlops_compiler.store.location import StoreLocation

INFO = {"recipe": "churn", "release": 3}
FIELDS = [
    {"type": "int", "range": [-5, 10]},
    {"type": "int"},
    {"type": "float", "range": [0.5, 2.5]},
    {"type": "float", "nullable": True, "required": False},
    {"type": "bool"},
    {"type": "text", "pattern": "[a-c]{1,3}"},
    {"type": "category", "one_of": ["x", "y z"]},
    {"type": "category", "one_of": ["x"], "nullable": True, "required": False},
    {"type": "date"},
    {"type": "datetime"},
]
USUAL = {"nullable": False, "range": None, "one_of": None, "required": True, "description": None}
VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-12, 12),
    st.sampled_from([2**63 - 1, 2**63, -(2**63) - 1]),
    st.floats(-4, 4).filter(lambda value: not value.is_integer()),  # 5.0 is an integer to JSON Schema alone
    st.sampled_from(["x", "y z", "", "abc", "abcd", "2024-02-29", "2024-02-30", "2024-01-01T10:00", "2024-1-1"]),
    st.just([]),
    st.just({}),
)


def json_schema(schema):
    """Write a schema of OpenAPI 3.0 as JSON Schema: that has no `nullable`."""
    if isinstance(schema, list):
        return [json_schema(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    found = {name: json_schema(value) for name, value in schema.items() if name != "nullable"}
    return {**found, "type": [found["type"], "null"]} if schema.get("nullable") is True else found


@given(kind=st.sampled_from(FIELDS), value=VALUES, how=st.sampled_from(["sent", "left out", "with another"]))
def test_what_it_calls_right_is_what_is_taken(kind, value, how):
    manifest = {"request": [{**USUAL, **kind, "name": "a"}], "key": "id", "unused": ["other"]}
    row = {"sent": {"a": value, "other": 1, "id": "k"}, "left out": {}, "with another": {"a": value, "b": 1}}[how]
    judge = Draft202012Validator(json_schema(row_schema(manifest)), format_checker=Draft202012Validator.FORMAT_CHECKER)
    try:
        RequestContract(manifest).read(orjson.dumps(row))
        taken = True
    except RequestRefused:
        taken = False
    except TypeError:  # an integer that no 64 bits hold cannot even be written
        return
    if kind["type"] == "datetime" and not taken:  # a pattern cannot tell the 30th of February
        return
    assert judge.is_valid(row) == taken


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"task": "multiclass_classification"},
        {"task": "regression", "kind": "ridge"},
        {"task": "anomaly_detection", "kind": "isolation_forest"},
        {"task": "clustering", "kind": "k_means"},
    ],
    ids=lambda changes: changes.get("task", "binary_classification"),
)
def test_is_valid_and_describes_the_answers(make_predictor, example, changes):
    predictor = make_predictor(**changes)
    app = create_app(predictor, INFO)
    told = get(app, "/openapi.json").json()
    validate(told)
    assert told["servers"] == [{"url": "/churn"}]
    answers = told["paths"]["/"]["post"]["responses"]["200"]["content"]["application/json"]["examples"]
    schemas = json_schema(told["components"]["schemas"])
    for which, body in (("one", example), ("many", [example])):
        answer = post(app, body)
        assert unnamed(answer.json()) == unnamed(answers[which]["value"])
        named = {"one": "Answer", "many": "Answers"}[which]
        whole = {"$ref": f"#/components/schemas/{named}", "components": {"schemas": schemas}}
        assert not list(Draft202012Validator(whole).iter_errors(answer.json()))
    answered = {**post(app, example).json(), "id": answers["one"]["value"]["id"]}
    assert told == describe(predictor.manifest, INFO, answered, "/churn")


def unnamed(answer):
    """Leave out the names of predictions, which differ each time."""
    rest = {name: value for name, value in answer.items() if name != "id"}
    return {**rest, "predictions": list(map(unnamed, rest["predictions"]))} if "predictions" in rest else rest


def test_the_page_has_all_of_its_files(predictor):
    app = create_app(predictor, INFO)
    page = get(app, "/docs")
    assert page.status_code == 200
    assert "churn release 3" in page.text
    for name in ("swagger-ui.css", "swagger-ui-bundle.js", "favicon-32x32.png"):
        assert f"docs/{name}" in page.text
        assert get(app, f"/docs/{name}").status_code == 200
    assert "http://" not in page.text
    assert "https://" not in page.text


def get(app, path):
    return asyncio.run(_send(app, "GET", path, None))


def post(app, body):
    return asyncio.run(_send(app, "POST", "", orjson.dumps(body)))


async def _send(app, method, path, content):
    transport = httpx.ASGITransport(app, root_path="/churn")
    async with httpx.AsyncClient(transport=transport, base_url="http://service") as client:
        return await client.request(method, "/churn" + path, content=content)


def test_nothing_that_it_invites_gives_a_failure(predictor, tmp_path):
    location = StoreLocation(url=str(tmp_path / "store"))
    log, labels = PredictionLog(location, "churn", 3), LabelBook(location, "churn", predictor.manifest)
    around = Around(log=log, labels=labels, meters=Meters("churn", 3))
    schema = schemathesis.openapi.from_asgi("/openapi.json", create_app(predictor, INFO, around))
    tried = []
    for found in schema.get_all_operations():
        operation = found.ok()
        for mode in GenerationMode:

            @settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
            @given(case=operation.as_strategy(generation_mode=mode))
            def ask(case):
                answer = case.call()
                case.validate_response(
                    answer, checks=[not_a_server_error, status_code_conformance, response_schema_conformance]
                )
                tried.append((case.path, case.method, answer.status_code))

            if mode.is_positive or operation.body:  # there is no wrong way to ask for what takes nothing
                ask()
    asked = {("/", "POST"), ("/", "GET"), ("/health", "GET"), ("/labels", "POST"), ("/metrics", "GET")}
    assert {(path, method) for path, method, _ in tried} == asked
    assert ("/labels", "POST", 202) in tried
    assert {200, 422} <= {status for _, _, status in tried}
