"""What racing over folds saves: the same number of trials with and without it, over many seeds.

Each seed splits the rows of a set anew; the recipe's own holdout judges what was chosen. The stages of a run work in
one process with one thread, so that CPU seconds are those of the search and of nothing else.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from benchmarks.quality.scoring import METRICS
from benchmarks.quality.sets import find_sets, read_rows
from benchmarks.quality.summary import differences, ratios

CONTENDERS = {
    "random": ("random", "none"),
    "random+asha": ("random", "asha"),
    "random+race": ("random", "race"),
    "tpe+race": ("tpe", "race"),
}
LAST = "evaluate"
SPACE = """{kind: hist_gradient_boosting, max_iter: 100, early_stopping: false,
    learning_rate: {log_uniform: [0.005, 1]},
    max_leaf_nodes: {int_log_uniform: [3, 64]}, min_samples_leaf: {int_log_uniform: [2, 200]}}"""


def main(arguments: list[str]) -> None:
    asked = _asked(arguments)
    names = asked.sets.split(",")
    jobs = [
        (name, contender, seed, asked.trials, asked.folds)
        for seed in map(int, asked.seeds.split(","))
        for name in names
        for contender in CONTENDERS
    ]
    rows = []
    with ProcessPoolExecutor(asked.at_once, mp_context=get_context("spawn")) as workers:
        for row in workers.map(_run, jobs):
            print(json.dumps(row), file=sys.stderr, flush=True)
            rows.append(row)
    seeds = len(asked.seeds.split(","))
    print(f"race: {asked.trials} trials, {asked.folds} folds, {seeds} seeds; means ± standard errors")
    for contender in list(CONTENDERS)[1:]:
        for name in names:
            _show([row for row in rows if row["set"] == name], name, contender)
    if asked.out:
        asked.out.write_text(json.dumps({"date": time.strftime("%Y-%m-%d"), "rows": rows}, indent=1) + "\n")


def _show(rows: list[dict[str, Any]], name: str, contender: str) -> None:
    metric = find_sets()[name].metric
    took = ratios(rows, contender, "random", "cpu")
    greater = METRICS[metric].greater_is_better
    better = differences(rows, name, contender, "random", greater_is_better=greater)
    print(f"  {name:<10} {contender:<12} cpu {took} of random's; {metric} on the holdout better by {better}")


def _run(job: tuple[str, str, int, int, int]) -> dict[str, Any]:
    """Run one search to its score on the holdout; give what the search took."""
    import threadpoolctl

    from mlops_compiler.backends.local.run import run_in_process
    from mlops_compiler.backends.stages.context import StageTask
    from mlops_compiler.driver import plan_recipe
    from mlops_compiler.frontend.hydra_app import launch

    name, contender, seed, *_ = job
    with tempfile.TemporaryDirectory(prefix="mlops-race-") as folder, contextlib.chdir(folder):
        write_recipe(Path(folder), job)
        (planned,) = launch(["recipe=race.yaml"], plan_recipe)
        records: dict[str, Any] = {}
        spent = 0.0
        with threadpoolctl.threadpool_limits(1):
            for stage in planned.plan.to_run:
                task = StageTask(
                    stage=stage, recipe="race", root=folder, store=planned.location, run_id="race", facts={}
                )
                before = time.process_time()
                records |= run_in_process([task], records)
                if stage.name == "search":
                    spent = time.process_time() - before
                if stage.name == LAST:
                    break
        score = records[LAST].summary["metrics"][find_sets()[name].metric]
    return {"set": name, "system": contender, "seed": seed, "cpu": spent, "score": score}


def write_recipe(folder: Path, job: tuple[str, str, int, int, int]) -> None:
    """Write the rows of a set and a recipe of one model for them."""
    name, contender, seed, trials, folds = job
    item = find_sets()[name]
    table = read_rows(item)
    table.write_parquet(folder / "rows.parquet")
    algorithm, scheduler = CONTENDERS[contender]
    positive = ""
    if item.task == "binary_classification":
        positive = f", positive: {json.dumps(sorted(table[item.target].unique())[1])}"
    kind = "random" if item.task == "regression" else "stratified"
    (folder / "race.yaml").write_text(f"""
name: race
objective: {{task: {item.task}, target: {item.target}{positive}, metric: {item.metric}}}
data: {{source: {{kind: parquet, path: rows.parquet}}}}
prepare: {{encode: {{op: one_hot, columns: categorical}}}}
validate: {{holdout: {{kind: {kind}, fraction: 0.25}}, folds: {{kind: {kind}, k: {folds}}}, seed: {seed}}}
models:
  boosting: {SPACE}
search: {{algorithm: {algorithm}, scheduler: {scheduler}, trials: {trials}}}
""")


def _asked(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.quality race", description=__doc__)
    parser.add_argument("--sets", default="credit,churn", help="names, by commas")
    parser.add_argument("--seeds", default="1,2,3,4,5,6,7,8,9,10")
    parser.add_argument("--trials", type=int, default=30)
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--at-once", type=int, default=2)
    parser.add_argument("--out", type=Path, help="keep what was measured")
    return parser.parse_args(arguments)
