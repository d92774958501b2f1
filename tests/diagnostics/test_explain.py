"""`explain` tells of every code what the documentation says."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from mlops_compiler import cli
from mlops_compiler.diagnostics.pages import read_pages

DOCS = Path(__file__).parents[2] / "docs"
PAGES = read_pages(DOCS)


def said(capsys, *words):
    code = cli.main(["explain", *words])
    out = capsys.readouterr()
    return code, out.out, out.err


def test_a_code_with_a_section_is_told_whole(capsys):
    code, out, _ = said(capsys, "leak")
    assert code == 0
    assert out.startswith("leak\n\nWhat the models learn from comes from the target")
    assert "Wrong:\n\n```yaml\ndata:" in out
    assert "Right:\n\n```yaml\ndata:" in out
    assert "## key-as-feature" not in out


def test_a_code_without_one_is_told_in_a_sentence(capsys):
    assert said(capsys, "yaml-tab")[1] == "yaml-tab\n\nA line is indented with a tab.\n\nIndent with spaces.\n"


def test_all_are_listed(capsys):
    code, out, _ = said(capsys)
    assert code == 0
    assert [item for item in PAGES if item not in out] == []


def test_as_data(capsys):
    _, out, _ = said(capsys, "random-split", "--json")
    page = json.loads(out)
    assert page["code"] == "random-split"
    assert "time_ordered" in page["section"]
    _, out, _ = said(capsys, "--json")
    assert [item["code"] for item in json.loads(out)] == list(PAGES)


@pytest.mark.parametrize(("word", "help_"), [("leek", "did you mean `leak`?"), ("zzzzzz", "lists all of them")])
def test_a_code_that_there_is_not(capsys, word, help_):
    code, _, err = said(capsys, word)
    assert code == 2
    assert f"error[unknown-code]: there is no code `{word}`" in err
    assert help_ in err


def test_every_section_is_of_a_code_that_there_is():
    sections = [
        code
        for page in sorted((DOCS / "diagnostics").glob("*.md"))
        for code in re.findall(r"^## (.+)$", page.read_text(), re.MULTILINE)
    ]
    assert len(sections) == len(set(sections))
    assert set(sections) <= set(PAGES)
    assert {page.code for page in PAGES.values() if page.section} == set(sections)


def test_it_is_told_from_the_installed_package_too(tmp_path, monkeypatch, capsys):
    """What a wheel holds lies inside the package."""
    inside = tmp_path / "mlops_compiler" / "shipped" / "docs"
    inside.mkdir(parents=True)
    (inside / "diagnostics").mkdir()
    (inside / "diagnostics.md").write_text(
        "## One\n\n| Code | a | b |\n|---|---|---|\n| `odd` | It is [odd](x.md). | Mend it. |\n"
    )
    monkeypatch.setattr(
        "mlops_compiler.frontend.folders.mlops_compiler.__file__", str(tmp_path / "mlops_compiler" / "__init__.py")
    )
    assert said(capsys, "odd")[1] == "odd\n\nIt is odd.\n\nMend it.\n"
