"""A recipe on a table of customers, and a command line that analyses it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from mlops_compiler.diagnostics import MlopsError
from mlops_compiler.driver import compile_recipe
from mlops_compiler.frontend.hydra_app import launch

if TYPE_CHECKING:
    from pathlib import Path

    from mlops_compiler.diagnostics import Diagnostic
    from mlops_compiler.ir.program import Program

ROWS = """\
id,age,city,joined,paid,refund,left
1,30,a,2024-01-02,1.5,2,yes
2,40,b,2024-01-03,2.5,3,no
"""
HEAD = """\
name: mini
objective: {task: binary_classification, target: left, positive: "yes"}
"""
DATA = """\
data:
  source: {kind: csv, path: rows.csv}
  key: id
  ignore: [joined]
  columns: {refund: {known: after_outcome}}
"""
MODELS = "models: {prior: {kind: prior}}\n"
ENCODE = "  encode: {op: one_hot, columns: city}\n"


@dataclass(frozen=True)
class Place:
    """A working directory."""

    root: Path

    def write(self, prepare: str = "", *, encode: bool = True, head: str = HEAD, data: str = DATA) -> str:
        """Write the recipe; returns its text."""
        lines = "".join(f"  {line}\n" for line in prepare.splitlines()) + (ENCODE if encode else "")
        text = head + data + (f"prepare:\n{lines}" if lines else "") + MODELS
        (self.root / "recipes" / "mini.yaml").write_text(text)
        return text

    def program(self, *overrides: str) -> Program:
        """Analyse the recipe."""
        return launch(["recipe=mini", *overrides], lambda composed: compile_recipe(composed).program)[0]

    def findings(self, *overrides: str) -> tuple[Diagnostic, ...]:
        """List what is found wrong."""
        with pytest.raises(MlopsError) as refused:
            self.program(*overrides)
        return refused.value.diagnostics


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    """Be in a working directory with the table."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "recipes").mkdir()
    (tmp_path / "recipes" / "rows.csv").write_text(ROWS)
    found = Place(tmp_path)
    found.write()
    return found


@pytest.fixture(scope="session")
def marked():
    """Give a function that takes the marks « » out of a text; returns the text and the place between them."""

    def find(text: str) -> tuple[str, tuple[int, int, int]]:
        before, _, rest = text.partition("«")
        inner, _, after = rest.partition("»")
        line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
        return before + inner + after, (line, column, len(inner))

    return find
