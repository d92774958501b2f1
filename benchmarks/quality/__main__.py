"""``python -m benchmarks.quality``: this project beside its peers; ``... race``: what racing over folds saves.

Every system gets the same rows, cores and budget, in a process of its own, one after another on each split. Results go
to ``--out`` as they come: the same command goes on where it was ended, and ``--minutes`` ends it.
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
import time
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.quality import race
from benchmarks.quality.measure import Terms, measure
from benchmarks.quality.scoring import METRICS
from benchmarks.quality.sets import SHIPPED, SetError, find_sets, read_rows, split
from benchmarks.quality.show import show
from benchmarks.quality.systems import OURS, SYSTEMS

if TYPE_CHECKING:
    from benchmarks.quality.sets import Benchmark
    from benchmarks.quality.systems import System

Rows = list[dict[str, Any]]


def main(arguments: list[str]) -> None:
    if arguments[:1] == ["race"]:
        race.main(arguments[1:])
        return
    asked = _asked(arguments)
    try:
        sets = find_sets(asked.folder)
    except SetError as wrong:
        sys.exit(str(wrong))
    chosen = {name: sets[name] for name in _names(asked.sets, sets)}
    systems = [name for name in SYSTEMS if name in (*OURS, *_names(asked.peers, set(SYSTEMS) - set(OURS)))]
    rows = _read(asked.out)
    if not asked.show:
        _measure_all(rows, chosen, systems, asked)
    directions = {name: METRICS[item.metric].greater_is_better for name, item in chosen.items()}
    show([row for row in rows if row["set"] in chosen and row["system"] in systems], chosen, directions)


def _measure_all(rows: Rows, sets: dict[str, Benchmark], systems: list[str], asked: argparse.Namespace) -> None:
    """Run what is not there yet: all sets of a seed, then the next seed."""
    until = time.monotonic() + 60 * asked.minutes if asked.minutes else None
    terms = Terms(budget=asked.budget, cores=asked.cores)
    there = {(row["set"], row["system"], row["seed"]) for row in rows}
    for seed in map(int, asked.seeds.split(",")):
        for name, item in sets.items():
            missing = [system for system in systems if (name, system, seed) not in there]
            if not missing:
                continue
            if until and time.monotonic() > until:
                print("time is up: what is missing was not run", flush=True)
                return
            parts = split(read_rows(item), item, seed)
            for system in missing:
                given = _in_its_time(SYSTEMS[system], rows, (name, seed), terms) if asked.in_their_time else terms
                row = measure(SYSTEMS[system], item, parts, seed, given) | {"budget": given.budget}
                rows.append(row)
                _told(row)
                asked.out.write_text(json.dumps({**_about(terms), "rows": rows}, indent=1) + "\n")


def _in_its_time(system: System, rows: Rows, where: tuple[str, int], terms: Terms) -> Terms:
    """Give a system the time that the peer it is measured by took on the same split, where that is less."""
    took = [row["wall"] for row in rows if (row["set"], row["seed"]) == where and row["system"] == system.beside]
    return replace(terms, budget=min(terms.budget, *map(int, took))) if took else terms


def _told(row: dict[str, Any]) -> None:
    took = f"wall {row['wall']:6.1f}  cpu {row['cpu']:6.1f}  peak {row['peak']:6.0f}" if "wall" in row else ""
    result = f"{row['score']:.5f}" if "score" in row else f"failed: {row['error']}"
    print(f"{row['set']:<10} {row['seed']:>2}  {row['system']:<14} {result}  {took}", flush=True)


def _about(terms: Terms) -> dict[str, Any]:
    libraries = ("mlops-compile", "ray", "scikit-learn", "lightgbm", "optuna", "torch", "polars", "numpy")
    return {
        "date": time.strftime("%Y-%m-%d"),
        "budget": terms.budget,
        "cores": terms.cores,
        "python": platform.python_version(),
        "versions": {name: version(name) for name in libraries},
    }


def _read(out: Path) -> Rows:
    if out.is_dir():
        sys.exit(f"--out is a folder: {out}; name a file in it")
    return list(json.loads(out.read_text())["rows"]) if out.exists() else []


def _names(asked: str, known: Any) -> list[str]:
    names = list(known) if asked == "all" else [] if asked == "none" else asked.split(",")
    if wrong := [name for name in names if name not in known]:
        sys.exit(f"{', '.join(wrong)}: not known; those are: {', '.join(sorted(known))}")
    return names


def _asked(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.quality", description=__doc__)
    parser.add_argument("--folder", type=Path, default=SHIPPED, help="a folder of sets; see sets.py for their format")
    parser.add_argument("--sets", default="all", help="names, by commas")
    parser.add_argument("--peers", default="all", help="names, by commas, or none")
    parser.add_argument("--seeds", default="1,2,3", help="each splits the rows anew")
    parser.add_argument("--budget", type=int, default=60, help="seconds for each system")
    parser.add_argument(
        "--in-their-time", action="store_true", help="give quick at most what flaml, and thorough what autogluon took"
    )
    parser.add_argument("--cores", type=int, default=2)
    parser.add_argument("--minutes", type=float, help="begin no further split after so many")
    parser.add_argument("--out", type=Path, default=Path("quality.json"), help="what was measured; is added to")
    parser.add_argument("--show", action="store_true", help="measure nothing, show what is there")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main(sys.argv[1:])
