"""Bring outliers back to bounds that are learned from the training rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from mlops_compiler.ir.ops.prepare import Clip
from mlops_compiler.tables.steps.base import Change, change, learn, must_have_learned, neutral, present, statistics

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from mlops_compiler.ir.schema import Schema
    from mlops_compiler.tables.steps.base import Learned


@statistics.register(Clip)
def _(step: Clip, column: Callable[[str], pl.Expr]) -> dict[str, pl.Expr]:
    asked: dict[str, pl.Expr] = {}
    for name in step.columns:
        values = present(column(name)).cast(pl.Float64)
        for share in _shares(step):
            asked[f"{name}|{share}"] = values.quantile(share, interpolation="linear")
    return asked


@learn.register(Clip)
def _(step: Clip, answers: Mapping[str, Any]) -> Learned:
    low, high = ({name: answers[f"{name}|{share}"] for name in step.columns} for share in _shares(step))
    must_have_learned(low, "bounds")
    must_have_learned(high, "bounds")
    if step.iqr is None:
        return {"low": low, "high": high}
    spread = {name: (high[name] - low[name]) * step.iqr for name in step.columns}
    return {
        "low": {name: low[name] - spread[name] for name in step.columns},
        "high": {name: high[name] + spread[name] for name in step.columns},
    }


def _shares(step: Clip) -> tuple[float, float]:
    """The quantiles that are asked for: the bounds themselves, or the quartiles that they are reckoned from."""
    return (0.25, 0.75) if step.iqr is not None else (step.lower, step.upper)


@change.register(Clip)
def _(step: Clip, learned: Learned) -> Change:
    low, high = learned["low"], learned["high"]
    return Change(columns=tuple(pl.col(name).cast(pl.Float64).clip(low[name], high[name]) for name in step.columns))


@neutral.register(Clip)
def _(step: Clip, schema: Schema) -> Learned:  # noqa: ARG001
    return {"low": dict.fromkeys(step.columns, 0.0), "high": dict.fromkeys(step.columns, 1.0)}
