"""Hydra's command line works as Hydra's, leaves nothing behind, and hands over composed recipes."""

from __future__ import annotations

import contextlib
import logging
import os

import pytest

from mlops_compiler.diagnostics import EngineError, MlopsError, RecipeError, UsageError
from mlops_compiler.frontend.hydra_app import launch
from mlops_compiler.frontend.validate import validate


def test_a_recipe_is_composed(workspace):
    composed = workspace.compose("recipe=mini", "search.trials=7")
    assert composed.recipe_name == "mini"
    assert composed.recipe_path == workspace.root / "recipes/mini.yaml"
    assert composed.root == workspace.root / "recipes"
    assert composed.overrides == ("recipe=mini", "search.trials=7")
    assert composed.job_num is None
    assert composed.config["search"] == {"trials": 7}
    assert "hydra" not in composed.config
    assert "recipe" not in composed.config


@pytest.mark.parametrize("choice", ["recipes/mini.yaml", "./recipes/mini.yaml", "recipes/mini"])
def test_a_recipe_is_found_by_its_path(workspace, choice):
    assert workspace.compose(f"recipe={choice}").recipe_name == "mini"


def test_a_recipe_is_found_by_a_path_that_needs_quotes(workspace):
    path = workspace.recipe(name="my recipe, the first")
    assert workspace.compose(f"recipe='{path}'").recipe_path == path


def test_recipes_ship_with_the_package(workspace):
    composed = workspace.compose("recipe=churn", "search=quick")
    assert composed.root != workspace.root / "recipes"
    assert composed.config["search"]["trials"] == 14


def test_a_folder_that_is_named_comes_first(workspace):
    workspace.write("other/mini.yaml", "name: other\n")
    workspace.write("other/conf/search/mine.yaml", "trials: 99\n")
    (composed,) = launch(["recipe=mini", "search=mine"], lambda it: it, recipe_dirs=[workspace.root / "other"])
    assert composed.config == {"name": "other", "search": {"trials": 99}}


@pytest.mark.parametrize(
    ("recipe", "argv", "trials"),
    [
        ("defaults: [/search: few]\n", [], 3),
        ("defaults: [/search: few]\nsearch: {trials: 5}\n", [], 5),
        ("defaults: [/search: few]\n", ["search=many"], 300),
        ("", ["search=many"], 300),
        ("search: {trials: 5}\n", ["search=many"], 300),
        ("defaults: [/search: few]\n", ["search=many", "search.trials=8"], 8),
        ("", ["+search=many"], 300),
        ("", ["search={trials: 4}"], 4),
        ("defaults: [base]\n", [], 77),
        ("defaults: [base]\nsearch: {trials: 5}\n", ["search.trials=6"], 6),
        ("defaults: [/search: few, base]\n", [], 77),
    ],
)
def test_the_command_line_beats_the_recipe_beats_groups(workspace, recipe, argv, trials):
    workspace.write("conf/search/few.yaml", "trials: 3\n")
    workspace.write("conf/search/many.yaml", "trials: 300\n")
    workspace.write("recipes/base.yaml", "search: {trials: 77}\n")
    workspace.recipe(recipe)
    assert workspace.compose("recipe=mini", *argv).config["search"]["trials"] == trials


@pytest.mark.parametrize(
    ("token", "key", "value"),
    [
        ("prepare.gone.op=drop", ("prepare", "gone", "op"), "drop"),
        ("+prepare.gone.columns=[a,b]", ("prepare", "gone", "columns"), ["a", "b"]),
        ("++name=other", ("name",), "other"),
        ("models.logistic.C={log_uniform: [0.1, 1]}", ("models", "logistic", "C"), {"log_uniform": [0.1, 1]}),
        ("description='it costs 5: cheap'", ("description",), "it costs 5: cheap"),
        ("description=${name}", ("description",), "mini"),
    ],
)
def test_any_key_can_be_set(workspace, token, key, value):
    found = workspace.compose("recipe=mini", token).config
    for part in key:
        found = found[part]
    assert found == value


def test_a_key_can_be_removed(workspace):
    assert "models" not in workspace.compose("recipe=mini", "~models").config


def test_a_sweep_runs_each_job_once(workspace):
    workspace.recipe("search: {trials: 1}\n", name="second")
    jobs = launch(["-m", "recipe=mini,second", "search.trials=2,3", "name=x"], lambda it: it)
    assert [(job.job_num, job.recipe_name, job.config["search"]["trials"]) for job in jobs] == [
        (0, "mini", 2),
        (1, "mini", 3),
        (2, "second", 2),
        (3, "second", 3),
    ]
    assert jobs[1].overrides == ("recipe=mini", "search.trials=3", "name=x")


@pytest.mark.usefixtures("no_shipped")
def test_a_sweep_runs_over_all_recipes(workspace):
    workspace.recipe(name="second")
    assert [job.recipe_name for job in launch(["-m", "recipe=glob(*)"], lambda it: it)] == ["mini", "second"]


def test_a_sweep_over_options_of_a_group_that_only_one_recipe_names(workspace):
    workspace.write("conf/search/few.yaml", "trials: 3\n")
    workspace.write("conf/search/many.yaml", "trials: 300\n")
    workspace.recipe("defaults: [/search: few]\n", name="second")
    jobs = launch(["-m", "recipe=mini,second", "search=few,many"], lambda it: it.config["search"]["trials"])
    assert jobs == (3, 300, 3, 300)


def test_a_sweep_with_a_bad_job_starts_none(workspace):
    started = []
    with pytest.raises(UsageError, match="no recipe `mimi`"):
        launch(["-m", "recipe=mini,mimi"], started.append)
    assert started == []


def test_all_jobs_of_a_sweep_are_run_and_all_errors_told(workspace):
    seen = []

    def task(composed):
        seen.append(composed.job_num)
        validate(composed)

    with pytest.raises(RecipeError) as caught:
        launch(["-m", "recipe=mini", "search.trials=0,3,many"], task)
    assert seen == [0, 1, 2]
    assert [item.code for item in caught.value.diagnostics] == ["out-of-range", "wrong-type"]


@pytest.mark.parametrize("error", [EngineError([]), ZeroDivisionError()], ids=["ours", "a bug"])
def test_what_the_task_raises_is_raised(workspace, capsys, error):
    def task(_):
        raise error

    with pytest.raises(type(error)) as caught:
        launch(["recipe=mini"], task)
    assert caught.value is error
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("argv", "shown"),
    [
        (["--cfg", "job"], "name: mini\n"),
        (["--cfg", "job", "description=${name}"], "description: ${name}\n"),
        (["--cfg", "job", "--resolve", "description=${name}"], "description: mini\n"),
        (["--cfg", "job", "--package", "data.source"], "kind: csv\n"),
        (["--cfg", "hydra"], "output_subdir: null\n"),
        (["--info", "defaults"], "| recipe/"),
        (["--info", "searchpath"], "recipes://"),
        (["--hydra-help"], "hydra/launcher"),
        (["--help"], "search=thorough"),
        (["--shell-completion", "install=bash"], "hydra_bash_completion"),
    ],
    ids=" ".join,
)
def test_hydras_flags_show_what_they_show(workspace, capsys, argv, shown):
    recipe = [] if "--shell-completion" in argv else ["recipe=mini"]
    assert launch([*recipe, *argv], lambda it: it) == ()
    assert shown in capsys.readouterr().out


@pytest.mark.parametrize(
    ("line", "completions"),
    [
        ("recipe=mi", "recipe=mini"),
        ("check recipe=mi", "recipe=mini"),
        ("se", "search="),
        ("recipe=mini search=th", "search=thorough"),
        ("plan recipe=mini models.lo", "models.logistic."),
        ("recipe=mini models.logistic.ki", "models.logistic.kind="),
        ("recipe=nowhere models.lo", ""),
    ],
)
def test_the_shell_completes(workspace, capsys, monkeypatch, line, completions):
    monkeypatch.setenv("COMP_LINE", f"mlops-compile {line}")
    launch(["-sc", "query=bash"], lambda it: it)
    assert capsys.readouterr().out.split() == completions.split()


@pytest.mark.parametrize(
    "argv",
    [
        ["recipe=mini"],
        ["recipe=mini", "--cfg", "job"],
        ["--help"],
        ["recipe=mimi"],
    ],
    ids=" ".join,
)
def test_nothing_is_written(workspace, argv):
    before, here, variables = workspace.files(), os.getcwd(), dict(os.environ)  # noqa: PTH109
    with contextlib.suppress(MlopsError):
        launch(argv, lambda it: it)
    assert workspace.files() == before
    assert os.getcwd() == here  # noqa: PTH109
    assert dict(os.environ) == variables


@pytest.mark.parametrize(
    "argv", [["recipe=mini"], ["-m", "recipe=mini"], ["recipe=mini", "--info", "config"]], ids=" ".join
)
def test_logging_is_left_alone(workspace, argv):
    root, other = logging.getLogger(), logging.getLogger("other")
    before = (root.level, list(root.handlers), other.disabled)
    launch(argv, lambda it: it)
    assert (root.level, list(root.handlers), other.disabled) == before


def test_a_sweep_writes_its_settings_in_its_own_folder_only(workspace):
    before = workspace.files()
    launch(["-m", "recipe=mini", "search.trials=2,3"], lambda it: it)
    assert workspace.files() - before == {".mlops", ".mlops/multirun", ".mlops/multirun/multirun.yaml"}


def test_the_file_that_changed_is_read_again(workspace):
    assert workspace.compose().config["name"] == "mini"
    workspace.recipe("name: changed\n")
    assert workspace.compose().config["name"] == "changed"
