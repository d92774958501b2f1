"""The churn recipe on its first rows, run once in this process; each test may change a copy of its store."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from mlops_compiler.backends.local.run import run_in_process
from mlops_compiler.backends.stages.context import StageTask
from mlops_compiler.driver import plan_recipe
from mlops_compiler.frontend.hydra_app import launch
from mlops_compiler.plan.stages import Reuse

if TYPE_CHECKING:
    from mlops_compiler.driver import Planned
    from mlops_compiler.plan.stages import Action

ROWS = 400
SHIPPED = Path(__file__).parents[2] / "recipes"
FAST = """\
search: {algorithm: random, scheduler: none, trials: 3}
models:
  baseline: {kind: prior}
  logistic: {kind: logistic_regression, C: {log_uniform: [0.01, 1]}}
"""


@dataclass(frozen=True)
class Place:
    """A working directory with the recipe and its store."""

    root: Path

    @property
    def recipe(self) -> Path:
        return self.root / "recipes" / "churn.yaml"

    def edit(self, old: str, new: str) -> None:
        """Replace a text that the recipe holds once."""
        text = self.recipe.read_text()
        assert text.count(old) == 1, old
        self.recipe.write_text(text.replace(old, new))

    def planned(self, *overrides: str) -> Planned:
        """Plan the recipe."""
        return launch(["recipe=churn", *overrides], plan_recipe)[0]

    def plan(self, *overrides: str) -> dict[str, Action]:
        """Plan the recipe; gives its actions by stage."""
        return {action.stage.name: action for action in self.planned(*overrides).plan.actions}

    def run(self, *overrides: str) -> None:
        """Run what is not recorded, in this process."""
        planned = self.planned(*overrides)
        done = {action.stage.name: action.record for action in planned.plan.actions if isinstance(action, Reuse)}
        run_in_process([_task(stage, planned) for stage in planned.plan.to_run], done)


def _task(stage, planned) -> StageTask:
    facts = {"description": None, "owner": None, "started": 0.0, "overrides": [], "actions": []}
    root = planned.compiled.composed.root
    return StageTask(
        stage=stage, recipe="churn", root=str(root.absolute()), store=planned.location, run_id="r1", facts=facts
    )


def lay_out(root: Path) -> Place:
    """Write the recipe with fewer rows and trials."""
    place = Place(root)
    (root / "recipes" / "data").mkdir(parents=True)
    lines = (SHIPPED / "data" / "telco_churn.csv").read_text().splitlines(keepends=True)[: ROWS + 1]
    (root / "recipes" / "data" / "telco_churn.csv").write_text("".join(lines))
    text = (SHIPPED / "churn.yaml").read_text()
    head, _, rest = text.partition("models:")
    tail = rest[rest.index("select:") :]
    place.recipe.write_text(head.replace("k: 5", "k: 3") + FAST + tail)
    return place


@pytest.fixture(scope="module")
def first(tmp_path_factory):
    """Run the recipe once; to copy, not to change."""
    place = lay_out(tmp_path_factory.mktemp("first"))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(place.root)
        place.run()
    return place


@pytest.fixture
def done(first, tmp_path, monkeypatch):
    """Be in a copy of the place in which the recipe ran once."""
    shutil.copytree(first.root, tmp_path / "work")
    monkeypatch.chdir(tmp_path / "work")
    return Place(tmp_path / "work")


@pytest.fixture
def fresh(tmp_path, monkeypatch):
    """Be in a place in which nothing ran."""
    monkeypatch.chdir(tmp_path)
    return lay_out(tmp_path)
