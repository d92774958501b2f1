"""Shows what was measured: a table for each set, then ratios, then ranks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from benchmarks.quality.summary import by_system, differences, ranks, ratios

if TYPE_CHECKING:
    from collections.abc import Mapping

    from benchmarks.quality.sets import Benchmark

GOALS = (("quick", "flaml"), ("thorough", "autogluon"), ("quick", "lightgbm"), ("thorough", "lightgbm"))
"""Each of ours, and whom it must not be worse than."""

Rows = list[dict[str, Any]]


def show(rows: Rows, sets: Mapping[str, Benchmark], directions: Mapping[str, bool]) -> None:
    """Print everything."""
    for name, item in sets.items():
        _table(rows, name, item, greater_is_better=directions[name])
    _goals(rows, sets, directions)
    print("\naverage rank over sets, 1 is the best; ± the standard error over sets")
    for name, rank in sorted(ranks(rows, directions).items(), key=lambda item: item[1].mean):
        print(f"  {name:<14} {rank.mean:5.2f} ± {rank.error:4.2f}")
    for reason in {f"{row['system']}: not installed: {row['error']}" for row in rows if not row.get("installed", True)}:
        print(f"  {reason}")


def _table(rows: Rows, name: str, item: Benchmark, *, greater_is_better: bool) -> None:
    found = by_system(rows, name)
    if not found:
        return
    seeds = max(of["score"].count for of in found.values())
    arrow = "more is better" if greater_is_better else "less is better"
    print(f"\n{name}: {item.metric} ({arrow}), {seeds} splits; means ± standard errors over splits")
    print(f"  {'':<14} {item.metric:<20} {item.second:<20} {'wall s':>7} {'cpu s':>7} {'MiB':>6}")
    sign = -1 if greater_is_better else 1
    for system, of in sorted(found.items(), key=lambda entry: sign * entry[1]["score"].mean):
        cost = f"{of['wall'].mean:7.1f} {of['cpu'].mean:7.1f} {of['peak'].mean:6.0f}"
        fewer = "" if of["score"].count == seeds else f"  {of['score'].count} splits only"
        print(f"  {system:<14} {of['score']!s:<20} {of['second']!s:<20} {cost}{fewer}")
    for row in rows:
        if row["set"] == name and "error" in row and row.get("installed", True):
            last = row["error"].strip().splitlines()[-1:]
            print(f"  {row['system']:<14} failed on split {row['seed']}: {' '.join(last)}")


def _goals(rows: Rows, sets: Mapping[str, Benchmark], directions: Mapping[str, bool]) -> None:
    there = {row["system"] for row in rows}
    for ours, peer in GOALS:
        if peer not in there or ours not in there:
            continue
        wall, cpu, peak = (ratios(rows, ours, peer, key) for key in ("wall", "cpu", "peak"))
        print(f"\n{ours} beside {peer}: wall {wall.mean:.2f}x, cpu {cpu.mean:.2f}x, memory {peak.mean:.2f}x")
        for name, item in sets.items():
            better = differences(rows, name, ours, peer, greater_is_better=directions[name])
            if better.count:
                print(f"  {name:<12} {item.metric:<9} better by {better.mean:+.5f} ± {better.error:.5f}")
