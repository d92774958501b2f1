"""What a page shows as wrong is found, under the code that the page is about; what it shows as right is not."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from mlops_compiler.analysis.lints.engine import RULES
from mlops_compiler.diagnostics import MlopsError
from mlops_compiler.driver import compile_recipe
from mlops_compiler.frontend.hydra_app import launch

ROOT = Path(__file__).parents[2]
BASE = re.search(r"^```yaml\n(name:.*?)^```$", (ROOT / "docs/recipe.md").read_text(), re.MULTILINE | re.DOTALL)[1]
SECTION = re.compile(r"^## (.+)$", re.MULTILINE)
EXAMPLE = re.compile(r"^(Wrong|Right):\n\n```yaml\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def sections():
    for page in sorted((ROOT / "docs/diagnostics").glob("*.md")):
        parts = SECTION.split(page.read_text())[1:]
        yield from zip(parts[::2], parts[1::2], strict=True)


def examples():
    for code, text in sections():
        for kind, example in EXAMPLE.findall(text):
            yield pytest.param(code, kind, example, id=f"{code}: {kind.lower()}")


@pytest.fixture
def workspace(tmp_path, monkeypatch):
    (tmp_path / "recipes").mkdir()
    (tmp_path / "recipes" / "data").symlink_to(ROOT / "recipes" / "data")
    monkeypatch.chdir(tmp_path)
    return tmp_path / "recipes" / "example.yaml"


@pytest.mark.parametrize(("code", "kind", "example"), list(examples()))
def test_an_example_of_a_page(workspace, code, kind, example):
    workspace.write_text(yaml.safe_dump({**yaml.safe_load(BASE), **yaml.safe_load(example)}, sort_keys=False))
    try:
        (compiled,) = launch(["recipe=example"], compile_recipe)
        found = compiled.warnings
    except MlopsError as error:
        found = error.diagnostics
    assert (code in {finding.code for finding in found}) == (kind == "Wrong")


def test_every_rule_has_a_section_that_tells_its_weight():
    text = (ROOT / "docs/diagnostics/rules.md").read_text()
    rows = dict(re.findall(r"^\| \[`([a-z\-]+)`\]\(#[a-z\-]+\) \| (.*) \|$", text, re.MULTILINE))
    weights = {code: " | ".join(str(level or "off") for level in rule.levels.values()) for code, rule in RULES.items()}
    assert rows == weights
    assert set(RULES) <= {code for code, _ in sections()}


def test_file_function_and_code_of_a_rule_are_one_name():
    for code, rule in RULES.items():
        name = code.replace("-", "_")
        assert rule.check.__name__ == name
        assert rule.check.__module__.rpartition(".")[2] == name
