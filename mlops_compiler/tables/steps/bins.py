"""Cut numbers into bins: at edges that the recipe names, or into as many bins of equal width or of as many rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from mlops_compiler.ir.ops.prepare import Bins
from mlops_compiler.tables.steps.base import (
    Change,
    change,
    learn,
    must_be_finite,
    must_have_learned,
    neutral,
    present,
    statistics,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from mlops_compiler.ir.schema import Schema
    from mlops_compiler.tables.steps.base import Learned


@statistics.register(Bins)
def _(step: Bins, column: Callable[[str], pl.Expr]) -> dict[str, pl.Expr]:
    asked: dict[str, pl.Expr] = {}
    for name in step.columns:
        values = present(column(name)).cast(pl.Float64)
        if step.quantiles is not None:
            for share in _shares(step.quantiles):
                asked[f"{name}|{share}"] = values.quantile(share, interpolation="linear")
        elif step.equal_width is not None:
            asked |= {f"{name}|min": values.min(), f"{name}|max": values.max()}
    return asked


@learn.register(Bins)
def _(step: Bins, answers: Mapping[str, Any]) -> Learned:
    if step.edges is not None:
        return {"edges": {name: list(step.edges) for name in step.columns}}
    edges: dict[str, list[float]] = {}
    for name in step.columns:
        if step.quantiles is not None:
            found = [answers[f"{name}|{share}"] for share in _shares(step.quantiles)]
            must_have_learned({name: found[0]}, "bins")
            edges[name] = sorted(set(found))
        else:
            low, high = answers[f"{name}|min"], answers[f"{name}|max"]
            must_have_learned({name: low}, "bins")
            must_be_finite({name: high}, "bins")
            count = step.equal_width or 1
            edges[name] = sorted({low + (high - low) * part / count for part in range(1, count)})
    return {"edges": edges}


def _shares(count: int) -> list[float]:
    """The quantiles at which as many bins are cut."""
    return [part / count for part in range(1, count)]


@change.register(Bins)
def _(step: Bins, learned: Learned) -> Change:
    edges = learned.get("edges") or {name: list(step.edges or ()) for name in step.columns}
    return Change(columns=tuple(_cut(name, edges[name]) for name in step.columns))


def _cut(name: str, edges: Sequence[float]) -> pl.Expr:
    """Count the edges that lie at or below a value; what is missing stays missing."""
    value = pl.col(name).cast(pl.Float64)
    value = pl.when(value.is_nan()).then(None).otherwise(value)
    bins = [(value >= edge).cast(pl.Int64) for edge in edges]
    return pl.sum_horizontal(
        *bins, pl.when(value.is_null()).then(None).otherwise(pl.lit(0, dtype=pl.Int64)), ignore_nulls=False
    ).alias(name)


@neutral.register(Bins)
def _(step: Bins, schema: Schema) -> Learned:  # noqa: ARG001
    return {"edges": {name: [0.0] for name in step.columns}}
