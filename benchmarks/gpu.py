"""Trials of a network that share a GPU by their measured memory, beside one trial a GPU: the same trials, one run each.

Prints, for both, trials per hour and how busy the GPUs were while the search ran (as ``nvidia-smi`` tells, once a
second), and the ratios. On a machine without a GPU it says so, and claims nothing.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Sequence

ROWS, COLUMNS, TRIALS, AT_ONCE = 50_000, 40, 24, 8
CONTENDERS = {"one trial a GPU": "1", "packed by memory": "auto"}
_QUERY = ("--query-gpu=utilization.gpu,memory.used,memory.total", "--format=csv,noheader,nounits")
_SECONDS = 3600
RECIPE = f"""
name: benchmark
objective: {{task: binary_classification, target: y, positive: 1, accept: {{roc_auc: {{at_least: 0.5}}}}}}
data: {{source: {{kind: parquet, path: rows.parquet}}}}
validate: {{folds: {{kind: stratified, k: 3}}, seed: 7}}
models:
  net:
    kind: torch_mlp
    hidden: {{int_log_uniform: [64, 512]}}
    learning_rate: {{log_uniform: [0.0003, 0.01]}}
    bins: 8
    batch_size: 1024
    epochs: 10
    resources: {{gpu: auto}}
search: {{algorithm: random, scheduler: none, trials: {TRIALS}, max_concurrent: {AT_ONCE}}}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """What the driver says of all GPUs at a moment.

    Attributes:
        time: Seconds since 1970.
        busy: The share of the last moments in which they computed, mean over the GPUs.
        memory: The part of their memory that is in use.
    """

    time: float
    busy: float
    memory: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a search came to.

    Attributes:
        trials: Trials that it ran.
        seconds: What the stage took.
        busy: The mean of the samples while it ran; None where there is none.
        memory: The highest of them.
        best: The best score.
    """

    trials: int
    seconds: float
    busy: float | None
    memory: float | None
    best: float

    @property
    def per_hour(self) -> float:
        """Trials per hour."""
        return self.trials / self.seconds * _SECONDS


def read_sample(answer: str, now: float) -> Sample | None:
    """Read a line of ``busy %, used MiB, all MiB`` for each GPU; None where the driver tells of none."""
    lines = [[word.strip() for word in line.split(",")] for line in answer.splitlines() if line.strip()]
    rows = [[float(word) for word in line] for line in lines if all(word.isdigit() for word in line)]
    if not rows:
        return None
    busy = sum(row[0] for row in rows) / len(rows) / 100
    return Sample(time=now, busy=busy, memory=sum(row[1] for row in rows) / sum(row[2] for row in rows))


def found(summary: dict[str, float], seconds: float, samples: Sequence[Sample], start: float) -> Found:
    """Say what a search came to.

    Args:
        summary: Of its stage.
        seconds: What it took.
        samples: Of the whole run.
        start: When the search began.
    """
    during = [sample for sample in samples if start <= sample.time <= start + seconds]
    return Found(
        trials=int(summary["trials"]),
        seconds=seconds,
        busy=sum(sample.busy for sample in during) / len(during) if during else None,
        memory=max((sample.memory for sample in during), default=None),
        best=summary["best"],
    )


def told(results: dict[str, Found]) -> list[str]:
    """Write a line for each contender, and the ratios of the second to the first."""
    lines = []
    for name, item in results.items():
        busy = "" if item.busy is None else f", GPU {item.busy:.0%} busy, {item.memory:.0%} of its memory at the peak"
        lines.append(
            f"{name:18s} {item.trials} trials in {item.seconds:.1f} s: {item.per_hour:,.0f} an hour{busy}; "
            f"best {item.best:.4f}"
        )
    alone, packed = results.values()
    ratio = f"packed / alone: {packed.per_hour / alone.per_hour:.2f} x the trials per hour"
    if alone.busy and packed.busy is not None:
        ratio += f", {packed.busy / alone.busy:.2f} x as busy"
    return [*lines, ratio]


class Sampler:
    """Asks the driver once a second, while a block of code runs."""

    def __init__(self, program: str) -> None:
        self._program = program
        self._stop = threading.Event()
        self.samples: list[Sample] = []

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._stop.wait(1.0):
            if (sample := _ask(self._program)) is not None:
                self.samples.append(sample)


def _ask(program: str) -> Sample | None:
    try:
        done = subprocess.run([program, *_QUERY], capture_output=True, text=True, check=True, timeout=30)
    except (subprocess.SubprocessError, OSError):
        return None
    return read_sample(done.stdout, time.time())


def gpu_program() -> str | None:
    """Find the driver's program, where it tells of a GPU that torch can use."""
    import torch

    program = shutil.which("nvidia-smi")
    return program if program is not None and _ask(program) is not None and torch.cuda.is_available() else None


def write_rows() -> None:
    """Write rows of which a network can learn something."""
    import numpy as np
    import polars as pl

    generator = np.random.default_rng(7)
    X = generator.normal(size=(ROWS, COLUMNS))
    signal = np.sin(X[:, 0]) * X[:, 1] + 0.5 * X[:, 2] ** 2 - 0.5 + generator.normal(scale=0.5, size=ROWS)
    columns = {f"x{index}": X[:, index] for index in range(COLUMNS)}
    pl.DataFrame({**columns, "y": (signal > 0).astype(np.int64)}).write_parquet("rows.parquet")


def search(gpu: str, program: str | None) -> Found:
    """Run the recipe in a process and a store of its own.

    Raises:
        RuntimeError: It failed; with what it wrote.
    """
    from mlops_compiler.store.location import StoreLocation
    from mlops_compiler.store.reader import open_reader

    store = f"store-{gpu}"
    words = ["recipe=benchmark.yaml", f"models.net.resources.gpu={gpu}", f"store.url={store}"]
    with Sampler(program) if program else contextlib.nullcontext() as sampler:
        done = subprocess.run(
            [sys.executable, "-m", "mlops_compiler.cli", *words], capture_output=True, text=True, check=False
        )
    record = open_reader(StoreLocation(url=str(Path(store).absolute()))).last_stage("benchmark", "search")
    if record is None:
        raise RuntimeError(done.stdout + done.stderr)
    return found(record.summary, record.seconds, sampler.samples if sampler else [], record.started)


def main() -> None:
    """Run both, and print what came of them."""
    program = gpu_program()
    if program is None:
        print("gpu: this machine has no GPU that torch can use; nothing was measured, and nothing is claimed")
        return
    with tempfile.TemporaryDirectory(prefix="mlops-bench-") as folder, contextlib.chdir(folder):
        write_rows()
        Path("benchmark.yaml").write_text(RECIPE)
        results = {name: search(gpu, program) for name, gpu in CONTENDERS.items()}
    print("\n".join(told(results)))
    print(json.dumps({name: {"per_hour": item.per_hour, "busy": item.busy} for name, item in results.items()}))
