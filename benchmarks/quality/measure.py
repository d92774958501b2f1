"""One system on one split, in a process of its own: what it scores, and what that takes.

It reads a job's file and writes its answers; this process measures all that it starts, scores the answers, and ends it
where it takes far longer than it may.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import psutil

from benchmarks.environments import NotInstalled, python_of
from benchmarks.meter import Meter
from benchmarks.quality.scoring import WrongPredictionsError, score
from benchmarks.quality.systems import ADAPTERS

if TYPE_CHECKING:
    from benchmarks.quality.sets import Benchmark, Split
    from benchmarks.quality.systems import System

PATIENCE = 4
"""A system may take so many times the budget, and a minute, before it is ended."""
_REPOSITORY = Path(__file__).parent.parent.parent


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What is the same for all systems.

    Attributes:
        budget: Seconds that each is told to take.
        cores: How many it may use; its processes are bound to them.
    """

    budget: int
    cores: int


def measure(system: System, item: Benchmark, split: Split, seed: int, terms: Terms) -> dict[str, Any]:
    """Run a system.

    Returns:
        ``set``, ``system``, ``seed``; ``score`` and ``second``, ``wall`` and ``cpu`` in seconds and ``peak`` in MiB of
        all its processes; or ``error``, in place of the scores, and ``installed: false`` where it is not there.
    """
    row: dict[str, Any] = {"set": item.name, "system": system.name, "seed": seed}
    try:
        python = python_of(system.pins, system.imports)
    except NotInstalled as why:
        return row | {"installed": False, "error": why.reason}
    with tempfile.TemporaryDirectory(prefix="mlops-quality-") as folder:
        job = write_job(Path(folder), item, split, seed, terms)
        command = [str(python), str(ADAPTERS / system.script), str(job), *system.arguments]
        facts, error = _run(command, Path(folder), terms)
        row |= facts
        if error is None:
            try:
                answers = pl.read_csv(Path(folder, "answers.csv"), infer_schema_length=None)
                for key, metric in (("score", item.metric), ("second", item.second)):
                    row[key] = score(answers, split.truth, item.task, metric)
            except (WrongPredictionsError, OSError, pl.exceptions.PolarsError) as wrong:
                error = str(wrong)
        kept = Path(folder, "told.json")
        told = {"told": json.loads(kept.read_text())} if kept.exists() else {}
    return row | told | ({"error": error} if error else {})


def write_job(folder: Path, item: Benchmark, split: Split, seed: int, terms: Terms) -> Path:
    """Write the rows and what is asked, as adapters read it."""
    split.train.write_parquet(folder / "train.parquet")
    split.test.write_parquet(folder / "test.parquet")
    job = {
        "train": str(folder / "train.parquet"),
        "test": str(folder / "test.parquet"),
        "out": str(folder / "answers.csv"),
        "folder": str(folder),
        "task": item.task,
        "target": item.target,
        "metric": item.metric,
        "seed": seed,
        "budget": terms.budget,
        "cores": terms.cores,
    }
    (folder / "job.json").write_text(json.dumps(job))
    return folder / "job.json"


def _run(command: list[str], folder: Path, terms: Terms) -> tuple[dict[str, float], str | None]:
    """Run a command on so many cores; give what it took, and why it failed."""
    cores, before = sorted(os.sched_getaffinity(0))[: terms.cores], _spent()
    with (folder / "output.txt").open("wb") as output:
        process = subprocess.Popen(
            ["taskset", "-c", ",".join(map(str, cores)), *command],
            cwd=folder,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=_environment(),
            start_new_session=True,
        )
        with Meter(every=0.5, root=process.pid) as meter:
            code = _wait(process, PATIENCE * terms.budget + 60)
    # Readings miss the last moments of a process; the system's own count misses processes that nobody waits for.
    facts = meter.facts() | {"cpu": round(max(meter.cpu, _spent() - before), 2)}
    if code == 0:
        return facts, None
    tail = (folder / "output.txt").read_text(errors="replace").strip().splitlines()[-12:]
    return facts, "took too long" if code is None else "\n".join(tail)


def _spent() -> float:
    """CPU seconds of all processes that were started here and waited for."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _environment() -> dict[str, str]:
    """The environment of each system: this project on the path, which adapters of peers do not import."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("RAY_", "PYTHON"))}
    return kept | {"PYTHONPATH": str(_REPOSITORY), "PYTHONWARNINGS": "ignore", "RAY_USAGE_STATS_ENABLED": "0"}


def _wait(process: subprocess.Popen[bytes], patience: float) -> int | None:
    """Wait for a process; end it and all that it started where that takes too long."""
    until = time.monotonic() + patience
    while process.poll() is None:
        if time.monotonic() > until:
            started = psutil.Process(process.pid).children(recursive=True)
            for item in [*started, process]:
                try:
                    item.send_signal(signal.SIGKILL)
                except (psutil.Error, OSError):
                    continue
            process.wait()
            return None
        time.sleep(0.05)
    return process.returncode
