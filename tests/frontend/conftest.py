"""A working directory with one small recipe, and a command line that composes and validates it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from mlops_compiler.diagnostics import MlopsError, render_text
from mlops_compiler.frontend.hydra_app import launch
from mlops_compiler.frontend.validate import validate

if TYPE_CHECKING:
    from mlops_compiler.frontend.composed import Composed

SECTIONS = {
    "name": "name: mini\n",
    "objective": "objective: {task: binary_classification, target: left, positive: 1}\n",
    "data": "data:\n  source: {kind: csv, path: mini.csv}\n",
    "models": "models:\n  logistic: {kind: logistic_regression}\n",
}


@dataclass(frozen=True)
class Workspace:
    """A working directory."""

    root: Path

    def write(self, name: str, text: str | bytes) -> Path:
        """Write a file."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return path

    def recipe(self, text: str = "", name: str = "mini") -> Path:
        """Write a recipe that says `text`, and what it must say besides."""
        said = {line.partition(":")[0] for line in text.splitlines()}
        return self.write(
            f"recipes/{name}.yaml", text + "".join(part for key, part in SECTIONS.items() if key not in said)
        )

    def compose(self, *argv: str) -> Composed:
        """Compose one job."""
        (composed,) = launch(argv or ["recipe=mini"], lambda composed: composed)
        return composed

    def message(self, *argv: str) -> str:
        """Return all that a user is told about a command line that fails."""
        try:
            launch(argv or ["recipe=mini"], validate)
        except MlopsError as error:
            return render_text(error.diagnostics).replace(str(self.root), "ROOT")
        return "no error"

    def files(self) -> set[str]:
        """List all files."""
        return {str(path.relative_to(self.root)) for path in self.root.rglob("*")}


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """Be in a working directory with the recipe `mini`."""
    monkeypatch.chdir(tmp_path)
    place = Workspace(tmp_path)
    place.recipe()
    return place


@pytest.fixture
def no_shipped(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hide the recipes and groups that ship with the package."""
    monkeypatch.setattr("mlops_compiler.frontend.folders.shipped", lambda name: Path("/shipped") / name)
