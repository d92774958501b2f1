"""How often false labels reach production: a fifth of those of one API key flipped, on the telco customers.

Each seed deals customers to API keys anew: 1,500 are in the source, others are served and labelled. What is held back
never returns; what is not is trained on, and must beat the release in place on the frozen holdout.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

import polars as pl

from tests.feedback.conftest import SOURCE, World, lay_out, telco

SEEDS = int(os.environ.get("SEEDS", "20"))
CASES = {
    "4 keys, 500 labels each": (4, 500, 0.2),
    "4 keys, 250 labels each": (4, 250, 0.2),
    "4 keys, 100 labels each": (4, 100, 0.2),
    "1 key, 2,000 labels": (1, 2000, 0.2),
    "4 keys, 500 labels each, all true": (4, 500, 0.0),
}


def attempt(first: Path, served: pl.DataFrame, case: tuple[int, int, float], seed: int) -> tuple[bool, bool, float]:
    """Label rows and train on what comes back: was a key held back, is there a release, and what was gained."""
    keys, size, flipped = case
    root = Path(tempfile.mkdtemp(prefix="mlops-feedback-"))
    shutil.copytree(first, root, dirs_exist_ok=True)
    os.chdir(root)
    world, rows = World(root, runs=1), served.sample(keys * size, shuffle=True, seed=seed)
    joined = pl.concat(
        world.logged(rows.slice(place * size, size), f"key{place}", flipped=0.0 if place else flipped, seed=seed)
        for place in range(keys)
    )
    found = world.returning(joined)
    held = any(said["held_back"] for said in found.sources.values())
    world.collect(joined)
    outcome = world.run()["release"].summary
    gain = (outcome["rival"] or {}).get("gains", {}).get("roc_auc", {}).get("gain", 0.0)
    os.chdir(first)
    shutil.rmtree(root)
    return held, bool(outcome["accepted"]), gain


def main() -> None:
    """Print, for each case, how many of the seeds ended how."""
    rows, first = telco(), Path(tempfile.mkdtemp(prefix="mlops-feedback-"))
    world = lay_out(first, rows.head(SOURCE))
    os.chdir(first)
    world.run()
    print(f"{'':36}{'held back':>12}{'released':>12}{'mean gain of roc_auc':>24}")
    for name, case in CASES.items():
        found = [attempt(first, rows.slice(SOURCE), case, seed) for seed in range(SEEDS)]
        held, released = (sum(item[place] for item in found) for place in (0, 1))
        gain = sum(item[2] for item in found) / SEEDS
        print(f"{name:36}{f'{held} of {SEEDS}':>12}{f'{released} of {SEEDS}':>12}{gain:>+24.4f}")
    os.chdir("/")
    shutil.rmtree(first)


if __name__ == "__main__":
    main()
