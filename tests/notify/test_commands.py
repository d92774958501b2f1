"""A run tells how it went to those who asked for it (L-ACQ-6)."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import yaml

from mlops_compiler import cli
from mlops_compiler.commands.base import Invocation
from mlops_compiler.commands.notices import Notices, tell_outcome
from mlops_compiler.frontend.hydra_app import launch

ROOT = Path(__file__).parents[2]
BASE = yaml.safe_load(
    re.search(r"^```yaml\n(name:.*?)^```$", (ROOT / "docs/recipe.md").read_text(), re.MULTILINE | re.DOTALL)[1]
)
CRITERIA = [
    {"metric": "roc_auc", "at_least": 0.9, "at_most": None, "value": 0.8432, "met": False},
    {"metric": "log_loss", "at_least": None, "at_most": 0.45, "value": 0.42, "met": True},
]


@pytest.fixture
def recipe(tmp_path, monkeypatch, inbox):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOOK", inbox.url)
    (tmp_path / "recipes").mkdir()
    told = {"when": ["failure", "recovery", "success", "release"], "to": {"secret": "HOOK"}}
    given = {**BASE, "notify": [told], "owner": {"name": "Customer analytics", "contact": inbox.url}}
    given["data"] = {**given["data"], "source": {"kind": "csv", "path": "gone.csv"}}
    (tmp_path / "recipes" / "churn.yaml").write_text(yaml.safe_dump(given, sort_keys=False))
    return tmp_path


@pytest.fixture
def told(recipe):
    def tell(outcome, ran):
        invocation = Invocation(command="run", overrides=())
        (found,) = launch(
            ["recipe=churn"], lambda composed: tell_outcome(Notices.of(composed, invocation, "run"), outcome, ran)
        )
        return found

    return tell


def test_a_run_whose_source_is_gone_is_told_once(recipe, inbox, capsys):
    assert [cli.main(["run", "recipe=churn"]) for _ in range(2)] == [1, 1]
    (message,) = inbox.messages
    lines = message["message"].splitlines()
    assert lines[:3] == ["run failed", "reason: the source gone.csv does not exist [source-missing]", "recipe: churn"]
    assert lines[-1] == "next: mlops-compile recipe=churn"
    assert "error[source-missing]" in capsys.readouterr().err


def test_what_is_wrong_with_the_command_line_is_seen_by_whoever_types_it(recipe, inbox):
    assert cli.main(["run", "recipe=churn", "search.trials=0"]) == 1
    assert inbox.messages == []


def test_a_target_that_fails_is_told_beside_the_error(recipe, inbox, capsys):
    inbox.status = 500
    assert cli.main(["run", "recipe=churn", "--json"]) == 1
    said = json.loads(capsys.readouterr().out)
    assert [item["code"] for item in said["errors"]] == ["source-missing"]
    assert [item["code"] for item in said["warnings"]] == ["notify-failed"]


def test_a_refused_release_names_the_criterion_and_the_next_one_recovers(told, inbox):
    told({"accepted": False, "criteria": CRITERIA, "release": None}, ["release"])
    told({"accepted": True, "criteria": [], "release": 3}, ["search", "release"])
    told({"accepted": True, "criteria": [], "release": 3}, [])
    refused, made = inbox.messages
    assert refused["title"] == "churn: release refused"
    assert "reason: roc_auc is 0.8432, and at least 0.9 was asked\n" in refused["message"]
    assert made["title"] == "churn: recovered: release 3 is made"
    assert made["message"].splitlines()[-1] == "next: mlops-compile deploy recipe=churn"


def test_the_owner_hears_of_it_where_the_recipe_says_so(recipe, inbox):
    """L-ACQ-9."""
    assert cli.main(["run", "recipe=churn", "notify=[{when: [failure], owner: true}]"]) == 1
    assert inbox.titles == ["churn: run failed"]
