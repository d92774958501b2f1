"""A release that is taken back makes place for the one that the recipe names, which is put there at once."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import pytest

from mlops_compiler.commands.serving import put_in_service, rollout_of
from mlops_compiler.diagnostics import DataError, Diagnostic, EngineError
from mlops_compiler.recipe.deploy import Deploy
from mlops_compiler.recipe.promotion import Promotion
from mlops_compiler.recipe.resources import Cluster
from mlops_compiler.recipe.verify import Verify
from mlops_compiler.serving.rollout import Limits
from mlops_compiler.store.location import StoreLocation
from mlops_compiler.store.reader import open_reader
from mlops_compiler.store.records import Deployment
from mlops_compiler.store.writer import open_writer


def recipe_of(folder, **rollout):
    return SimpleNamespace(
        name="churn",
        environment="development",
        deploy=Deploy.model_validate({"rollout": {"kind": "canary", **rollout}}),
        verify=Verify(),
        promotion=Promotion(),
        cluster=Cluster(),
        store=SimpleNamespace(url=str(folder), database=None),
    )


def deployment_of(release):
    values = dict.fromkeys(("recipe", "route", "host", "address", "app", "session"), "churn")
    settings = {"url": "http://127.0.0.1:8000"}
    return Deployment(**values, release=release, port=8000, pid=None, created=0.0, settings=settings)


@pytest.fixture
def releases(tmp_path):
    """Give a store with three releases, the second of which is in place."""
    store = open_writer(StoreLocation(url=str(tmp_path)))
    for number in (1, 2, 3):
        store.register_release(
            recipe="churn", fingerprint=str(number) * 64, manifest="m", metrics={}, run_id="run", notes=""
        )
    store.record_deployment(deployment_of(2))
    return [store.release("churn", number) for number in (1, 2, 3)]


@pytest.fixture
def deployed(monkeypatch):
    """Let no release but the third fail; gives what is deployed, with its target."""
    seen = []

    def deploy(_location, target, release, *, said):
        seen.append((release.number, target.rollout.kind))
        said(f"release {release.number}")
        if release.number == 3:
            raise EngineError([Diagnostic(code="release-taken-back", headline="release 3 is taken back")])
        return deployment_of(release.number)

    monkeypatch.setattr("mlops_compiler.backends.ray.service.deploy", deploy)
    monkeypatch.setenv("MLOPS_ACTOR", "ada")
    return seen


def test_a_deployment_is_recorded_and_noted_down(tmp_path, releases, deployed):
    put_in_service(recipe_of(tmp_path), releases[0])
    store = open_reader(StoreLocation(url=str(tmp_path)))
    assert store.deployment("churn", "development").release == 1
    (entry,) = store.audit("churn")
    assert (entry.actor, entry.action, entry.release, entry.payload["before"]) == ("ada", "deploy", 1, 2)
    assert deployed == [(1, "canary")]


def test_the_release_in_place_stays_where_none_is_named(tmp_path, releases, deployed):
    with pytest.raises(EngineError):
        put_in_service(recipe_of(tmp_path), releases[2])
    assert deployed == [(3, "canary")]
    assert open_reader(StoreLocation(url=str(tmp_path))).deployment("churn", "development").release == 2


def test_another_release_is_returned_to_at_once(tmp_path, releases, deployed):
    said = []
    with pytest.raises(EngineError):
        put_in_service(recipe_of(tmp_path, roll_back_to=1), releases[2], said=said.append)
    assert deployed == [(3, "canary"), (1, "all_at_once")]
    assert "roll_back_to" in said[1]
    assert open_reader(StoreLocation(url=str(tmp_path))).deployment("churn", "development").release == 1


def test_a_release_to_return_to_must_be_there(tmp_path, releases, deployed):
    with pytest.raises(DataError, match="no release 9"):
        put_in_service(recipe_of(tmp_path, roll_back_to=9), releases[2])
    assert deployed == []


def test_a_recipe_says_what_takes_a_release_back(tmp_path):
    asked = rollout_of(recipe_of(tmp_path, roll_back_if={"disagreement": "> 5%", "latency_p99": "200ms"}))
    assert asked.limits == Limits(error_rate=None, latency_p99=0.2, disagreement=0.05)
    assert asked.shares == (0.05, 0.25, 1.0)
    assert (asked.replay, asked.compatible) == (500, True)
    assert rollout_of(recipe_of(tmp_path)).limits == Limits(error_rate=0.01)


def test_the_end_of_a_service_is_noted_down(small, monkeypatch):
    monkeypatch.setattr("mlops_compiler.backends.ray.service.undeploy", lambda _: "stopped")
    monkeypatch.setenv("MLOPS_ACTOR", "ada")
    open_writer(StoreLocation(url=str(small.folder))).record_deployment(
        replace(deployment_of(2), recipe="small", app="small")
    )
    assert small.main("undeploy", "recipe=small").code == 0
    (entry,) = small.store.audit("small")
    assert (entry.actor, entry.action, entry.release, entry.payload) == ("ada", "undeploy", 2, {"engine": "stopped"})
