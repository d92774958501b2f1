"""A small table with and without an engine of processes: the same recipe on Ray and in the program's own process.

Each run has a store of its own and a process of its own; the two take turns. What they find is compared: the trials
must have the same scores.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.meter import Meter

ROUNDS = 3
TRIALS = 12


def main(rounds: int = ROUNDS) -> None:
    """Print medians of wall and CPU seconds, and the ratios of the process to Ray."""
    seen: dict[str, list[tuple[float, float]]] = {"ray": [], "in_process": []}
    scores: dict[str, list[float]] = {}
    for _ in range(rounds):
        for engine, found in seen.items():
            with tempfile.TemporaryDirectory(prefix="mlops-bench-") as folder:
                found.append(_measured(engine, Path(folder)))
                scores[engine] = _scores(Path(folder))
    if scores["ray"] != scores["in_process"]:
        sys.exit(f"the engines found different trials: {scores}")
    medians = {name: [statistics.median(part) for part in zip(*found, strict=True)] for name, found in seen.items()}
    print(f"engines: churn without its net, {TRIALS} trials, {rounds} rounds, medians, seconds; the same scores")
    for name, (wall, cpu) in medians.items():
        base = medians["ray"]
        ratios = f"{wall / base[0]:4.2f}x wall, {cpu / base[1]:4.2f}x cpu of ray"
        print(f"  {name:<12} wall {wall:6.1f}  cpu {cpu:6.1f}  {ratios}")


def _command(name: str, *words: str) -> list[str]:
    return [sys.executable, "-m", "mlops_compiler.cli", name, "recipe=churn", *words]


def _measured(engine: str, folder: Path) -> tuple[float, float]:
    """Wall and CPU seconds of a run, and of all that it started."""
    words = ["~models.net", f"search.trials={TRIALS}", f"cluster.engine={engine}"]
    process = subprocess.Popen(
        _command("run", *words), cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    with Meter(every=0.5, root=process.pid) as meter:
        code = process.wait()
    if code:
        sys.exit(f"the run on {engine} ended with {code}")
    return meter.wall, meter.cpu


def _scores(folder: Path) -> list[float]:
    told = subprocess.run(_command("trials", "--json"), cwd=folder, check=True, capture_output=True).stdout
    return [row["mean"] for row in json.loads(told)["trials"]]
