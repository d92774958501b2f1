"""`diff` compares recorded runs; a run records what it is made of before it starts, and that never stops it."""

from __future__ import annotations

import json
import subprocess

import pytest

from mlops_compiler.commands import origins
from mlops_compiler.driver import compile_recipe
from mlops_compiler.frontend.hydra_app import launch
from mlops_compiler.recipe.recipe import Recipe


@pytest.mark.engine
@pytest.mark.usefixtures("engine")
def test_a_run_is_compared_with_the_one_before(finished):
    first = finished.run().run_id
    assert finished.main("recipe=small", "select.rule=one_standard_error", "models.logistic.C=0.5").code == 0
    said = finished.main("diff", first)
    assert said.code == 0, said.err
    assert "select.rule        best → one_standard_error" in said.out
    assert "models.logistic.C  {log_uniform: [0.001, 10]} → 0.5" in said.out
    assert "data: the same snapshot, 600 rows" in said.out
    assert "environment: the same" in said.out
    told = json.loads(finished.main("diff", "1", "last", "recipe=small", "--json").out)
    assert (told["before"]["run_id"], told["differs"]) == (first, True)
    assert {key: told[key]["state"] for key in ("recipe", "data", "code")} == {
        "recipe": "different",
        "data": "same",
        "code": "same",
    }
    assert finished.main("diff").out == said.out
    assert "nothing differs" in finished.main("diff", "last").out


@pytest.mark.engine
def test_a_name_of_no_run_is_refused(finished):
    known = finished.run().run_id
    for words, code, exits in (
        (["diff", "last~1"], "unknown-run", 2),
        (["diff", known, "20010101"], "unknown-run", 2),
        (["diff", "9", "recipe=small"], "unknown-release", 1),
    ):
        said = finished.main(*words)
        assert (said.code, said.out) == (exits, "")
        assert f"error[{code}]" in said.err


def test_where_nothing_ran_there_is_nothing_to_compare(small):
    said = small.main("diff", "recipe=small")
    assert said.code == 2
    assert "error[unknown-run]" in said.err
    assert not small.folder.exists()


def recipe_of(small, monkeypatch, *overrides):
    monkeypatch.chdir(small.root)
    (compiled,) = launch(["recipe=small", *overrides], compile_recipe)
    return compiled.recipe


def test_a_recorded_recipe_is_the_recipe_again(small, monkeypatch):
    recipe = recipe_of(small, monkeypatch, "description='a://b:c @ d'")
    told = json.loads(origins.recipe_text(recipe))
    assert told["models"]["logistic"]["C"] == {"log_uniform": [0.001, 10]}
    assert list(told["prepare"]) == ["no_bill_yet", "scale", "encode"]
    assert Recipe.model_validate(told) == recipe


def test_a_recorded_recipe_holds_no_password(small, monkeypatch):
    recipe = recipe_of(small, monkeypatch, "store.database='postgresql://me:hunter2@host/db'")
    text = origins.recipe_text(recipe)
    assert "hunter2" not in text
    assert json.loads(text)["store"]["database"] == "postgresql://me:*******@host/db"


def git(folder, *words):
    subprocess.run(
        ["git", "-c", "user.name=a", "-c", "user.email=a@b", "-C", str(folder), *words], check=True, capture_output=True
    )


def test_the_commit_of_the_recipes_folder(tmp_path):
    assert origins.commit(tmp_path) == {"commit": None, "dirty": None}
    git(tmp_path, "init")
    assert origins.commit(tmp_path) == {"commit": None, "dirty": None}
    (tmp_path / "a.yaml").write_text("a: 1\n")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-m", "first")
    clean = origins.commit(tmp_path)
    assert (len(clean["commit"]), clean["dirty"]) == (40, False)
    (tmp_path / "a.yaml").write_text("a: 2\n")
    assert origins.commit(tmp_path) == {**clean, "dirty": True}


@pytest.mark.parametrize(
    "error", [FileNotFoundError("git"), subprocess.TimeoutExpired("git", 1)], ids=["no git", "a slow one"]
)
def test_git_never_stops_a_run(tmp_path, monkeypatch, error):
    def fail(*_words, **_options):
        raise error

    monkeypatch.setattr(origins.subprocess, "run", fail)
    assert origins.commit(tmp_path) == {"commit": None, "dirty": None}


def test_the_environment_names_the_libraries():
    told = origins.environment()
    assert told["libraries"]["polars"]
    assert told["cpus"] > 0
    assert json.loads(json.dumps(told)) == told
