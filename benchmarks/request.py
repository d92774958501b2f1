"""One request through a fitted preparation, beside its bare Polars expressions on the same row, run the same way.

The bare expressions are those of the steps, made beforehand, on a row beside a copy of itself, one call of Polars after
another. What is left over is what the preparation itself costs.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from mlops_compiler.backends.local.run import run_in_process
from mlops_compiler.backends.stages.context import Context, StageTask
from mlops_compiler.driver import compile_recipe
from mlops_compiler.frontend.hydra_app import launch
from mlops_compiler.plan.build import build_plan
from mlops_compiler.store.location import StoreLocation
from mlops_compiler.store.reader import open_reader
from mlops_compiler.store.writer import open_writer
from mlops_compiler.tables.casts import cast_expression
from mlops_compiler.tables.preparation import FittedPreparation
from mlops_compiler.tables.stream import doubled, in_one_piece

if TYPE_CHECKING:
    from collections.abc import Callable

RECIPES = ("churn", "flights")
ROUNDS, CALLS = 15, 100


def main(rounds: int = ROUNDS) -> None:
    """Print milliseconds of a request, prepared and bare, and their ratio."""
    print(f"request: one row, medians of {rounds} rounds of {CALLS} calls in turn; at most 1.5x is wanted")
    for recipe in RECIPES:
        preparation, row = _fitted(recipe)
        bare = _bare(preparation, row)
        if not bare(row).equals(preparation.transform(row)):
            raise AssertionError(recipe)
        seen: dict[str, list[float]] = {"prepared": [], "bare": []}
        for _ in range(rounds + 1):
            for name, call in (("prepared", preparation.transform), ("bare", bare)):
                seen[name].append(_milliseconds(call, row))
        prepared, least = (statistics.median(found[1:]) for found in seen.values())  # the first of each warms up
        told = f"prepared {prepared:6.3f} ms  bare {least:6.3f} ms  {prepared / least:4.2f}x"
        print(f"  {recipe:<8} {len(preparation.steps):2} steps  {told}")


def _milliseconds(call: Callable[[pl.DataFrame], pl.DataFrame], row: pl.DataFrame) -> float:
    clock = time.perf_counter()
    for _ in range(CALLS):
        call(row)
    return (time.perf_counter() - clock) / CALLS * 1000


def _fitted(recipe: str) -> tuple[FittedPreparation, pl.DataFrame]:
    """Fit the preparation of a release, in this process, and take the first row that it would serve."""
    (compiled,) = launch([f"recipe={recipe}"], compile_recipe)
    with tempfile.TemporaryDirectory(prefix="mlops-bench-") as folder:
        location = StoreLocation(url=str(Path(folder)))
        plan = build_plan(compiled.optimised, compiled.composed.root, open_reader(location))
        root = str(compiled.composed.root)
        tasks = [
            StageTask(stage=stage, recipe=recipe, root=root, store=location, run_id="bench")
            for stage in plan.to_run
            if stage.name in ("snapshot", "split", "prepare")
        ]
        records = run_in_process(tasks, {})
        context = Context(task=tasks[-1], store=open_writer(location), inputs=records)
        value = context.read_json("prepare", "preparations")
        return (
            FittedPreparation.from_json(value["final"]["preparation"]),
            context.read_table("snapshot", "snapshot", value["source"]).head(1),
        )


def _bare(preparation: FittedPreparation, row: pl.DataFrame) -> Callable[[pl.DataFrame], pl.DataFrame]:
    """Make the calls of Polars beforehand."""
    calls: list[Callable[[pl.DataFrame], pl.DataFrame]] = []
    frame = row
    for step in preparation.steps:
        change = step.change
        casts = [
            cast_expression(pl.col(name), to, strict=change.strict, given=frame.schema[name])
            for name, to in change.casts
        ]
        sets = (change.once, change.columns, casts)
        calls += [lambda rows, made=tuple(made): rows.with_columns(*made) for made in sets if made]
        if change.remove:
            calls.append(lambda rows, gone=change.remove: rows.drop(*gone))
        frame = step.apply(frame, "serving")

    def run(rows: pl.DataFrame) -> pl.DataFrame:
        rows = in_one_piece(doubled(rows))
        for call in calls:
            rows = call(rows)
        return rows.head(1)

    return run


if __name__ == "__main__":
    main()
