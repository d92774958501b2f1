"""Drift is a change that is no chance and that is large enough to matter: a test and a measure must both say so.

A test alone calls every large sample different, and a measure alone every small one. Numbers are tested by Kolmogorov
and Smirnov's two-sample test and measured by Wasserstein's first distance in standard deviations of the reference;
categories are tested by the chi-squared test of homogeneity, rare ones together, and measured by Jensen and Shannon's
distance, less what chance alone makes of it. All tests of a check are one family (Benjamini and Hochberg, 1995).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mlops_compiler.evaluation.significance import adjusted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from mlops_compiler.monitoring.distribution import Distribution

    Values = NDArray[np.float64]

_LEAST_EXPECTED = 5
"""Rows that the chi-squared test must expect of a category in each sample (Cochran, 1954); rarer ones go together."""
_TENTHS = 10
_SMALL = 1e-4
WASSERSTEIN, JENSEN_SHANNON = "wasserstein", "jensen_shannon"


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """How far a distribution moved.

    Attributes:
        type: ``number`` or ``category``.
        measure: `WASSERSTEIN`, in standard deviations of the reference, or `JENSEN_SHANNON`, from 0 to 1.
        effect: What it measures.
        p: How likely at least such a difference is where nothing moved; of this comparison alone.
        psi: The population stability index (Siddiqi, Credit Risk Scorecards, 2006).
        before: The mean of a number, or the category that gained most: its share, in the reference.
        after: The same now.
        about: Which category that is; empty of a number.
        association: Of categories Cramér's V, corrected for its bias (Bergsma, 2013); of numbers the greatest
            difference of cumulative shares (Kolmogorov and Smirnov).
    """

    type: str
    measure: str
    effect: float
    p: float
    psi: float
    before: float
    after: float
    about: str
    association: float


def compare(before: Distribution, after: Distribution, unit: float | None = None) -> Moved | None:
    """Compare a sample with a reference; None where either has no value, or the column is not compared by value.

    Args:
        before: The reference.
        after: The sample.
        unit: In what a number's movement is measured; as `unit_of` the reference has it, where not given.
    """
    if not before.known or not after.known or before.type != after.type:
        return None
    if before.type == "number":
        return _numbers(before, after, unit or unit_of(before))
    return _categories(before, after) if before.type == "category" else None


def family(moved: Mapping[str, Moved]) -> dict[str, float]:
    """Adjust the p-values of all comparisons of a check for their number."""
    return dict(zip(moved, adjusted([item.p for item in moved.values()]), strict=True))


def unit_of(before: Distribution) -> float:
    """Give the standard deviation of a number; of one that is always the same its size."""
    return before.spread or abs(float(before.values[0])) or 1.0


def _numbers(before: Distribution, after: Distribution, unit: float) -> Moved:
    from scipy.stats import kstwo, wasserstein_distance

    (old, old_counts), (new, new_counts) = _arrays(before), _arrays(after)
    distance = float(wasserstein_distance(old, new, old_counts, new_counts))
    points = np.union1d(old, new)
    gap = float(np.abs(_below(points, old, old_counts) - _below(points, new, new_counts)).max())
    size = before.known * after.known / (before.known + after.known)
    return Moved(
        type="number",
        measure=WASSERSTEIN,
        effect=distance / unit,
        p=float(kstwo.sf(gap, max(1, round(size)))),
        psi=_stability(*_tenths(old, old_counts, new, new_counts)),
        before=float(np.average(old, weights=old_counts)),
        after=float(np.average(new, weights=new_counts)),
        about="",
        association=gap,
    )


def _below(points: Values, values: Values, counts: Values) -> Values:
    """Give the share of rows up to each point."""
    reached = np.concatenate([[0.0], np.cumsum(counts)])
    found: Values = reached[np.searchsorted(values, points, side="right")] / reached[-1]
    return found


def _tenths(old: Values, old_counts: Values, new: Values, new_counts: Values) -> tuple[Values, Values]:
    """Count both sides in the tenths of the first."""
    share = np.cumsum(old_counts) / old_counts.sum()
    edges = np.unique(old[np.searchsorted(share, np.linspace(0, 1, _TENTHS + 1)[1:-1])])
    cells = len(edges) + 1
    return (
        np.bincount(np.searchsorted(edges, old), weights=old_counts, minlength=cells).astype(np.float64),
        np.bincount(np.searchsorted(edges, new), weights=new_counts, minlength=cells).astype(np.float64),
    )


def _categories(before: Distribution, after: Distribution) -> Moved:
    levels = list(dict.fromkeys((*before.values, *after.values)))
    place = {level: index for index, level in enumerate(levels)}
    old, new = np.zeros(len(levels)), np.zeros(len(levels))
    for side, given in ((old, before), (new, after)):
        for level, count in zip(given.values, given.counts, strict=True):
            side[place[level]] = count
    gains = new / new.sum() - old / old.sum()
    most = int(np.abs(gains).argmax())
    statistic, p, degrees = _homogeneity(old, new)
    return Moved(
        type="category",
        measure=JENSEN_SHANNON,
        effect=_jensen_shannon(old, new),
        p=p,
        psi=_stability(old, new),
        before=float(old[most] / old.sum()),
        after=float(new[most] / new.sum()),
        about=str(levels[most]),
        association=_cramer(statistic, degrees, float(old.sum() + new.sum())),
    )


def _homogeneity(old: Values, new: Values) -> tuple[float, float, int]:
    """Test whether two samples have the same shares; returns the statistic, p and the degrees of freedom."""
    from scipy.stats import chi2, fisher_exact

    fewer = min(old.sum(), new.sum()) / (old.sum() + new.sum())
    rare = (old + new) * fewer < _LEAST_EXPECTED
    table = np.array([np.append(side[~rare], side[rare].sum()) for side in (old, new)])
    table = table[:, table.sum(axis=0) > 0]
    degrees = table.shape[1] - 1
    if degrees == 0:
        return 0.0, 1.0, 0
    expected = table.sum(axis=1, keepdims=True) * table.sum(axis=0, keepdims=True) / table.sum()
    statistic = float(((table - expected) ** 2 / expected).sum())
    if degrees == 1 and expected.min() < _LEAST_EXPECTED:
        return statistic, float(fisher_exact(table.round().astype(int)).pvalue), degrees
    return statistic, float(chi2.sf(statistic, degrees)), degrees


def _jensen_shannon(old: Values, new: Values) -> float:
    """Measure the distance of two samples' shares (Lin, 1991), in bits, less what samples of one source are apart.

    That is (levels - 1) (1 / n + 1 / m) / (8 ln 2) on average, by the expansion that gives the chi-squared statistic.
    """
    p, q = old / old.sum(), new / new.sum()
    middle = (p + q) / 2
    divergence = (_relative_entropy(p, middle) + _relative_entropy(q, middle)) / 2
    chance = (np.count_nonzero(old + new) - 1) * (1 / old.sum() + 1 / new.sum()) / (8 * math.log(2))
    return math.sqrt(max(0.0, divergence - chance))


def _relative_entropy(p: Values, q: Values) -> float:
    some = p > 0
    return float((p[some] * np.log2(p[some] / q[some])).sum())


def _cramer(statistic: float, degrees: int, rows: float) -> float:
    """Correct Cramér's V of a table of two rows for its bias (Bergsma, 2013)."""
    if degrees == 0:
        return 0.0
    phi = max(0.0, statistic / rows - degrees / (rows - 1))
    return math.sqrt(phi / (2 - 1 / (rows - 1) - 1))


def _stability(old: Values, new: Values) -> float:
    p, q = (np.maximum(side / side.sum(), _SMALL) for side in (old, new))
    return float(((q - p) * np.log(q / p)).sum())


def _arrays(given: Distribution) -> tuple[Values, Values]:
    return np.asarray(given.values, dtype=np.float64), np.asarray(given.counts, dtype=np.float64)


def drift_json(column: str, kind: str, found: Moved, limit: float, p: float) -> dict[str, Any]:
    """Tell of a comparison as JSON."""
    return {
        "column": column,
        "kind": kind,
        "type": found.type,
        "measure": found.measure,
        "effect": found.effect,
        "limit": limit,
        "p": p,
        "psi": found.psi,
        "association": found.association,
        "before": found.before,
        "after": found.after,
        "about": found.about,
    }


def sentence(column: str, found: Moved) -> str:
    """Say how a distribution moved."""
    if found.type == "number":
        unit = f"{found.effect:.2f} standard deviations"
        return f"{column} moved by {unit}: its mean was {found.before:.4g} and is {found.after:.4g}"
    share = f"{found.about!r} was {found.before:.1%} and is {found.after:.1%}"
    return f"the shares of {column} moved by {found.effect:.2f}: {share}"


def names(columns: Sequence[str]) -> str:
    """Name columns for people, the first few."""
    shown = 3
    return ", ".join(columns[:shown]) + (f" and {len(columns) - shown} more" if len(columns) > shown else "")
