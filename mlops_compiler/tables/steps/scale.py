"""Bring numbers to one scale."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from mlops_compiler.diagnostics import DataError
from mlops_compiler.ir.ops.prepare import MinMaxScale, RobustScale, Standardize
from mlops_compiler.tables.steps.base import (
    Change,
    change,
    learn,
    must_be_finite,
    must_have_learned,
    neutral,
    nothing_to_learn,
    present,
    statistics,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from mlops_compiler.ir.schema import Schema
    from mlops_compiler.tables.steps.base import Learned


QUARTILES = (0.25, 0.5, 0.75)


def _scaled(name: str, centre: Mapping[str, float], spread: Mapping[str, float]) -> pl.Expr:
    return (pl.col(name).cast(pl.Float64) - centre[name]) / spread[name]


@statistics.register(Standardize)
def _(step: Standardize, column: Callable[[str], pl.Expr]) -> dict[str, pl.Expr]:
    asked: dict[str, pl.Expr] = {}
    for name in step.columns:
        values = present(column(name))
        asked |= {f"{name}|mean": values.mean(), f"{name}|std": values.std(ddof=0)}
    return asked


@learn.register(Standardize)
def _(step: Standardize, answers: Mapping[str, Any]) -> Learned:
    empty = [name for name in step.columns if answers[f"{name}|mean"] is None]
    if empty:
        raise DataError([nothing_to_learn(empty, "a mean")])
    must_be_finite({name: answers[f"{name}|std"] for name in step.columns}, "a mean")
    # A constant column is only centred: dividing by zero would make it infinite.
    return {
        "mean": {name: answers[f"{name}|mean"] for name in step.columns},
        "std": {name: answers[f"{name}|std"] or 1.0 for name in step.columns},
    }


@change.register(Standardize)
def _(step: Standardize, learned: Learned) -> Change:
    return Change(columns=tuple(_scaled(name, learned["mean"], learned["std"]) for name in step.columns))


@neutral.register(Standardize)
def _(step: Standardize, schema: Schema) -> Learned:  # noqa: ARG001
    return {"mean": dict.fromkeys(step.columns, 0.0), "std": dict.fromkeys(step.columns, 1.0)}


@statistics.register(RobustScale)
def _(step: RobustScale, column: Callable[[str], pl.Expr]) -> dict[str, pl.Expr]:
    asked: dict[str, pl.Expr] = {}
    for name in step.columns:
        values = present(column(name))
        for share in QUARTILES:
            asked[f"{name}|{share}"] = values.quantile(share, interpolation="linear")
    return asked


@learn.register(RobustScale)
def _(step: RobustScale, answers: Mapping[str, Any]) -> Learned:
    quartiles = {name: [answers[f"{name}|{share}"] for share in QUARTILES] for name in step.columns}
    must_have_learned({name: values[1] for name, values in quartiles.items()}, "a median")
    # Where half of the rows agree there is no spread to divide by: the column is only centred.
    return {
        "median": {name: values[1] for name, values in quartiles.items()},
        "spread": {name: values[2] - values[0] or 1.0 for name, values in quartiles.items()},
    }


@change.register(RobustScale)
def _(step: RobustScale, learned: Learned) -> Change:
    return Change(columns=tuple(_scaled(name, learned["median"], learned["spread"]) for name in step.columns))


@neutral.register(RobustScale)
def _(step: RobustScale, schema: Schema) -> Learned:  # noqa: ARG001
    return {"median": dict.fromkeys(step.columns, 0.0), "spread": dict.fromkeys(step.columns, 1.0)}


@statistics.register(MinMaxScale)
def _(step: MinMaxScale, column: Callable[[str], pl.Expr]) -> dict[str, pl.Expr]:
    asked: dict[str, pl.Expr] = {}
    for name in step.columns:
        values = present(column(name)).cast(pl.Float64)
        asked |= {f"{name}|min": values.min(), f"{name}|max": values.max()}
    return asked


@learn.register(MinMaxScale)
def _(step: MinMaxScale, answers: Mapping[str, Any]) -> Learned:
    low = {name: answers[f"{name}|min"] for name in step.columns}
    high = {name: answers[f"{name}|max"] for name in step.columns}
    must_have_learned(low, "a range")
    must_be_finite(high, "a range")
    return {"min": low, "range": {name: high[name] - low[name] or 1.0 for name in step.columns}}


@change.register(MinMaxScale)
def _(step: MinMaxScale, learned: Learned) -> Change:
    scaled = [_scaled(name, learned["min"], learned["range"]) for name in step.columns]
    return Change(columns=tuple(value.clip(0.0, 1.0) if step.clip else value for value in scaled))


@neutral.register(MinMaxScale)
def _(step: MinMaxScale, schema: Schema) -> Learned:  # noqa: ARG001
    return {"min": dict.fromkeys(step.columns, 0.0), "range": dict.fromkeys(step.columns, 1.0)}
