"""What a service takes is said in the recipe: large bodies, many rows, many at once; and what its replicas reserve."""

from __future__ import annotations

import asyncio

import httpx
import orjson
import pytest
from pydantic import ValidationError

from mlops_compiler.backends.ray.serve_actions import short_of
from mlops_compiler.backends.ray.serve_app import AppSpec, Sizing, build
from mlops_compiler.recipe.deploy import Deploy
from mlops_compiler.serving.app import create_app
from mlops_compiler.serving.guard import Guard, Limits
from mlops_compiler.serving.labels import LabelBook
from mlops_compiler.serving.replay import Held, replay
from mlops_compiler.serving.service import Around
from mlops_compiler.serving.settings import ServiceSettings
from mlops_compiler.store.location import StoreLocation

INFO = {"recipe": "churn", "release": 3}


@pytest.fixture
def post(predictor, tmp_path):
    """Give a function that sends a body to a service with the given limits."""

    def send(path, content, **limits):
        limits = Limits(**limits)
        labels = LabelBook(StoreLocation(url=str(tmp_path)), "churn", predictor.manifest, limits.rows)
        app = create_app(predictor, INFO, Around(guard=Guard(None, limits), labels=labels))

        async def ask():
            async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://service") as client:
                return await client.request("POST" if content is not None else "GET", path, content=content)

        return asyncio.run(ask())

    return send


@pytest.mark.parametrize("path", ["/", "/labels"])
def test_a_body_is_as_large_as_the_recipe_says(post, example, path):
    row = example if path == "/" else {"id": "a", "outcome": "Yes"}
    assert post(path, orjson.dumps([row] * 4), rows=4).status_code in (200, 202)
    answer = post(path, orjson.dumps([row] * 5), rows=4)
    assert (answer.status_code, answer.json()["faults"][0]["expected"]) == (413, "at most 4 rows")
    answer = post(path, orjson.dumps([row] * 5), bytes=100)
    assert (answer.status_code, answer.json()["faults"][0]["expected"]) == (413, "at most 100 bytes")


def test_a_body_may_be_larger_than_by_default(post, example):
    body = orjson.dumps([example] * 12_000) + b" " * 2**20
    assert len(post("/", body, rows=12_000, bytes=2**23).json()["predictions"]) == 12_000


def test_the_description_says_what_is_taken(post):
    told = post("/openapi.json", None, rows=7, bytes=4096)
    assert "4,096 bytes, or more than 7 rows" in told.text
    assert '"maxItems":7' in told.text


def test_a_replay_sends_lists_that_the_service_takes(predictor, rows):
    sent = []

    def send(body):
        value = orjson.loads(body)
        sent.append(len(value) if isinstance(value, list) else 1)
        if sent[-1] > 10:
            return 413, {"error": "too-large"}
        answers = [{"probability": 0.5} for _ in range(sent[-1])]
        return 200, {"predictions": answers} if isinstance(value, list) else answers[0]

    held = Held(
        rows=rows, expected=[{"probability": 0.5}] * rows.height, places=list(range(rows.height)), source="rows"
    )
    assert replay(held, send).differing == 0
    assert max(sent) == rows.height


@pytest.mark.parametrize(
    ("sizing", "replicas", "cores", "gpus", "lacks"),
    [
        (Sizing(), 8, 2, 0, None),
        (Sizing(), 9, 2, 0, "2.25 cores, and the cluster has 2"),
        (Sizing(gpu=0.25), 4, 8, 1, None),
        (Sizing(gpu=0.25), 5, 8, 1, "at most 4"),
        (Sizing(gpu=0.4), 3, 8, 1, "at most 2"),
        (Sizing(gpu=0.4), 3, 8, 2, None),
        (Sizing(gpu=2), 2, 8, 3, "at most 1"),
        (Sizing(gpu=0.25), 1, 8, 0, "the cluster has none"),
    ],
)
def test_what_the_cluster_cannot_hold_is_refused(sizing, replicas, cores, gpus, lacks):
    found = short_of(spec(sizing=sizing), replicas, cores, gpus)
    told = "" if found is None else f"{found.headline}; {found.help}"
    assert (found is None) == (lacks is None)
    assert (lacks or "") in told


def spec(**more):
    values = {"location": StoreLocation(url="/store"), "manifest": "m", "recipe": "churn", "release": 1, "route": "/"}
    return AppSpec(**values, **{"replicas": (1, 3), **more})


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of Serve about its own fields
def test_replicas_reserve_what_the_recipe_says():
    sizing = Sizing(cpus=0.5, gpu=0.25, target_ongoing=9, drain=20)
    settings = ServiceSettings(limits=Limits(at_once=100)).to_json()
    made = build(AppSpec.from_json(orjson.loads(orjson.dumps(spec(sizing=sizing, settings=settings).to_json()))))
    made = made._bound_deployment
    assert (made.ray_actor_options["num_cpus"], made.ray_actor_options["num_gpus"]) == (0.5, 0.25)
    config = made._deployment_config
    assert config.autoscaling_config.target_ongoing_requests == 9
    assert config.graceful_shutdown_timeout_s == 20
    # What is too much reaches the gate of the replica, which refuses it in JSON, before Serve refuses it.
    assert config.max_ongoing_requests > 100
    assert (config.backpressure_config.status_code, config.backpressure_config.retry_after_s) == (429, 1)


def test_a_specification_of_before_there_was_a_sizing_is_read():
    written = spec().to_json()
    del written["sizing"], written["app"], written["environment"]
    read = AppSpec.from_json(written)
    assert (read.sizing, read.app, read.environment) == (Sizing(), "churn", "development")


def test_a_recipe_says_what_is_taken():
    deploy = Deploy.model_validate(
        {"limits": {"bytes": "2MiB", "rows": 50}, "replicas": {"gpu": 0.25, "drain": "30s", "target_ongoing": 8}}
    )
    assert (deploy.limits.bytes, deploy.limits.rows) == (2**21, 50)
    assert (deploy.replicas.gpu, deploy.replicas.drain, deploy.replicas.target_ongoing) == (0.25, 30.0, 8)


@pytest.mark.parametrize(
    ("given", "drain"),
    [
        ({}, 30.0),
        ({"limits": {"deadline": "5s"}}, 5.0),
        ({"limits": {"deadline": "5m"}}, 60.0),
        ({"limits": {"deadline": "5s"}, "replicas": {"drain": "20s"}}, 20.0),
    ],
)
def test_a_request_is_not_cut_off_before_its_deadline(given, drain):
    assert Deploy.model_validate(given).drain == drain
    assert Deploy.model_validate({"limits": {"bytes": 500}}).limits.bytes == 500


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"limits": {"bytes": "1 megabyte"}}, "like 1MiB; not '1 megabyte'"),
        ({"limits": {"bytes": "0B"}}, "greater than or equal to 1"),
        ({"limits": {"rows": 0}}, "greater than or equal to 1"),
        ({"replicas": {"gpu": 1.5}}, "a part of one GPU, or a whole number"),
        ({"replicas": {"gpu": -1}}, "greater than or equal to 0"),
        ({"replicas": {"cpus": 0}}, "greater than 0"),
        ({"replicas": {"drain": "2m"}}, "less than or equal to 60"),
    ],
)
def test_refuses(values, told):
    with pytest.raises(ValidationError, match=told):
        Deploy.model_validate(values)
