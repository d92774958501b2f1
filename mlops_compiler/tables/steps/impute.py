"""Fill what is missing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from mlops_compiler.diagnostics import DataError
from mlops_compiler.ir.ops.prepare import Impute
from mlops_compiler.tables.steps.base import (
    Change,
    change,
    learn,
    must_be_finite,
    neutral,
    nothing_to_learn,
    present,
    statistics,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from mlops_compiler.ir.schema import Schema
    from mlops_compiler.tables.steps.base import Learned


@statistics.register(Impute)
def _(step: Impute, column: Callable[[str], pl.Expr]) -> dict[str, pl.Expr]:
    match step.statistic:
        case None:
            return {}
        case "mean":
            return {name: present(column(name)).mean() for name in step.columns}
        case "median":
            return {name: present(column(name)).median() for name in step.columns}
        case "mode":  # the smallest of the most frequent values, so that ties do not depend on the order of rows
            return {name: present(column(name)).mode().sort().first() for name in step.columns}


@learn.register(Impute)
def _(step: Impute, answers: Mapping[str, Any]) -> Learned:
    if step.statistic is None:
        return {}
    empty = [name for name in step.columns if answers[name] is None]
    if empty:
        raise DataError([nothing_to_learn(empty, f"the {step.statistic}")])
    must_be_finite({name: answers[name] for name in step.columns}, f"the {step.statistic}")
    return {"fill": {name: answers[name] for name in step.columns}}


@change.register(Impute)
def _(step: Impute, learned: Learned) -> Change:
    fill = learned.get("fill", {})
    return Change(columns=tuple(_fill(name, fill.get(name, step.value)) for name in step.columns))


@neutral.register(Impute)
def _(step: Impute, schema: Schema) -> Learned:
    if step.statistic is None:
        return {}
    return {"fill": {name: _zero(schema[name].dtype, step.statistic) for name in step.columns}}


def _fill(name: str, value: Any) -> pl.Expr:
    filled = pl.col(name).fill_null(pl.lit(value))
    return filled.fill_nan(value) if isinstance(value, float) else filled


def _zero(dtype: pl.DataType, statistic: str) -> Any:
    if dtype == pl.String:
        return ""
    if dtype == pl.Boolean:
        return False
    return 0 if statistic == "mode" and dtype.is_integer() else 0.0
