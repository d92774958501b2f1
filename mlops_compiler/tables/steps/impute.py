"""Fill what is missing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl
import polars.selectors as cs

from mlops_compiler.diagnostics import DataError
from mlops_compiler.ir.ops.prepare import Impute, ImputeModel
from mlops_compiler.tables.steps.base import (
    Change,
    change,
    learn,
    makes,
    must_be_finite,
    neutral,
    nothing_to_learn,
    present,
    reads,
    statistics,
)
from mlops_compiler.tables.steps.groups import by_group, group_key, looked_up

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from mlops_compiler.ir.schema import Schema
    from mlops_compiler.tables.steps.base import Learned

_DTYPES: dict[type, pl.DataType] = {str: pl.String(), bool: pl.Boolean(), int: pl.Int64(), float: pl.Float64()}


@reads.register(Impute)
def _(step: Impute) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*step.columns, *step.by)))


@makes.register(Impute)
@makes.register(ImputeModel)
def _(step: Impute | ImputeModel) -> dict[str, tuple[str, ...]]:
    return {indicator_name(name): (name,) for name in step.columns} if step.indicator else {}


def indicator_name(column: str) -> str:
    """Name the column that says what was missing."""
    return f"{column}_missing"


def indicators(step: Impute | ImputeModel) -> tuple[pl.Expr, ...]:
    """Say of each value whether it is missing, where the step wants that."""
    if not step.indicator:
        return ()
    return tuple(missing(name).cast(pl.UInt8).alias(indicator_name(name)) for name in step.columns)


def missing(name: str) -> pl.Expr:
    """Whether a value is null, or NaN where it is a number that can be."""
    return pl.any_horizontal(pl.col(name).is_null(), (cs.by_name(name) & cs.float()).is_nan()).fill_null(value=True)


@statistics.register(Impute)
def _(step: Impute, column: Callable[[str], pl.Expr]) -> dict[str, pl.Expr]:
    if step.statistic is None:
        return {}
    asked = {name: _statistic(step, column(name)) for name in step.columns}
    if not step.by:
        return asked
    key = group_key(step.by, column)
    groups = {f"{name}|by": by_group(key, {"value": _statistic(step, column(name))}) for name in step.columns}
    return {**asked, **groups}


def _statistic(step: Impute, values: pl.Expr) -> pl.Expr:
    match step.statistic:
        case "mean":
            return present(values).mean()
        case "median":
            return present(values).median()
        case _:  # the smallest of the most frequent values, so that ties do not depend on the order of rows
            return present(values).mode().sort().first()


@learn.register(Impute)
def _(step: Impute, answers: Mapping[str, Any]) -> Learned:
    if step.statistic is None:
        return {}
    empty = [name for name in step.columns if answers[name] is None]
    if empty:
        raise DataError([nothing_to_learn(empty, f"the {step.statistic}")])
    must_be_finite({name: answers[name] for name in step.columns}, f"the {step.statistic}")
    fill = {name: answers[name] for name in step.columns}
    if not step.by:
        return {"fill": fill}
    groups = {
        name: dict(sorted((item["key"], item["value"]) for item in answers[f"{name}|by"] if item["value"] is not None))
        for name in step.columns
    }
    for name, values in groups.items():
        must_be_finite({name: sum(value for value in values.values() if isinstance(value, float))}, "a group")
    return {"fill": fill, "groups": groups}


@change.register(Impute)
def _(step: Impute, learned: Learned) -> Change:
    fill, groups = learned.get("fill", {}), learned.get("groups", {})
    filled = [_fill(step, name, fill.get(name, step.value), groups.get(name)) for name in step.columns]
    return Change(columns=(*filled, *indicators(step)))


@neutral.register(Impute)
def _(step: Impute, schema: Schema) -> Learned:
    if step.statistic is None:
        return {}
    fill = {name: _zero(schema[name].dtype, step.statistic) for name in step.columns}
    return {"fill": fill, "groups": {name: {"": value} for name, value in fill.items()}} if step.by else {"fill": fill}


def _fill(step: Impute, name: str, value: Any, groups: Mapping[str, Any] | None) -> pl.Expr:
    if groups is None:
        filled = pl.col(name).fill_null(pl.lit(value))
        return filled.fill_nan(value) if isinstance(value, float) else filled
    of_group = looked_up(group_key(step.by), groups, value, _DTYPES[type(value)])
    filled = pl.col(name).fill_null(of_group)
    return filled.fill_nan(of_group) if isinstance(value, float) else filled


def _zero(dtype: pl.DataType, statistic: str) -> Any:
    if dtype == pl.String:
        return ""
    if dtype == pl.Boolean:
        return False
    return 0 if statistic == "mode" and dtype.is_integer() else 0.0
