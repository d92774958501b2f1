"""What is missing: which columns together, and whether that depends on other columns or on the target."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from mlops_compiler.evaluation.probe import roc_auc
from mlops_compiler.explore.exploration import Finding
from mlops_compiler.explore.profiles import kind_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

SURE, CLEAR_AUC, CLEAR_V, FEWEST = 0.01, 0.1, 0.1, 10
"""The false discovery rate; how far from 0.5 a ROC AUC, and how large a Cramér's V, must be to be worth a word (a small
effect by Cohen, 1988); and how many rows must be missing."""
_PATTERNS, _MOST_LEVELS = 8, 50


def patterns(rows: pl.DataFrame) -> list[dict[str, Any]]:
    """List which columns are missing together, the most frequent pattern first; rows without gaps are left out."""
    gaps = [name for name in rows.columns if rows[name].null_count()]
    if not gaps:
        return []
    counted = rows.select(pl.col(gaps).is_null()).group_by(gaps).len("rows")
    told = [
        {"columns": [name for name in gaps if row[name]], "rows": row["rows"]} for row in counted.iter_rows(named=True)
    ]
    kept = [pattern for pattern in told if pattern["columns"]]
    return sorted(kept, key=lambda pattern: (-pattern["rows"], pattern["columns"]))[:_PATTERNS]


def not_at_random(rows: pl.DataFrame, features: Sequence[str], target: str | None) -> Iterator[Finding]:
    """Find columns whose gaps depend on another column, or on the target.

    Numbers are compared by the test of Mann and Whitney, levels by the chi-squared test; the p-values of all pairs are
    adjusted by Benjamini and Hochberg (1995).
    """
    from scipy.stats import false_discovery_control

    tests = []
    for name in features:
        gap = rows[name].is_null()
        if min(int(gap.sum()), int((~gap).sum())) < FEWEST:
            continue
        others = [other for other in (*features, target) if other is not None and other != name]
        tests += [(name, other, *tested) for other in others if (tested := _test(gap, rows[other]))]
    if not tests:
        return
    adjusted = false_discovery_control([p for *_, p in tests])
    best: dict[str, tuple[float, str, str]] = {}
    for (name, other, strength, how, _), p in zip(tests, adjusted, strict=True):
        if p >= SURE or strength <= 0:
            continue
        if other == target:
            yield Finding(
                kind="missing-tells",
                columns=(name,),
                text=f"that `{name}` is missing tells of the target: {how}",
                measure=strength,
                advice="say so to the models: `impute` with `indicator: true`",
            )
        elif strength > best.get(name, (0.0, "", ""))[0]:
            best[name] = (strength, other, how)
    for name, (strength, other, how) in best.items():
        yield Finding(
            kind="missing-not-at-random",
            columns=(name, other),
            text=f"whether `{name}` is missing depends on `{other}`: {how}",
            measure=strength,
            advice="its mean or median says little of the rows without it: `impute` by group, with `model`, or with "
            "`indicator: true`",
        )


def _test(gap: pl.Series, other: pl.Series) -> tuple[float, str, float] | None:
    """Compare a column where another is missing and where it is not: effect (0 where it is small), words, p-value."""
    known = other.is_not_null() & (other.is_not_nan() if other.dtype.is_float() else True)
    missing, values = gap.filter(known).to_numpy(), other.filter(known)
    if min(int(missing.sum()), int((~missing).sum())) < FEWEST or values.n_unique() < 2:  # noqa: PLR2004
        return None
    if kind_of(other.dtype) in ("number", "time"):
        return _numbers(missing, values.to_physical().cast(pl.Float64))
    return _levels(missing, values.cast(pl.String)) if values.n_unique() <= _MOST_LEVELS else None


def _numbers(missing: NDArray[np.bool_], values: pl.Series) -> tuple[float, str, float]:
    from scipy.stats import mannwhitneyu

    numbers = values.to_numpy()
    p = float(mannwhitneyu(numbers[missing], numbers[~missing]).pvalue)
    effect = abs(roc_auc(numbers, missing.astype(np.int8)) - 0.5)
    there, gone = float(np.median(numbers[~missing])), float(np.median(numbers[missing]))
    return (effect if effect >= CLEAR_AUC else 0.0), f"its median is {gone:.4g} there, else {there:.4g}", p


def _levels(missing: NDArray[np.bool_], values: pl.Series) -> tuple[float, str, float]:
    from scipy.stats import chi2_contingency

    codes = values.rank("dense").to_numpy().astype(int) - 1
    table = np.array([np.bincount(codes[side], minlength=codes.max() + 1) for side in (missing, ~missing)])
    found = chi2_contingency(table, correction=False)
    effect = float(np.sqrt(found.statistic / missing.size))
    share = table[0] / table.sum(axis=0)
    worst = int(share.argmax())
    level = values.unique().sort()[worst]
    words = f"it is in {share[worst]:.1%} of the rows with {level!r}, and in {missing.mean():.1%} of all"
    return (effect if effect >= CLEAR_V else 0.0), words, float(found.pvalue)
