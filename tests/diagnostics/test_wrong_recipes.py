"""A table of wrong recipes: each section of `wrong/*.md` changes a shipped recipe, and shows all that a user is told.

A section holds its ``base`` where that is not churn, a ``diff`` of it, a ``console`` command where it is another than `check`, further files, and
the whole message. ``pytest tests/diagnostics --write-golden`` writes the messages anew.
"""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from conftest import Workplace

ROOT = Path(__file__).parents[2]
PAGES = sorted((Path(__file__).parent / "wrong").glob("*.md"))
SECTION = re.compile(r"^## (.+)$", re.MULTILINE)
BLOCK = re.compile(r"^```(\S+)(?: (\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
MESSAGE = re.compile(r"(^```text\n).*?(^```$)", re.MULTILINE | re.DOTALL)
HUNK = re.compile(r"^@@.*\n", re.MULTILINE)


def sections():
    for page in PAGES:
        for title in SECTION.findall(page.read_text()):
            yield pytest.param(page, title, id=f"{page.stem}: {title}")


def section(page, title):
    parts = SECTION.split(page.read_text())[1:]
    return dict(zip(parts[::2], parts[1::2], strict=True))[title]


def changed(recipe, diff):
    """Apply a diff; each of its hunks stands exactly once in the recipe."""
    for hunk in HUNK.split(diff):
        lines = hunk.splitlines(keepends=True)
        old = "".join(line[1:] for line in lines if line[0] in " -")
        new = "".join(line[1:] for line in lines if line[0] in " +")
        assert recipe.count(old) == 1, old
        recipe = recipe.replace(old, new)
    return recipe


@pytest.fixture
def place(tmp_path, monkeypatch):
    (tmp_path / "recipes").mkdir()
    (tmp_path / "recipes" / "data").symlink_to(ROOT / "recipes" / "data")
    monkeypatch.delenv("CHURN_ROUTE", raising=False)
    return Workplace(tmp_path)


@pytest.mark.parametrize(("page", "title"), list(sections()))
def test_is_told(request, page, title, place):
    base, encoding, expected = "churn", "utf-8", None
    recipe = (ROOT / "recipes/churn.yaml").read_text()
    command = ""
    for kind, name, body in BLOCK.findall(section(page, title)):
        match kind:
            case "base":
                base = body.strip()
                recipe = (ROOT / "recipes" / f"{base}.yaml").read_text()
            case "diff":
                recipe = changed(recipe, body)
            case "encoding":
                encoding = body.strip()
            case "yaml":
                file = place.root / name
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(body)
            case "console":
                command = body.removeprefix("$ mlops-compile ")
            case "text":
                expected = body
    (place.root / "recipes" / f"{base}.yaml").write_bytes(recipe.encode(encoding))
    said = place.main(*shlex.split(command or f"check recipe={base}"))
    told = said.err.replace(str(place.root), "ROOT")
    assert said.code in (1, 2), told
    assert not (place.root / ".mlops").exists(), "a wrong recipe leaves nothing behind"
    if request.config.getoption("--write-golden"):
        before, text, after = page.read_text().partition(f"## {title}\n")
        here, more, rest = after.partition("\n## ")
        here = MESSAGE.sub(lambda found: found[1] + told + found[2], here, count=1)
        page.write_text(before + text + here + more + rest)
    else:
        assert told == expected
