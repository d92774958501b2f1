"""What the churn recipe compiles to, value by value; `pytest tests/golden --write-golden` writes the files anew."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import Console

from mlops_compiler.backends.ray.graph import lower, print_dag
from mlops_compiler.commands.plan import plan_rows
from mlops_compiler.console.plan_view import print_plan
from mlops_compiler.driver import compile_recipe
from mlops_compiler.frontend.hydra_app import launch
from mlops_compiler.ir.printer import print_program
from mlops_compiler.plan.build import build_plan
from mlops_compiler.store.location import StoreLocation
from mlops_compiler.store.reader import open_reader

GOLDEN = Path(__file__).parent / "churn"
WIDTH = 140


@pytest.fixture(scope="module")
def compiled():
    (found,) = launch(["recipe=churn"], compile_recipe)
    return found


@pytest.fixture(scope="module")
def plan(compiled, tmp_path_factory):
    store = open_reader(StoreLocation(url=str(tmp_path_factory.mktemp("place") / "empty")))
    return build_plan(compiled.optimised, compiled.composed.root, store)


@pytest.fixture(scope="module")
def printed(compiled, plan):
    return {
        "program": print_program(compiled.program),
        "optimised": print_program(compiled.optimised),
        "plan": plan_text(plan),
        "dag": print_dag(lower(plan)),
    }


def plan_text(plan):
    """Print a plan as a terminal without colours shows it."""
    text = io.StringIO()
    console = Console(file=text, width=WIDTH, color_system=None, highlight=False, markup=False, emoji=False)
    print_plan(plan.recipe, plan_rows(plan), console)
    return "".join(f"{line.rstrip()}\n" for line in text.getvalue().splitlines())


@pytest.mark.parametrize("value", ["program", "optimised", "plan", "dag"])
def test_compiles_to_what_is_kept(request, printed, value):
    path = GOLDEN / f"{value}.txt"
    if request.config.getoption("--write-golden"):
        GOLDEN.mkdir(exist_ok=True)
        path.write_text(printed[value])
    assert printed[value] == path.read_text()


def test_no_golden_file_is_stale(printed):
    assert {path.stem for path in GOLDEN.iterdir()} == set(printed)


def test_nothing_of_this_machine_is_printed(printed, tmp_path_factory):
    for text in printed.values():
        assert str(Path.cwd()) not in text
        assert str(tmp_path_factory.getbasetemp()) not in text
