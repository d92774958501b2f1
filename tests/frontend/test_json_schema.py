"""The schema for editors lets through what the compiler accepts, and finds what one file can show."""

from __future__ import annotations

import copy
import json
import re
from pathlib import Path

import jsonschema
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from mlops_compiler import cli
from mlops_compiler.analysis.lints.engine import ALLOWABLE
from mlops_compiler.diagnostics import MlopsError
from mlops_compiler.frontend.hydra_app import launch
from mlops_compiler.frontend.json_schema import recipe_schema
from mlops_compiler.frontend.validate import validate
from mlops_compiler.models.registry import MODELS
from tests.diagnostics import test_mutations as mutations

ROOT = Path(__file__).parents[2]
SCHEMA = recipe_schema(ALLOWABLE)
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)
CHURN = yaml.safe_load((ROOT / "recipes/churn.yaml").read_text())
EXAMPLES = re.findall(r"^```yaml\n(name:.*?)^```$", (ROOT / "docs/recipe.md").read_text(), re.MULTILINE | re.DOTALL)


def wrong(data):
    return [f"{error.json_path}: {error.message}" for error in VALIDATOR.iter_errors(data)]


def changed(path, value):
    data = copy.deepcopy(CHURN)
    above = data
    for key in path[:-1]:
        above = above.setdefault(key, {})
    above[path[-1]] = value
    return data


def test_is_a_schema():
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("path", sorted((ROOT / "recipes").glob("*.yaml")), ids=lambda path: path.stem)
def test_the_shipped_recipes_are_right_and_name_it(path):
    assert wrong(yaml.safe_load(path.read_text())) == []
    assert path.read_text().splitlines()[0] == "# yaml-language-server: $schema=recipe.schema.json"


def test_the_shipped_schema_is_of_this_version():
    assert json.loads((ROOT / "recipes/recipe.schema.json").read_text()) == SCHEMA, "run `make schema`"


def test_the_examples_of_the_documentation_are_right():
    assert EXAMPLES
    for example in EXAMPLES:
        assert wrong(yaml.safe_load(example)) == []


@pytest.mark.parametrize(
    ("path", "value", "told"),
    [
        (("serach",), {}, "'serach' was unexpected"),
        (("search", "trails"), 3, "'trails' was unexpected"),
        (("search", "trials"), 0, "0 is less than the minimum of 1"),
        (("search", "time"), "5 minutes", "is not valid under any"),
        (("models", "forest", "kind"), "randomforest", "'randomforest' is not one of"),
        (("models", "forest", "max_depht"), 3, "'max_depht' was unexpected"),
        (("models", "forest", "max_features"), {"lognormal": [1, 2]}, "is not valid under any"),
        (("prepare", "scale", "op"), "standardise", "'standardise' is not one of"),
        (("prepare", "scale", "fit_on"), "all", "'fit_on' was unexpected"),
        (("data", "columns", "tenure", "type"), "number", "'number' is not valid under any"),
        (("objective", "accept", "auc"), {"at_least": 1}, "'auc' was unexpected"),
        (("validate", "holdout", "fraction"), 20, "20 is greater than or equal to the maximum of 1"),
        (("allow",), ["no-such-rule"], "is not valid under any"),
        (("objective",), {"task": "binary_classification"}, "'target' is a required property"),
    ],
)
def test_finds_what_one_file_can_show(path, value, told):
    assert any(told in text for text in wrong(changed(path, value))), wrong(changed(path, value))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("search", "time"), "5m"),
        (("search", "trials"), "${validate.seed}"),
        (("search", "trials"), "???"),
        (("deploy", "route"), "/${name}"),
        (("models", "forest", "max_features"), {"choice": [0.5, "sqrt"]}),
        (("models", "forest", "max_features"), {"uniform": [0.1, 0.5]}),
        (("models", "forest", "resources"), {"gpu": 0, "memory": 2}),
        (("allow",), ["no-owner", {"rule": "no-notice", "because": "it is a toy"}]),
        (("monitor",), {"every": "1h", "performance": {"roc_auc": {"at_least": 0.8}}}),
        (("feedback",), {"labels": {"source": {"kind": "parquet", "path": "a"}, "key": "b"}, "at_most": "10%"}),
        (("prepare", "encode", "columns"), {"all_except": ["tenure"]}),
    ],
)
def test_lets_through_what_is_right(path, value):
    assert wrong(changed(path, value)) == []


def test_what_builds_on_another_recipe_need_not_be_whole():
    part = {"defaults": ["churn", "_self_"], "models": {"forest": {"max_features": 0.5}}, "objective": {"metric": "f1"}}
    assert wrong(part) == []
    assert wrong({**part, "search": {"trails": 3}})
    assert wrong({key: value for key, value in part.items() if key != "defaults"})


@mutations.law(150)
@given(draw=st.data())
def test_never_refuses_what_the_compiler_accepts(tmp_path_factory, draw):
    data = copy.deepcopy(CHURN)
    for _ in range(draw.draw(st.integers(1, 2))):
        places = st.sampled_from(mutations.PLACES["churn"])
        try:
            draw.draw(mutations.CHANGES)(data, draw.draw(places), draw.draw(mutations.VALUES), draw.draw(places))
        except (KeyError, IndexError, TypeError):
            continue
    file = tmp_path_factory.getbasetemp() / "mutated.yaml"
    file.write_text(mutations.dump(data))
    try:
        launch([f"recipe={file}"], validate)
    except MlopsError:
        return
    assert wrong(yaml.safe_load(file.read_text())) == []


def test_every_kind_and_key_is_documented():
    for name in MODELS:
        assert SCHEMA["$defs"][name]["description"]
    sections = {"root": SCHEMA["else"], **SCHEMA["$defs"]}
    missing = {
        f"{name}.{key}"
        for name, section in sections.items()
        if not name.endswith(".partial")
        for key, about in section.get("properties", {}).items()
        if "description" not in about
    }
    assert missing == set()


def test_the_command_prints_and_writes_it(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert cli.main(["schema"]) == 0
    assert json.loads(capsys.readouterr().out) == SCHEMA
    assert cli.main(["schema", "--out", "here.json"]) == 0
    assert json.loads((tmp_path / "here.json").read_text()) == SCHEMA
    assert cli.main(["schema", "--out", "nowhere/here.json"]) == 2
    assert "error[output-unwritable]" in capsys.readouterr().err
    assert cli.main(["schema", "search.trials=3"]) == 2
