"""What a user waits for before anything happens: commands beside the bare imports that no such program can avoid.

Each command runs in a process of its own, all of them in turn, many times; the medians are of user and system
seconds of the process and of wall seconds.
"""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

IMPORTS = "import hydra, omegaconf, pydantic, polars"
ROUNDS = 15


def main(rounds: int = ROUNDS) -> None:
    """Print medians and ratios: `check` and `plan` to the imports, a run that reuses everything to `plan`."""
    with tempfile.TemporaryDirectory(prefix="mlops-bench-") as folder:
        commands = {
            "bare imports": [sys.executable, "-c", IMPORTS],
            "check": _command("check"),
            "plan": _command("plan"),
            "run, all reused": _command("run"),
        }
        subprocess.run(_command("run"), cwd=folder, check=True, capture_output=True)
        seen: dict[str, list[tuple[float, float]]] = {name: [] for name in commands}
        for _ in range(rounds):
            for name, command in commands.items():
                seen[name].append(_measured(command, Path(folder)))
    medians = {
        name: tuple(statistics.median(part) for part in zip(*found, strict=True)) for name, found in seen.items()
    }
    print(f"start-up: {rounds} rounds, medians, seconds; at most 2x is wanted of each ratio")
    for name, (wall, cpu) in medians.items():
        base = "plan" if name.startswith("run") else "bare imports"
        ratios = f"{wall / medians[base][0]:4.2f}x wall, {cpu / medians[base][1]:4.2f}x cpu of {base}"
        print(f"  {name:<16} wall {wall:5.2f}  cpu {cpu:5.2f}  {ratios if name != 'bare imports' else ''}")


def _command(name: str) -> list[str]:
    return [sys.executable, "-m", "mlops_compiler.cli", name, "recipe=churn", "search.trials=4", "~models.net"]


def _measured(command: list[str], folder: Path) -> tuple[float, float]:
    """Wall and CPU seconds of one process."""
    before, clock = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(command, cwd=folder, check=True, capture_output=True, env={**os.environ, "COLUMNS": "120"})
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    wall = time.perf_counter() - clock
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
