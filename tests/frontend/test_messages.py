"""Each section of `messages/*.md` is a recipe, a command line and the whole message that a user gets."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

SECTION = re.compile(r"^## (.+)$", re.MULTILINE)
BLOCK = re.compile(r"^```(\S+)(?: (\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def sections():
    for page in sorted((Path(__file__).parent / "messages").glob("*.md")):
        parts = SECTION.split(page.read_text())[1:]
        for title, text in zip(parts[::2], parts[1::2], strict=True):
            yield pytest.param(text, id=f"{page.stem}: {title}")


@pytest.mark.parametrize("text", list(sections()))
@pytest.mark.usefixtures("no_shipped")
def test_message(text, workspace):
    blocks = [(kind, name, body) for kind, name, body in BLOCK.findall(text)]
    command = "recipe=mini"
    for kind, name, body in blocks:
        if kind == "yaml" and name:
            workspace.write(name, body)
        elif kind == "yaml":
            workspace.recipe(body)
        elif kind == "console":
            command = body.removeprefix("$ mlops-compile ")
    (expected,) = [body for kind, _, body in blocks if kind == "text"]
    assert workspace.message(*shlex.split(command)) + "\n" == expected
