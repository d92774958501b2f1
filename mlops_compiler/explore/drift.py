"""What changes over time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from mlops_compiler.explore.exploration import Finding
from mlops_compiler.explore.profiles import kind_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

DRIFTS = 0.25
"""The population stability index from which a shift is called major (Siddiqi, Credit Risk Scorecards, 2006)."""
_PERIODS, _BINS, _FEWEST, _SMALL = 12, 10, 200, 1e-4


def periods(rows: pl.DataFrame, time: str, labels: NDArray[Any] | None) -> list[dict[str, Any]]:
    """Cut the time in equal spans: rows of each, and the mean of the labels, which is the share of positives."""
    stamps = rows[time].to_physical().cast(pl.Float64)
    start, end = stamps.min(), stamps.max()
    if start is None or end is None or start == end:
        return []
    place = ((stamps - start) / (end - start) * _PERIODS).floor().clip(0, _PERIODS - 1)  # type: ignore[operator]
    label = pl.Series("label", labels if labels is not None else np.zeros(rows.height))
    table = pl.DataFrame({"place": place, "time": rows[time], "label": label}).drop_nulls("place")
    told = table.group_by("place").agg(
        rows=pl.len(), start=pl.col("time").min().cast(pl.String), share=pl.col("label").mean()
    )
    return [
        {"start": row["start"], "rows": row["rows"], "positive_share": row["share"] if labels is not None else None}
        for row in told.sort("place").iter_rows(named=True)
    ]


def drifts(rows: pl.DataFrame, time: str, features: Sequence[str]) -> Iterator[Finding]:
    """Find columns that are distributed otherwise in the last quarter of the rows than in the first."""
    ordered = rows.drop_nulls(time).sort(time)
    quarter = ordered.height // 4
    if quarter < _FEWEST:
        return
    first, last = ordered.head(quarter), ordered.tail(quarter)
    for name in features:
        if name != time and (shift := stability_index(first[name], last[name])) >= DRIFTS:
            yield Finding(
                kind="drifts",
                columns=(name,),
                text=f"`{name}` is distributed otherwise in the last quarter of the rows than in the first "
                f"(population stability index {shift:.2f})",
                measure=shift,
                advice="split `time_ordered`, so that validation sees such a shift, and watch the column in production",
            )


def stability_index(before: pl.Series, after: pl.Series) -> float:
    """Measure how far a distribution moved: sum of (q - p) ln(q / p) over levels, or over tenths of the first."""
    if kind_of(before.dtype) in ("number", "time"):
        numbers = [side.to_physical().cast(pl.Float64).fill_nan(None) for side in (before, after)]
        known = numbers[0].drop_nulls()
        if not known.len():
            return 0.0
        edges = np.unique(np.quantile(known.to_numpy(), np.linspace(0, 1, _BINS + 1)[1:-1]))
        sides = [pl.Series(np.searchsorted(edges, side.fill_null(0.0).to_numpy(), side="right")) for side in numbers]
        sides = [cells.set(side.is_null(), -1) for cells, side in zip(sides, numbers, strict=True)]
    else:
        sides = [side.cast(pl.String).fill_null("\x00") for side in (before, after)]
    shares = [{level: count / side.len() for level, count in side.value_counts().iter_rows()} for side in sides]
    levels = sorted(set(shares[0]) | set(shares[1]))
    p, q = (np.array([max(share.get(level, 0.0), _SMALL) for level in levels]) for share in shares)
    return float(((q - p) * np.log(q / p)).sum())
