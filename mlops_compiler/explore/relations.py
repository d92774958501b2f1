"""What columns say of the target, and of each other."""

from __future__ import annotations

from itertools import combinations
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import polars as pl

from mlops_compiler.evaluation.probe import MEASURES, SUSPICIOUS, score_alone
from mlops_compiler.explore.exploration import Finding
from mlops_compiler.explore.profiles import kind_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from mlops_compiler.ir.task import Task

INFORMATIVE: Mapping[str, float] = MappingProxyType(
    {"binary_classification": 0.6, "multiclass_classification": 0.6, "regression": 0.1}
)
"""From where what a column alone scores is worth a word."""
ALIKE, RARE_CLASS = 0.9, 0.1
"""From where a correlation of two, and below where a class, is."""
MOST_LEVELS = 200


def scores(rows: pl.DataFrame, features: Sequence[str], labels: NDArray[Any], task: Task) -> list[dict[str, Any]]:
    """Score how well each column alone tells the target, by the measure of the task; the best first."""
    told = [{"column": name, "score": score_alone(_number(rows[name]).to_frame(), labels, task)} for name in features]
    return sorted(told, key=lambda item: (-item["score"], item["column"]))


def _number(values: pl.Series) -> pl.Series:
    if kind_of(values.dtype) == "level":
        return values.cast(pl.String).rank("dense").alias(values.name)
    return values.to_physical().cast(pl.Float64)


def of_scores(found: list[dict[str, Any]], target: str, task: Task) -> Iterator[Finding]:
    """Find the columns that tell something of the target, and those that tell too much."""
    for item in found:
        name, score = item["column"], item["score"]
        if score >= SUSPICIOUS:
            yield Finding(
                kind="leak-suspect",
                columns=(name,),
                text=f"`{name}` alone predicts `{target}` with {MEASURES[task]} of {score:.3f}",
                measure=score,
                advice="is it known before the outcome? If not, say `known: after_outcome`",
            )
        elif score >= INFORMATIVE[task]:
            yield Finding(
                kind="informative",
                columns=(name,),
                text=f"`{name}` alone predicts `{target}` with {MEASURES[task]} of {score:.3f}",
                measure=score,
            )


def of_balance(counts: list[dict[str, Any]], target: str, rows: int) -> Iterator[Finding]:
    """Find a class that few rows have."""
    if len(counts) > 1 and counts[-1]["rows"] < RARE_CLASS * rows:
        share = counts[-1]["rows"] / rows
        yield Finding(
            kind="imbalanced",
            columns=(target,),
            text=f"{share:.2%} of the rows have `{target}` {counts[-1]['value']}",
            measure=share,
            advice="look at `average_precision`, split `stratified`, and try `balance`",
        )


def pairs(rows: pl.DataFrame, features: Sequence[str]) -> list[dict[str, Any]]:
    """List the pairs of columns that say nearly the same, the strongest first.

    Numbers are compared by Spearman's correlation over rows that have both, levels by Cramér's V.
    """
    numeric = [name for name in features if kind_of(rows[name].dtype) == "number"]
    levels = [name for name in features if kind_of(rows[name].dtype) in ("level", "truth")]
    levels = [name for name in levels if rows[name].n_unique() <= MOST_LEVELS]
    told: list[dict[str, Any]] = []
    for one, other in combinations(numeric, 2):
        both = rows.select(one, other).drop_nulls()
        strength = both.select(pl.corr(one, other, method="spearman")).item() if both.height > 2 else None  # noqa: PLR2004
        told.append({"columns": [one, other], "measure": "spearman", "strength": strength})
    for one, other in combinations(levels, 2):
        told.append({"columns": [one, other], "measure": "cramers_v", "strength": _cramers_v(rows[one], rows[other])})
    kept = [pair for pair in told if pair["strength"] is not None and abs(pair["strength"]) >= ALIKE]
    return sorted(kept, key=lambda pair: (-abs(pair["strength"]), pair["columns"]))


def _cramers_v(one: pl.Series, other: pl.Series) -> float | None:
    from scipy.stats.contingency import association

    both = pl.DataFrame({"one": one.cast(pl.String), "other": other.cast(pl.String)}).drop_nulls()
    table = both.group_by("one", "other").len().pivot("other", index="one", values="len").fill_null(0).drop("one")
    if min(table.shape) < 2:  # noqa: PLR2004
        return None
    return float(association(table.to_numpy(), method="cramer"))


def of_pairs(rows: pl.DataFrame, found: list[dict[str, Any]]) -> Iterator[Finding]:
    """Find columns that repeat others."""
    for pair in found:
        one, other = pair["columns"]
        if rows[one].dtype == rows[other].dtype and rows[one].equals(rows[other]):
            yield Finding(
                kind="duplicate-column",
                columns=(one, other),
                text=f"`{other}` is `{one}` again, in every row",
                measure=1.0,
                advice="list one of the two under `data.ignore`",
            )
        else:
            how = "correlation (Spearman)" if pair["measure"] == "spearman" else "association (Cramér's V)"
            yield Finding(
                kind="correlated",
                columns=(one, other),
                text=f"`{one}` and `{other}` say nearly the same: {how} {pair['strength']:.3f}",
                measure=pair["strength"],
                advice="linear models share one weight between the two; `drop_correlated` keeps the first",
            )


def repeated(rows: pl.DataFrame, features: Sequence[str]) -> Iterator[Finding]:
    """Find rows that are equal in all features."""
    again = rows.height - rows.select(features).n_unique() if features else 0
    if again:
        yield Finding(
            kind="duplicate-rows",
            columns=(),
            text=f"{again:,} of {rows.height:,} rows repeat another in all features",
            measure=again / rows.height,
            advice="the same row in training and holdout flatters a model: `deduplicate`, or split `grouped`",
        )
