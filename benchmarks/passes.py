"""What the optimising passes save: the preparation of each fold by the plain program and by the optimised one.

Both programs go through the very stages of a run, in this process, in turn: fit the preparation of each fold and of the
release, then make the matrices of the folds. The rows are read from a snapshot that is taken once.
"""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from mlops_compiler.backends.local.run import run_in_process
from mlops_compiler.backends.stages.context import Context, StageTask
from mlops_compiler.backends.stages.folds import make_folds
from mlops_compiler.driver import compile_recipe
from mlops_compiler.frontend.hydra_app import launch
from mlops_compiler.ir.ops.search import Search
from mlops_compiler.plan.build import build_plan
from mlops_compiler.store.location import StoreLocation
from mlops_compiler.store.reader import open_reader
from mlops_compiler.store.writer import open_writer

if TYPE_CHECKING:
    from mlops_compiler.driver import Compiled
    from mlops_compiler.ir.program import Program

RECIPES = ("churn", "flights")
ROUNDS = 5


def main(rounds: int = ROUNDS) -> None:
    """Print CPU and wall seconds of both programs, and their ratio."""
    print(f"passes: preparing all folds, {rounds} rounds in turn, medians, seconds")
    for recipe in RECIPES:
        (compiled,) = launch([f"recipe={recipe}"], compile_recipe)
        seen: dict[str, list[tuple[float, float]]] = {"plain": [], "optimised": []}
        with tempfile.TemporaryDirectory(prefix="mlops-bench-") as folder:
            for number in range(rounds + 1):
                for name, program in (("plain", compiled.program), ("optimised", compiled.optimised)):
                    took = _prepared(compiled, program, Path(folder) / f"{name}{number}")
                    if number > 0:  # the first of each warms up
                        seen[name].append(took)
        medians = {name: [statistics.median(part) for part in zip(*found, strict=True)] for name, found in seen.items()}
        for name, (wall, cpu) in medians.items():
            ratios = f"{wall / medians['plain'][0]:4.2f}x wall, {cpu / medians['plain'][1]:4.2f}x cpu of plain"
            print(f"  {recipe:<8} {name:<10} wall {wall:6.3f}  cpu {cpu:6.3f}  {ratios if name != 'plain' else ''}")


def _prepared(compiled: Compiled, program: Program, place: Path) -> tuple[float, float]:
    """Wall and CPU seconds from the split on to the last fold's matrix."""
    location = StoreLocation(url=str(place))
    plan = build_plan(program, compiled.composed.root, open_reader(location))
    tasks = {
        stage.name: StageTask(
            stage=stage,
            recipe=program.name,
            root=str(compiled.composed.root),
            store=location,
            run_id="bench",
            facts={},
        )
        for stage in plan.to_run
    }
    records = run_in_process([tasks["snapshot"], tasks["split"]], {})
    clock, before = time.perf_counter(), os.times()
    records |= run_in_process([tasks["prepare"]], records)
    context = Context(task=tasks["search"], store=open_writer(location), inputs=records)
    make_folds(context, program.the(Search)[1].candidates)
    after = os.times()
    wall = time.perf_counter() - clock
    return wall, after.user + after.system - before.user - before.system


if __name__ == "__main__":
    main()
