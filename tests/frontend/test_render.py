"""`render` prints what was composed, so that it composes to the same again, and says who set each value."""

from __future__ import annotations

import json

import yaml

from mlops_compiler.frontend.hydra_app import launch
from mlops_compiler.frontend.render import origin_data, render

BASE = """\
name: base
search: {trials: 30, algorithm: tpe}
data:
  source: {kind: csv, path: "a # b.csv"}
"""


def composed(workspace, *words):
    (found,) = launch(["recipe=child", *words], lambda it: it)
    return found


def lay_out(workspace):
    workspace.write("recipes/base.yaml", BASE)
    workspace.write(
        "recipes/child.yaml",
        "defaults: [base, /search: quick, _self_]\nname: child\nnumber: ${search.trials}\nsearch:\n  algorithm: grid\n",
    )
    workspace.write("conf/search/quick.yaml", "trials: 10\n")


def test_each_value_is_beside_its_place(workspace):
    lay_out(workspace)
    text = render(composed(workspace, "search.scheduler=none", "search.algorithm=random"), origins=True)
    told = {line.split("#")[0].strip(): line.split("  # ")[-1] for line in text.splitlines() if "  # " in line}
    assert told == {
        "name: child": "recipes/child.yaml:2:7; was base, recipes/base.yaml:1:7",
        "trials: 10": "conf/search/quick.yaml:1:9; was 30, recipes/base.yaml:2:18",
        "algorithm: random": "command line: search.algorithm=random; was grid, recipes/child.yaml:5:14; "
        "was tpe, recipes/base.yaml:2:33",
        "kind: csv": "recipes/base.yaml:4:18",
        "path: 'a": "recipes/base.yaml:4:29",
        "number: 10": "recipes/child.yaml:3:9; ${search.trials} is set at conf/search/quick.yaml:1:9",
        "scheduler: none": "command line: search.scheduler=none",
    }


def test_what_is_printed_is_what_was_composed(workspace):
    lay_out(workspace)
    found = composed(workspace, "x={a: [1, {b: null}], c: [], d: 'yes', e: 'a: b # c'}")
    for origins in (False, True):
        assert yaml.safe_load(render(found, origins=origins)) == found.config


def test_origins_are_data_too(workspace):
    lay_out(workspace)
    (trials,) = [item for item in origin_data(composed(workspace)) if item["path"] == "search.trials"]
    assert trials["value"] == 10
    assert trials["origin"]["key"] == {"source": "conf/search/quick.yaml", "line": 1, "column": 1, "length": 6}
    assert [item["written"] for item in trials["overrode"]] == ["30"]


def test_the_command_prints_a_document_for_each_job(small):
    said = small.main("render", "recipe=small", "--origins", "--multirun", "validate.seed=1,2")
    assert said.code == 0
    documents = list(yaml.safe_load_all(said.out))
    assert [document["validate"]["seed"] for document in documents] == [1, 2]
    assert "# job 1: recipe=small validate.seed=2" in said.out
    values = json.loads(small.main("render", "recipe=small", "--json").out)["values"]
    assert values["validate"]["seed"] == 7
