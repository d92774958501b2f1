"""Where is the model worst, and is that more than chance: the metric of slices of the holdout beside that of the rest.

The slices that a recipe names are tested as one family; those that are searched for, single conditions and pairs, as
another: their number is what a found difference must be weighed against. Chung et al., "Slice Finder: automated data
slicing for model validation" (2019), search in the same way.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np

from mlops_compiler.evaluation.metrics import METRICS
from mlops_compiler.evaluation.significance import FEWEST, Estimate, adjusted, p_value

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from mlops_compiler.evaluation.significance import Measure
    from mlops_compiler.explain.conditions import Condition

    Mask = NDArray[np.bool_]
    Calibrate = Callable[[Mask], dict[str, float]]

SIGNIFICANT = 0.05
"""The false discovery rate that a slice told as worse keeps."""
_SHOWN = 10
_MOST_PAIRS = 3000
_TOLD_ANYWAY = 3
_ALIKE = 0.4
"""The share of two slices' rows that both have, from which on they are much the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    """Rows that meet one or two conditions, beside the rows that do not.

    Attributes:
        conditions: What its rows have in common.
        mask: Its rows, shape (rows,).
        inside: The measure of its rows.
        outside: The measure of the others.
        p: How likely such a difference is by chance.
        worse: Whether it is the worse side.
    """

    conditions: tuple[Condition, ...]
    mask: Mask
    inside: Estimate
    outside: Estimate
    p: float
    worse: bool

    @property
    def strength(self) -> float:
        """Say how many standard errors the slice is worse by; negative where it is better."""
        spread = float(np.hypot(self.inside.error, self.outside.error)) or np.finfo(float).tiny
        gap = abs(self.inside.value - self.outside.value) / spread
        return gap if self.worse else -gap


def declared(conditions: Sequence[Condition], measure: Measure, calibrate: Calibrate) -> list[dict[str, Any]]:
    """Test the slices that a recipe names, in its order.

    Args:
        conditions: What slices them.
        measure: What is compared.
        calibrate: Compares what was predicted of rows with what came; gives ``p`` among others.

    Returns:
        JSON objects; a slice that is too small to tell has its rows, and None for the rest.
    """
    found = [compared((item,), item.mask, measure) for item in conditions]
    known = [item for item in found if item is not None]
    rows = iter(_with_calibration(known, adjusted([item.p for item in known]), calibrate))
    return [
        _too_few(condition) if item is None else next(rows) for condition, item in zip(conditions, found, strict=True)
    ]


def search(conditions: Sequence[Condition], measure: Measure, calibrate: Calibrate) -> dict[str, Any]:
    """Search single conditions and pairs for the slices that are worst.

    A pair is told only where it is worse than both of its conditions alone, and a slice only where it is not much the
    same rows as one that is told before it.

    Returns:
        ``tested``: how many slices were compared; ``significant``: how many of them are worse; ``worst``: at most 10
        slices, those whose difference is hardest to explain by chance first; at most 3 where none is significant.
    """
    singles = {item.label: compared((item,), item.mask, measure) for item in conditions}
    pairs = [compared(pair, pair[0].mask & pair[1].mask, measure) for pair in _pairs(conditions)]
    tested = [item for item in (*singles.values(), *pairs) if item is not None]
    rates = adjusted([item.p for item in tested])
    worse = [
        (item, rate)
        for item, rate in zip(tested, rates, strict=True)
        if item.worse and _is_more_than_its_parts(item, singles, measure)
    ]
    worse.sort(key=lambda pair: (-pair[0].strength, len(pair[0].conditions)))
    significant = [pair for pair in worse if pair[1] <= SIGNIFICANT]
    shown = _unlike(significant, _SHOWN) if significant else _unlike(worse, _TOLD_ANYWAY)
    return {
        "tested": len(tested),
        "significant": len(significant),
        "worst": _with_calibration([item for item, _ in shown], [rate for _, rate in shown], calibrate),
    }


def compared(conditions: tuple[Condition, ...], mask: Mask, measure: Measure) -> Slice | None:
    """Compare the rows of a slice with the others; None where either side has too few to tell."""
    rows = int(mask.sum())
    if min(rows, len(mask) - rows) < FEWEST:
        return None
    inside, outside = measure.of(mask), measure.of(~mask)
    if inside is None or outside is None:
        return None
    greater = METRICS[measure.name].greater_is_better
    return Slice(
        conditions=conditions,
        mask=mask,
        inside=inside,
        outside=outside,
        p=p_value(inside, outside),
        worse=(inside.value < outside.value) == greater and inside.value != outside.value,
    )


def told(item: Slice, rate: float) -> dict[str, Any]:
    """Give a slice as JSON."""
    low, high = item.inside.interval()
    return {
        "slice": label(item.conditions),
        "columns": [condition.column for condition in item.conditions],
        "rows": item.inside.rows,
        "value": item.inside.value,
        "low": low,
        "high": high,
        "rest": item.outside.value,
        "p": item.p,
        "q": rate,
        "worse": item.worse,
        "significant": rate <= SIGNIFICANT,
    }


def label(conditions: Iterable[Condition]) -> str:
    """Name a slice for people."""
    return " and ".join(condition.label for condition in conditions)


def _with_calibration(items: Sequence[Slice], rates: Sequence[float], calibrate: Calibrate) -> list[dict[str, Any]]:
    """Give slices as JSON, each with its calibration, whose significance is adjusted for their number."""
    found = [calibrate(item.mask) for item in items]
    adjusted_rates = adjusted([entry["p"] for entry in found])
    return [
        {**told(item, rate), "calibration": {**entry, "q": q}}
        for item, rate, entry, q in zip(items, rates, found, adjusted_rates, strict=True)
    ]


def _too_few(condition: Condition) -> dict[str, Any]:
    absent = dict.fromkeys(("value", "low", "high", "rest", "p", "q"))
    rows = int(condition.mask.sum())
    about = {"slice": condition.label, "columns": [condition.column], "rows": rows}
    return {**about, **absent, "worse": False, "significant": False}


def _pairs(conditions: Sequence[Condition]) -> list[tuple[Condition, Condition]]:
    """Pair conditions on different columns, the largest slices first."""
    if not conditions:
        return []
    masks = np.array([item.mask for item in conditions], dtype=np.float32)
    together, rows = masks @ masks.T, masks.shape[1]
    sized = [
        (int(together[first, second]), first, second)
        for first, second in combinations(range(len(conditions)), 2)
        if conditions[first].column != conditions[second].column
        and FEWEST <= together[first, second] <= rows - FEWEST
        and together[first, second] < min(together[first, first], together[second, second])
    ]
    sized.sort(key=lambda item: (-item[0], item[1], item[2]))
    return [(conditions[first], conditions[second]) for _, first, second in sized[:_MOST_PAIRS]]


def _unlike(ordered: Sequence[tuple[Slice, float]], most: int) -> list[tuple[Slice, float]]:
    """Keep the first slices that share little with those before them (Jaccard, 1912)."""
    kept: list[tuple[Slice, float]] = []
    for item, rate in ordered:
        if len(kept) == most:
            break
        if all((item.mask & other.mask).sum() < _ALIKE * (item.mask | other.mask).sum() for other, _ in kept):
            kept.append((item, rate))
    return kept


def _is_more_than_its_parts(item: Slice, singles: Mapping[str, Slice | None], measure: Measure) -> bool:
    if len(item.conditions) == 1:
        return True
    parts = [part for condition in item.conditions if (part := singles[condition.label]) is not None]
    sign = 1 if METRICS[measure.name].greater_is_better else -1
    return all(sign * item.inside.value < sign * part.inside.value for part in parts)
