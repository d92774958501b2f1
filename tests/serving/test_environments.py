"""Two environments of a recipe serve at once on one engine: each its release, its keys and its log, and its own end."""

from __future__ import annotations

import http.client
import json

import pytest

from mlops_compiler.backends.ray import serve_engine
from mlops_compiler.backends.ray.service import ServiceTarget, deploy, service_logs, service_state, undeploy
from mlops_compiler.monitoring.observed import outcomes, predictions
from mlops_compiler.serving.keys import ROLES, make_key
from mlops_compiler.serving.prediction_log import LogSettings
from mlops_compiler.serving.settings import ServiceSettings
from mlops_compiler.store.location import StoreLocation
from mlops_compiler.store.records import service_name
from mlops_compiler.store.writer import open_writer

pytestmark = pytest.mark.engine
ROUTES = {"test": "/churn-test", "production": "/churn"}


class Recipe:
    """A recipe with two releases and a key for each environment."""

    def __init__(self, folder, make_release):
        self.location = StoreLocation(url=str(folder))
        self.writer, self.port = open_writer(self.location), serve_engine.free_port()
        about = {"recipe": "churn", "metrics": {}, "run_id": "run", "notes": ""}
        self.releases = [
            self.writer.register_release(
                fingerprint=str(number) * 64, manifest=make_release(self.writer.objects, **changes), **about
            )
            for number, changes in ((1, {}), (2, {"threshold": 0.9}))
        ]
        self.keys = {}
        for environment in ROUTES:
            self.keys[environment], kept = make_key(("churn", environment), "crm", ROLES)
            self.writer.put_key(kept)

    def put(self, release, environment):
        """Serve a release in an environment, and record it."""
        target = ServiceTarget(
            route=ROUTES[environment],
            port=self.port,
            cpus=2,
            environment=environment,
            settings=ServiceSettings(auth=True, log=LogSettings()),
        )
        deployment = deploy(self.location, target, self.releases[release - 1])
        self.writer.record_deployment(deployment)
        return deployment

    def end(self, environment):
        """End the service of an environment."""
        engine = undeploy(self.writer.deployment("churn", environment))
        self.writer.remove_deployment("churn", environment)
        return engine

    def ask(self, environment, body=None, *, key=None, path=""):
        """Ask the service of an environment with its key, or another one."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            method, headers = ("GET" if body is None else "POST"), {"X-API-Key": key or self.keys[environment]}
            connection.request(method, ROUTES[environment] + path, body and json.dumps(body), headers)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())
        finally:
            connection.close()

    def logged(self, environment):
        """Give the ids and the releases of what an environment answered."""
        rows = predictions(self.location, service_name("churn", environment))
        return list(rows.select("id", "release").iter_rows())


@pytest.fixture
def recipe(tmp_path, make_release):
    recipe = Recipe(tmp_path / "store", make_release)
    yield recipe
    for deployment in recipe.writer.deployments():
        undeploy(deployment)


def test_each_environment_serves_for_itself(recipe, example):
    in_test, in_production = recipe.put(2, "test"), recipe.put(1, "production")
    assert in_test.pid == in_production.pid
    answers = {environment: recipe.ask(environment, example) for environment in ROUTES}
    assert [(status, body["release"]) for status, body in answers.values()] == [(200, 2), (200, 1)]
    assert recipe.ask("production")[1]["environment"] == "production"
    assert recipe.ask("production", example, key=recipe.keys["test"])[0] == 401
    told = {"id": answers["test"][1]["id"], "outcome": "Yes"}
    assert recipe.ask("test", told, path="/labels")[0] == 202

    replaced = recipe.put(2, "production")
    assert (service_state(replaced)["release"], service_state(in_test)["release"]) == (2, 2)
    answered = recipe.ask("production", example)[1]

    assert recipe.end("test") == "running"
    assert recipe.ask("production", example)[1]["release"] == 2
    assert service_state(replaced)["status"] == "healthy"
    assert any("POST /churn" in line for line in service_logs(replaced, 200))
    assert recipe.logged("test") == [(answers["test"][1]["id"], 2)]
    assert recipe.end("production") == "stopped"

    first, second, *_ = recipe.logged("production")
    assert [first, second] == [(answers["production"][1]["id"], 1), (answered["id"], 2)]
    heights = [outcomes(recipe.location, service_name("churn", name)).height for name in ROUTES]
    assert heights == [1, 0]
