"""A fitted step as a change of one row: by Python where it computes what Polars does, else by the step itself.

A row is a mapping of column to value, None where there is none, and a step changes it in place. What the columns are
is known beforehand: the step has run on a table without rows.
"""

from __future__ import annotations

import math
from functools import singledispatch
from typing import TYPE_CHECKING, Any, TypeAlias

import polars as pl

from mlops_compiler.diagnostics import DataError
from mlops_compiler.ir.ops.prepare import Derive, Impute, Log1p, MinMaxScale, Rename, RobustScale, Standardize
from mlops_compiler.serving.compiled.expressions import compile_expression, kind_of
from mlops_compiler.serving.compiled.signals import Beyond, Uncompiled
from mlops_compiler.tables.expressions import parse_expression
from mlops_compiler.tables.steps import reads, removes, writes
from mlops_compiler.tables.steps.impute import indicator_name

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from mlops_compiler.ir.ops.prepare import StepOp
    from mlops_compiler.tables.applied import FittedStep
    from mlops_compiler.tables.steps import Learned

    Values: TypeAlias = dict[str, Any]
    Schema: TypeAlias = Mapping[str, pl.DataType]
    Act: TypeAlias = Callable[[Values], None]


def compile_step(fitted: FittedStep, before: Schema) -> tuple[Act, Schema, bool]:
    """Compile a step.

    Args:
        fitted: The step, fitted.
        before: The columns that reach it.

    Returns:
        What it does to a row, the columns that leave it, and whether it does without Polars.
    """
    after = fitted.change.apply(pl.DataFrame(schema=before), "serving").schema
    change = fitted.change
    try:
        if not (change.columns or change.once or change.casts):
            return without(change.remove), after, True
        return act_of(fitted.step, fitted.learned, before, after), after, True
    except Uncompiled:
        return _by_polars(fitted, before), after, False


@singledispatch
def act_of(step: StepOp, learned: Learned, before: Schema, after: Schema) -> Act:
    """Say what a step does to a row.

    Args:
        step: The step.
        learned: What it learned.
        before: The columns that reach it.
        after: The columns that leave it.

    Raises:
        Uncompiled: It has no compiled form.
    """
    raise Uncompiled(f"{step!r}, {learned!r}, {before!r}, {after!r}")


def without(columns: Sequence[str]) -> Act:
    """Remove columns."""

    def act(values: Values) -> None:
        for name in columns:
            del values[name]

    return act


def _by_polars(fitted: FittedStep, before: Schema) -> Act:
    """Run the step on a table of the columns that it is about, and as in a table of one row: beside a copy."""
    about = {*reads(fitted.step), *writes(fitted.step), *removes(fitted.step)}
    schema = {name: dtype for name, dtype in before.items() if name in about} or dict(list(before.items())[:1])

    def act(values: Values) -> None:
        rows = pl.DataFrame({name: [values[name]] * 2 for name in schema}, schema=schema)
        try:
            made = fitted.apply(rows, "serving")
        except (DataError, pl.exceptions.PolarsError) as error:
            raise Beyond(str(error)) from error
        for name in schema:
            del values[name]
        values.update(zip(made.columns, made.row(0), strict=True))

    return act


@act_of.register(Impute)
def _(step: Impute, learned: Learned, before: Schema, after: Schema) -> Act:
    if step.by:
        raise Uncompiled("groups")
    fill = learned.get("fill", {})
    fills = tuple(_filled(name, fill.get(name, step.value), before[name], after[name]) for name in step.columns)
    flags = tuple((name, indicator_name(name)) for name in step.columns) if step.indicator else ()

    def act(values: Values) -> None:
        for name, flag in flags:
            value = values[name]
            values[flag] = int(value is None or value != value)  # noqa: PLR0124 - NaN
        for name, filled, fills_nan, widens in fills:
            value = values[name]
            if value is None or (fills_nan and value != value):  # noqa: PLR0124
                values[name] = filled
            elif widens:
                values[name] = float(value)

    return act


def _filled(name: str, value: Any, before: pl.DataType, after: pl.DataType) -> tuple[str, Any, bool, bool]:
    """Give a column with its value for what is missing, whether NaN is, and whether others become floats."""
    found, made = kind_of(before), kind_of(after)
    if found != made and (found, made) != ("int", "float"):
        raise Uncompiled(f"{found} becomes {made}")
    fills_nan = isinstance(value, float)
    return name, float(value) if made == "float" else value, fills_nan, found != made


@act_of.register(Derive)
def _(step: Derive, learned: Learned, before: Schema, after: Schema) -> Act:  # noqa: ARG001
    made = []
    for name, text in step.expressions:
        node = compile_expression(parse_expression(text)[0], before)
        if node.constant or kind_of(after[name]) != node.kind:
            raise Uncompiled(text)
        made.append((name, node.value))
    remove = without(step.remove)

    def act(values: Values) -> None:
        found = [(name, value(values)) for name, value in made]
        values.update(found)
        remove(values)

    return act


@act_of.register(Rename)
def _(step: Rename, learned: Learned, before: Schema, after: Schema) -> Act:  # noqa: ARG001
    remove = without(removes(step))

    def act(values: Values) -> None:
        values.update([(new, values[old]) for old, new in step.names])
        remove(values)

    return act


@act_of.register(Log1p)
def _(step: Log1p, learned: Learned, before: Schema, after: Schema) -> Act:  # noqa: ARG001
    def act(values: Values) -> None:
        for name in step.columns:
            value = values[name]
            if value is None:
                continue
            if value < 0:
                raise Beyond("a negative number")
            values[name] = math.log1p(value)

    _numbers(step.columns, before)
    return act


@act_of.register(Standardize)
def _(step: Standardize, learned: Learned, before: Schema, after: Schema) -> Act:  # noqa: ARG001
    return _scaled(step.columns, learned["mean"], learned["std"], before)


@act_of.register(RobustScale)
def _(step: RobustScale, learned: Learned, before: Schema, after: Schema) -> Act:  # noqa: ARG001
    return _scaled(step.columns, learned["median"], learned["spread"], before)


@act_of.register(MinMaxScale)
def _(step: MinMaxScale, learned: Learned, before: Schema, after: Schema) -> Act:  # noqa: ARG001
    scaled = _scaled(step.columns, learned["min"], learned["range"], before)
    if not step.clip:
        return scaled

    def act(values: Values) -> None:
        scaled(values)
        for name in step.columns:
            if (value := values[name]) is not None:
                values[name] = 0.0 if value < 0.0 else min(value, 1.0)

    return act


def _scaled(columns: Sequence[str], centre: Mapping[str, float], spread: Mapping[str, float], before: Schema) -> Act:
    """Centre and divide, which Polars does as a product with the reciprocal."""
    _numbers(columns, before)
    scales = tuple((name, float(centre[name]), 1.0 / float(spread[name])) for name in columns)

    def act(values: Values) -> None:
        for name, middle, factor in scales:
            if (value := values[name]) is not None:
                values[name] = (float(value) - middle) * factor

    return act


def _numbers(columns: Sequence[str], before: Schema) -> None:
    if any(kind_of(before[name]) not in ("int", "float") for name in columns):
        raise Uncompiled("no numbers")
