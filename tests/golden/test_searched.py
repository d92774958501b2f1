"""What a searched preparation compiles to (L-FE-3); `pytest tests/golden --write-golden` writes the files anew."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlops_compiler.driver import compile_recipe
from mlops_compiler.frontend.hydra_app import launch
from mlops_compiler.ir.printer import print_program
from mlops_compiler.plan.build import build_plan
from mlops_compiler.store.location import StoreLocation
from mlops_compiler.store.reader import open_reader
from tests.golden.test_churn import plan_text

GOLDEN = Path(__file__).parent / "searched"
OVERRIDES = (
    "prepare.scale.op={choice: [standardize, robust_scale]}",
    (
        "prepare.long_tails={choice: [{op: log1p, columns: total_charges}, null,"
        " {op: clip, columns: [total_charges], upper: {uniform: [0.9, 0.999]}}]}"
    ),
    "+prepare.best={op: select_k_best, columns: all, k: {int_uniform: [5, 15]}}",
    "allow=[{rule: space-not-covered, because: a test}]",
)


@pytest.fixture(scope="module")
def compiled():
    (found,) = launch(["recipe=churn", *OVERRIDES], compile_recipe)
    return found


def test_compiles_to_what_is_kept(request, compiled):
    path = GOLDEN / "vary.txt"
    program = print_program(compiled.program)
    start = program.index("vary: ")
    text = program[start : program.index("\n\n", start) + 1]
    if request.config.getoption("--write-golden"):
        GOLDEN.mkdir(exist_ok=True)
        path.write_text(text)
    assert text == path.read_text()


def test_the_plan_tells_what_is_open(compiled, tmp_path):
    store = open_reader(StoreLocation(url=str(tmp_path / "empty")))
    told = plan_text(build_plan(compiled.optimised, compiled.composed.root, store))
    assert "  prepare.long_tails = choice [log1p, null, clip]\n" in told
    assert "  prepare.long_tails.upper = uniform [0.9, 0.999]  (where prepare.long_tails=clip)\n" in told
