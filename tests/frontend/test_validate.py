"""A Recipe is what was written, or every mistake is told."""

from __future__ import annotations

import re

import polars as pl
import pytest

from mlops_compiler.diagnostics import RecipeError
from mlops_compiler.frontend.folders import options
from mlops_compiler.frontend.hydra_app import launch
from mlops_compiler.frontend.shape import shape_of
from mlops_compiler.frontend.validate import validate
from mlops_compiler.ir.domain import LogUniform
from mlops_compiler.recipe.recipe import Recipe


def test_the_churn_recipe_is_valid(workspace):
    composed = workspace.compose("recipe=churn")
    recipe = validate(composed)
    source = pl.read_csv(composed.root / recipe.data.source.path, n_rows=1)
    assert list(recipe.data.columns) == source.columns
    assert {model.kind for model in recipe.models.values()} >= {"prior", "torch_mlp"}
    assert recipe.models["logistic"].parameters["C"] == LogUniform(low=0.001, high=10)


@pytest.mark.parametrize(
    "argv", ["search=quick", "search=thorough", "cluster=auto", "cluster=embedded", "cluster=in_process", "store=local"]
)
def test_every_group_that_ships_is_valid(workspace, argv):
    validate(workspace.compose("recipe=churn", argv))


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("trials: 5", 5),
        ("trials: '5'", None),
        ("trials: 5.0", None),
        ("trials: true", None),
        ("time: 5m", 300.0),
        ("time: 300", 300.0),
        ("time: '300'", None),
        ("algorithm: true", None),
        ("patience: 5", 5),
        ("patience: 0", None),
        ("cpu_hours: 0.5", 0.5),
        ("gpu_hours: 0", None),
        ("min_improvement: 0.01", None),
    ],
)
def test_nothing_is_taken_for_something_else(workspace, text, read):
    workspace.recipe(f"search: {{{text}}}\n")
    composed = workspace.compose()
    if read is None:
        with pytest.raises(RecipeError):
            validate(composed)
    else:
        assert getattr(validate(composed).search, text.partition(":")[0]) == read


@pytest.mark.parametrize(
    ("text", "allowed"),
    [("yes", True), ("off", True), ("true", True), ("'yes'", False), ("1", False)],
)
def test_a_truth_may_be_written_as_yaml_does_where_nothing_else_may_stand(workspace, text, allowed):
    workspace.recipe(f"data: {{source: {{kind: csv, path: x.csv}}, columns: {{a: {{nullable: {text}}}}}}}\n")
    composed = workspace.compose()
    if allowed:
        assert isinstance(validate(composed).data.columns["a"].nullable, bool)
    else:
        with pytest.raises(RecipeError):
            validate(composed)


def test_a_truth_on_the_command_line_is_no_trap(workspace):
    assert validate(workspace.compose("recipe=mini", "objective.positive=Yes")).objective.positive == "Yes"
    assert validate(workspace.compose("recipe=mini", "objective.positive=true")).objective.positive is True


def test_all_is_told_at_once_in_the_order_written(workspace):
    workspace.recipe("search: {trails: 1, time: long}\nselect: {rule: worst}\nserach: {}\n")
    message = workspace.message("recipe=mini", "deploy.port=0")
    assert re.findall(r"--> (.*)", message) == [
        "command line: deploy.port=0",
        "recipes/mini.yaml:1:10",
        "recipes/mini.yaml:1:27",
        "recipes/mini.yaml:2:16",
        "recipes/mini.yaml:3:1",
    ]


@pytest.mark.parametrize(
    ("recipe", "told"),
    [
        ("deploy: {host: 0.0.0.0}\n", "would listen at 0.0.0.0, for everybody"),
        ("environment: production\ndeploy: {host: 0.0.0.0, auth: none}\n", "ask nobody who it is"),
        ("environment: production\ndeploy: {host: 0.0.0.0, auth: api_key}\n", None),
        ("environment: production\ndeploy: {auth: none}\n", None),
        ("environment: test\ndeploy: {host: 0.0.0.0, auth: none}\n", None),
    ],
)
def test_a_service_that_others_reach_asks_who_they_are(workspace, recipe, told):
    workspace.recipe(recipe)
    message = workspace.message("recipe=mini")
    assert message == "no error" if told is None else told in message


@pytest.mark.parametrize(
    ("recipe", "told"),
    [
        ("deploy: {proxy: haproxy}\ncluster: {address: auto}\n", "is for an engine of the store's own"),
        ("deploy: {proxy: haproxy}\ncluster: {address: embedded}\n", None),
        ("deploy: {proxy: serve}\ncluster: {address: auto}\n", None),
        ("cluster: {address: auto}\n", None),
        ('deploy: {proxy: haproxy, host: "::1"}\n', "HAProxy cannot listen at ::1"),
        ('deploy: {host: "::1"}\n', None),
    ],
)
def test_haproxy_stands_before_an_engine_of_the_store(workspace, recipe, told):
    workspace.recipe(recipe)
    message = workspace.message("recipe=mini")
    assert message == "no error" if told is None else told in message


def sections(shape, path=(), seen=()):
    """Iterate over every section of the recipe language."""
    for arm in shape.arms:
        if arm.is_section and arm.type not in seen:
            yield path, arm
            for key, child in arm.keys.items():
                yield from sections(child, (*path, key), (*seen, arm.type))
        elif (child := arm.child("name")) is not None:
            yield from sections(child, (*path, "name"), seen)


def test_the_shapes_know_every_section():
    found = {path: set(section.keys) for path, section in sections(shape_of(Recipe)) if "models" not in path}
    assert found[("validate", "folds")] == {"kind", "k", "repeats", "window", "gap", "max_train"}
    assert found[("data", "columns", "name")] >= {"type", "one_of"}
    assert {"validate", "prepare", "models"} <= found[()]


@pytest.mark.parametrize(
    "path",
    [path for path, _ in sections(shape_of(Recipe)) if path and path[0] not in {"prepare", "models"}],
    ids=".".join,
)
def test_an_unknown_key_is_refused_in_every_section(workspace, path):
    key = ".".join((*path, "unknwon"))
    needed = {
        "feedback": "feedback.labels={source: {kind: csv, path: labels.csv}, key: id}",
        "data.join": "data.join.name={source: {kind: csv, path: other.csv}, by: id}",
        "data.stack": "data.stack.name={source: {kind: csv, path: other.csv}}",
        "data.references": "data.references.name={source: {kind: csv, path: other.csv}, by: id}",
        "data.intake": "data.intake={by: new_files}",
        "purpose.deliverables.name": "purpose.deliverables.name={what: a list}",
        "track.name": "track.name={kind: mlflow, uri: {secret: MLFLOW}}",
        "data.history": "data.history.name={op: lag, columns: tenure}",
    }
    given = [token for above, token in needed.items() if key.startswith(above)]
    if ".url." in key:  # only a database has an address, which a secret may hold
        given.append(f"{key.partition('.url')[0]}={{kind: sql, url: {{secret: SHOP}}, table: t}}")
    message = workspace.message("recipe=churn", *given, f"{key}=1")
    assert f"has no key `unknwon`\n --> command line: {key}=1" in message


def test_options_are_listed_without_what_is_none(tmp_path):
    (tmp_path / "search").mkdir()
    for name in ("a.yaml", "b.yml", "README.md"):
        (tmp_path / "search" / name).touch()
    assert options("search", [tmp_path]) == ["a", "b"]


def test_validation_needs_no_hydra(workspace):
    composed = workspace.compose()
    assert validate(composed).name == "mini"
    assert launch(["recipe=mini"], lambda it: validate(it).name) == ("mini",)
