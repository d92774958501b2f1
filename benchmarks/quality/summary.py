"""What many runs say together: means and their standard errors over splits, ratios of seconds, and ranks over sets."""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    Rows = Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Mean:
    """A mean and its standard error; the error is not a number where there is one value only."""

    mean: float
    error: float
    count: int

    @classmethod
    def of(cls, values: Iterable[float]) -> Mean:
        """Average."""
        found = list(values)
        if not found:
            return cls(math.nan, math.nan, 0)
        mean = math.fsum(found) / len(found)
        if len(found) == 1:
            return cls(mean, math.nan, 1)
        spread = math.fsum((value - mean) ** 2 for value in found) / (len(found) - 1)
        return cls(mean, math.sqrt(spread / len(found)), len(found))

    def __str__(self) -> str:
        """Show both to four digits."""
        return f"{self.mean:.4g}" + ("" if math.isnan(self.error) else f" ± {self.error:.2g}")


def by_system(rows: Rows, name: str) -> dict[str, dict[str, Mean]]:
    """Average what each system scored and took on one set."""
    found: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for row in rows:
        if row["set"] == name and "score" in row:
            found[row["system"]].append(row)
    keys = ("score", "second", "wall", "cpu", "peak")
    return {system: {key: Mean.of(row[key] for row in of) for key in keys} for system, of in found.items()}


def differences(rows: Rows, name: str, of: str, beside: str, *, greater_is_better: bool) -> Mean:
    """By how much one system is better than another on the same splits of a set; the error is that of pairs."""
    scores = {(row["system"], row["seed"]): row["score"] for row in rows if row["set"] == name and "score" in row}
    seeds = {seed for system, seed in scores if system == of} & {seed for system, seed in scores if system == beside}
    sign = 1 if greater_is_better else -1
    return Mean.of(sign * (scores[of, seed] - scores[beside, seed]) for seed in sorted(seeds))


def ratios(rows: Rows, of: str, beside: str, key: str) -> Mean:
    """How many times as much of something one system takes as another: the geometric mean over pairs of runs.

    The error is that of the mean of logarithms, times the mean.
    """
    found = {(row["system"], row["set"], row["seed"]): row[key] for row in rows if "score" in row}
    pairs = [(place[1:], value) for place, value in found.items() if place[0] == of and (beside, *place[1:]) in found]
    logs = Mean.of(math.log(value / found[beside, *where]) for where, value in pairs)
    if not logs.count:
        return logs
    return Mean(math.exp(logs.mean), math.exp(logs.mean) * logs.error, logs.count)


def ranks(rows: Rows, greater_is_better: Mapping[str, bool]) -> dict[str, Mean]:
    """Rank systems on each split, 1 the best, equal scores alike; a system that failed is last.

    Args:
        rows: What was measured.
        greater_is_better: The direction of each set's metric.

    Returns:
        The mean rank over sets of each system's mean rank over seeds; the standard error is that over sets.
    """
    splits: dict[tuple[str, int], dict[str, float]] = defaultdict(dict)
    for row in rows:
        if row.get("installed", True):
            sign = 1 if greater_is_better[row["set"]] else -1
            splits[row["set"], row["seed"]][row["system"]] = sign * row.get("score", -sign * math.inf)
    complete = set.intersection(*(set(found) for found in splits.values())) if splits else set()
    per_set: dict[str, dict[str, list[float]]] = {name: defaultdict(list) for name in complete}
    for (where, _), found in splits.items():
        for name in complete:
            better = sum(found[other] > found[name] for other in complete)
            equal = sum(found[other] == found[name] for other in complete)
            per_set[name][where].append(better + (equal + 1) / 2)
    return {name: Mean.of(Mean.of(values).mean for values in of.values()) for name, of in per_set.items()}
