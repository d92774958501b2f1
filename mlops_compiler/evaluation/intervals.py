"""How sure a score on the holdout is, and whether a difference is more than chance: both from the same samples.

Intervals are percentile intervals (Efron and Tibshirani, An Introduction to the Bootstrap, 1993, chapter 13): they keep
within the bounds of a metric, need no formula of its spread, and hold for each metric of each task alike. Differences
are of pairs: each sample scores both sides on the same rows, so that what is hard for both cancels out.

Of very many rows, samples are drawn of some of them, and what they stray is scaled by the root of the share: there the
error of every metric shrinks as the root of the rows (Politis and Romano, "Large sample confidence regions based on
subsamples", Annals of Statistics, 1994). Only the largest error does not; it gets no interval, as samples cannot show
what is worse than the worst row.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mlops_compiler.evaluation.metrics import METRICS, score_all
from mlops_compiler.evaluation.samples import draw, how_many, of_rows, thinned
from mlops_compiler.evaluation.weighted import weighted_scores

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from mlops_compiler.evaluation.samples import Units
    from mlops_compiler.ir.task import Task

    Values = NDArray[np.float64]

LEVEL = 0.95
"""How often an interval should hold the truth."""
_FEWEST_UNITS = 10
"""Below this, samples of units say nothing of their spread."""
_WITHOUT = "max_error"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """What somebody answered for each row, and the threshold of the decisions where there is one."""

    predicted: Values
    threshold: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """By how much one side is better than another.

    Attributes:
        gain: What the first has over the second, in the direction that is better: more of a gain, less of a loss.
        low: Where the interval of the gain starts.
        high: Where it ends.
        p: How likely a gain at least as far from none would be, were there none (two-sided).
    """

    gain: float
    low: float
    high: float
    p: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Replicates:
    """The metrics of bootstrap samples.

    Attributes:
        units: What was drawn.
        samples: How many samples.
        values: Of each side, of each metric, its values; shape (samples,). Empty where nothing can be told.
    """

    units: Units
    samples: int
    values: Mapping[str, Mapping[str, Values]]

    def intervals(self, side: str) -> dict[str, list[float]]:
        """Give the interval of each metric of a side: low and high."""
        return {name: _interval(values) for name, values in self.values.get(side, {}).items() if _tells(values)}

    def difference(self, name: str, gain: float, side: str, other: str) -> Difference | None:
        """Compare two sides by one metric; None where the samples do not tell.

        Args:
            name: The metric.
            gain: What the first has over the second on the rows themselves, in the direction that is better.
            side: The first.
            other: The second.
        """
        if not (name in self.values.get(side, {}) and name in self.values.get(other, {})):
            return None
        sign = 1.0 if METRICS[name].greater_is_better else -1.0
        gains = sign * (self.values[side][name] - self.values[other][name])
        if not _tells(gains):
            return None
        low, high = _interval(gains)
        return Difference(gain=gain, low=low, high=high, p=_p(gains[~np.isnan(gains)]))

    def about(self) -> dict[str, Any]:
        """Say how the intervals were made."""
        kind, count = self.units.kind, self.units.count
        return {"level": LEVEL, "method": "percentile", "samples": self.samples, "drawn": kind, "units": count}


def replicate(  # noqa: PLR0913, PLR0917 - what is scored, what is drawn, and what rows count
    task: Task,
    y: NDArray[Any],
    sides: Mapping[str, Answers],
    units: Units,
    seed: int,
    unit: float | None = None,
    weights: Values | None = None,
) -> Replicates:
    """Score all sides on the same bootstrap samples.

    Args:
        task: What was predicted.
        y: What came, as for `score_all`; shape (rows,).
        sides: The answers of each side for those rows.
        units: What is drawn.
        seed: Of the draws.
        unit: As for `score_all`.
        weights: What each row weighs, shape (rows,); None where all weigh the same.
    """
    rows = thinned(units)
    some, share = of_rows(units, rows), len(rows) / max(1, len(y))
    outputs = max((side.predicted.size for side in sides.values()), default=0) // max(1, len(y))
    samples = how_many(len(rows), outputs)
    made: dict[str, list[dict[str, Values]]] = {name: [] for name in sides}
    for counts in draw(some, samples, seed) if some.count >= _FEWEST_UNITS else ():
        drawn = counts if weights is None else counts * weights[rows]
        for name, side in sides.items():
            if (found := weighted_scores(task, y[rows], side.predicted[rows], side.threshold, drawn, unit)) is not None:
                made[name].append(found)
    values = {name: _joined(parts) for name, parts in made.items() if parts}
    if share < 1:
        values = {name: _scaled(task, y, sides[name], rows, (unit, weights), found) for name, found in values.items()}
    return Replicates(units=units, samples=samples, values=values)


def _joined(parts: list[dict[str, Values]]) -> dict[str, Values]:
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0] if name != _WITHOUT}


def _scaled(
    task: Task,
    y: NDArray[Any],
    side: Answers,
    rows: NDArray[np.intp],
    how: tuple[float | None, Values | None],
    values: dict[str, Values],
) -> dict[str, Values]:
    """Turn what samples of some rows give into what samples of all would."""
    unit, weights = how
    share, light = len(rows) / len(y), None if weights is None else weights[rows]
    whole = score_all(task, y, side.predicted, side.threshold, unit=unit, weights=weights)
    some = score_all(task, y[rows], side.predicted[rows], side.threshold, unit=unit, weights=light)
    return {name: whole[name] + share**0.5 * (found - some[name]) for name, found in values.items()}


def differences(
    found: Replicates, side: str, other: str, metrics: Mapping[str, float], others: Mapping[str, float]
) -> dict[str, dict[str, float]]:
    """Compare two sides by all metrics that both have.

    Args:
        found: The samples.
        side: The first side.
        other: The second.
        metrics: What the first scores on the rows themselves.
        others: What the second does.
    """
    told = {}
    for name in (name for name in metrics if name in others):
        sign = 1.0 if METRICS[name].greater_is_better else -1.0
        difference = found.difference(name, sign * (metrics[name] - others[name]), side, other)
        if difference is not None:
            told[name] = asdict(difference)
    return told


def _interval(values: Values) -> list[float]:
    tail = (1 - LEVEL) / 2
    low, high = np.nanquantile(values, [tail, 1 - tail])
    return [float(low), float(high)]


def _tells(values: Values) -> bool:
    """Whether nine of ten samples have the metric, and finite."""
    return bool(np.isfinite(values).mean() >= 0.9)  # noqa: PLR2004 - said above


def _p(gains: Values) -> float:
    """Achieved significance level, two-sided (Davison and Hinkley, 1997, 4.2: the sample itself counts as one)."""
    below, above = int((gains <= 0).sum()), int((gains >= 0).sum())
    return min(1.0, 2 * (1 + min(below, above)) / (1 + len(gains)))
