"""Choose among columns: those that tell of the target, that vary, that say what no other says."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import polars as pl

from mlops_compiler.ir.ops.prepare import DropConstant, DropCorrelated, Selection, SelectKBest
from mlops_compiler.tables.steps.base import LABEL, Change, change, learn, narrow, neutral, statistics

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from collections.abc import Set as AbstractSet

    from mlops_compiler.ir.schema import Schema
    from mlops_compiler.tables.steps.base import Learned

_BINS = 10


@narrow.register(SelectKBest)
@narrow.register(DropConstant)
@narrow.register(DropCorrelated)
def _(step: Selection, live: AbstractSet[str]) -> Selection:  # noqa: ARG001
    return step  # which columns stay depends on all of them


@change.register(SelectKBest)
@change.register(DropConstant)
@change.register(DropCorrelated)
def _(step: Selection, learned: Learned) -> Change:  # noqa: ARG001
    return Change(remove=tuple(learned["removed"]))


@neutral.register(SelectKBest)
@neutral.register(DropConstant)
@neutral.register(DropCorrelated)
def _(step: Selection, schema: Schema) -> Learned:  # noqa: ARG001
    return {"removed": []}


def _number(values: pl.Expr) -> pl.Expr:
    return values.cast(pl.Float64).fill_nan(None)


@statistics.register(SelectKBest)
def _(step: SelectKBest, column: Callable[[str], pl.Expr]) -> dict[str, pl.Expr]:
    label = _bins(pl.col(LABEL)) if step.continuous else pl.col(LABEL)
    return {
        name: pl.struct(_bins(column(name)).alias("bin"), label.alias("label")).value_counts().implode()
        for name in step.columns
    }


def _bins(values: pl.Expr) -> pl.Expr:
    """Deal values into tenths by rank; -1 where there is none."""
    numbers = _number(values)
    return ((numbers.rank("average") - 1) / numbers.count().cast(pl.Float64) * _BINS).floor().fill_null(-1)


@learn.register(SelectKBest)
def _(step: SelectKBest, answers: Mapping[str, Any]) -> Learned:
    scores = {name: mutual_information(answers[name]) for name in step.columns}
    ranked = sorted(step.columns, key=lambda name: (-scores[name], step.columns.index(name)))
    return {"removed": [name for name in step.columns if name in set(ranked[step.k :])], "nats": scores}


def mutual_information(cells: pl.Series) -> float:
    """Estimate in nats what a binned column tells of the label.

    Args:
        cells: The answer of `value_counts` for pairs of bin and label.

    Returns:
        The plug-in estimate less its bias (Miller, 1955): (bins - 1)(labels - 1) / 2N; at least 0.
    """
    found = [(item[next(key for key in item if key != "count")], item["count"]) for item in cells]
    total = sum(count for _, count in found)
    bins: dict[float, int] = {}
    labels: dict[float, int] = {}
    for cell, count in found:
        bins[cell["bin"]] = bins.get(cell["bin"], 0) + count
        labels[cell["label"]] = labels.get(cell["label"], 0) + count
    terms = [
        count / total * math.log(count * total / (bins[cell["bin"]] * labels[cell["label"]])) for cell, count in found
    ]
    bias = (len(bins) - 1) * (len(labels) - 1) / (2 * total) if total else 0.0
    return max(0.0, math.fsum(sorted(terms)) - bias)


@statistics.register(DropConstant)
def _(step: DropConstant, column: Callable[[str], pl.Expr]) -> dict[str, pl.Expr]:
    return {name: _number(column(name)).var(ddof=0) for name in step.columns}


@learn.register(DropConstant)
def _(step: DropConstant, answers: Mapping[str, Any]) -> Learned:
    variance = {name: answers[name] for name in step.columns}
    varies = {name for name, value in variance.items() if value is not None and not value <= step.min_variance}
    return {"removed": [name for name in step.columns if name not in varies]}


@statistics.register(DropCorrelated)
def _(step: DropCorrelated, column: Callable[[str], pl.Expr]) -> dict[str, pl.Expr]:
    return {name: _number(column(name)).implode() for name in step.columns}


@learn.register(DropCorrelated)
def _(step: DropCorrelated, answers: Mapping[str, Any]) -> Learned:
    """Compare in order; what is missing counts as the mean."""
    import numpy as np

    columns = [_centered(answers[name].to_numpy()) for name in step.columns]
    strength = np.abs(np.array(columns) @ np.array(columns).T) if columns else np.zeros((0, 0))
    kept: list[int] = []
    for index in range(len(columns)):
        if not any(strength[index, other] > step.above for other in kept):
            kept.append(index)
    return {"removed": [name for index, name in enumerate(step.columns) if index not in set(kept)]}


def _centered(values: Any) -> Any:
    """Bring a column to mean 0 and length 1; one that does not vary, or is not finite, is like no other."""
    import numpy as np

    known = np.isfinite(values)
    centered = np.where(known, values - (values[known].mean() if known.any() else 0.0), 0.0)
    length = float(np.sqrt((centered**2).sum()))
    return centered / length if length > 0 else centered
