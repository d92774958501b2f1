"""`plan --passes` shows what each pass saves and what it changed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mlops_compiler.passes.manager import PASSES


@pytest.fixture
def shown(small):
    recipe = small.root / "recipes" / "small.yaml"
    text = recipe.read_text()
    assert "prepare:\n" in text
    recipe.write_text(text.replace("prepare:\n", "prepare:\n  once: {op: log1p, columns: [tenure]}\n"))
    return small


def test_text_tells_what_each_pass_saves(shown):
    said = shown.main("plan", "recipe=small", "--passes", "cluster.gpus=0")
    assert said.code == 0, said.err
    told = said.out.partition("  Passes")[2]
    for one in PASSES:
        assert one.__name__ in told
    assert "step runs" in told
    assert "(once for all folds)" in told
    assert shown.main("plan", "recipe=small", "cluster.gpus=0").out == said.out.partition("\n  Passes")[0] + ""


def test_json_counts_the_work_before_and_after(shown):
    said = shown.main("plan", "recipe=small", "--passes", "--json")
    data = json.loads(said.out)["passes"]
    assert [entry["pass"] for entry in data] == ["none", *(one.__name__ for one in PASSES)]
    first, last = data[0], data[-1]
    assert last["fits"] < first["fits"]
    assert last["scans"] <= first["scans"]
    assert "passes" not in json.loads(shown.main("plan", "recipe=small", "--json").out)


def test_nothing_to_do_is_told(small):
    assert "nothing to do" in small.main("plan", "recipe=small", "--passes").out
    assert not Path(small.folder, "objects").exists()
