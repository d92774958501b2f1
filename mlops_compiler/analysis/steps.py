"""Each step of a recipe becomes an op with its columns resolved, and a schema that says what it gives."""

from __future__ import annotations

from functools import singledispatch
from typing import TYPE_CHECKING

import polars as pl

from mlops_compiler.analysis import wording, wording_data
from mlops_compiler.frontend.provenance import within
from mlops_compiler.ir.ops import prepare as ops
from mlops_compiler.ir.schema import dtype_name
from mlops_compiler.recipe import prepare as steps
from mlops_compiler.tables.expressions import NotRowWiseError, infer_expression, parse_expression
from mlops_compiler.tables.infer import infer
from mlops_compiler.tables.steps import writes

if TYPE_CHECKING:
    from mlops_compiler.analysis.site import Site, Use
    from mlops_compiler.ir.schema import Schema

_STATISTICS = ("mean", "median", "mode")


def step_schema(step: ops.StepOp, site: Site) -> Schema:
    """Infer what a step gives; where its types do not fit, report that and go on with what reached it."""
    try:
        return infer(step, site.schema)
    except pl.exceptions.PolarsError as error:
        reason = str(error).strip().split("\n", 1)[0]
        site.sink.add(wording.step_types(site.name, reason, site.places.key_span(("prepare", site.name))))
    return site.schema


def removed_by(step: ops.StepOp) -> tuple[str, ...]:
    """Name the columns that a step removes."""
    return writes(step) if isinstance(step, ops.Drop | ops.OneHot) else ()


def made_by(step: steps.Step) -> set[str]:
    """Name the columns that a step of the recipe derives, or would derive if it were right."""
    return set(step.columns) if isinstance(step, steps.Derive) else set()


@singledispatch
def resolve(step: steps.Step, site: Site) -> ops.StepOp | None:
    """Turn a step of the recipe into an op; None where too little of it is right to go on with."""
    raise TypeError(f"no op for {step!r} at {site.name}")


@resolve.register(steps.Impute)
def _(step: steps.Impute, site: Site) -> ops.StepOp | None:
    columns = site.columns(step.columns)
    if step.with_ in _STATISTICS:
        if step.with_ != "mode":
            columns = site.numbers(columns, f"numbers to take the {step.with_} of")
        else:
            columns = site.no_times(columns, "numbers, texts or booleans to take the mode of")
        return ops.Impute(columns=columns, statistic=step.with_) if columns else None  # type: ignore[arg-type]
    fitting = tuple(name for name in columns if _holds(site, name, step.with_))
    if not fitting:
        return None
    floats = any(site.schema[name].dtype.is_float() for name in fitting)
    return ops.Impute(
        columns=fitting, value=float(step.with_) if floats and not isinstance(step.with_, str) else step.with_
    )


def _holds(site: Site, name: str, value: object) -> bool:
    column = site.schema[name]
    fits = isinstance(value, str) if column.is_categorical else not isinstance(value, str)
    if fits and not column.dtype.is_temporal():
        return True
    wanted = "a column of texts" if isinstance(value, str) else "a column of numbers"
    site.sink.add(wording.wrong_column_type(site.name, column, f"{wanted} to fill with {value!r}", site.span("with")))
    return False


@resolve.register(steps.Derive)
def _(step: steps.Derive, site: Site) -> ops.StepOp | None:
    good = [
        (name, text) for name, text in step.columns.items() if _expression(site, text, ("columns", name), "derives")
    ]
    for name, _text in good:
        if name in site.schema and not site.allowed(
            name, site.places.key_span(("prepare", site.name, "columns", name))
        ):
            return None
        if name.endswith("*"):
            site.sink.add(
                wording_data.starred_name(name, site.places.key_span(("prepare", site.name, "columns", name)))
            )
        site.no_indicator(name, site.places.key_span(("prepare", site.name, "columns", name)))
    return ops.Derive(expressions=tuple(good)) if good else None


@resolve.register(steps.Filter)
def _(step: steps.Filter, site: Site) -> ops.StepOp | None:
    if not _expression(site, step.where, ("where",), "filters"):
        return None
    dtype = infer_expression(step.where, site.schema.empty_frame().schema)
    if dtype != pl.Boolean:
        reason = f"a filter needs true or false for each row; this gives {dtype_name(dtype)}"
        site.sink.add(wording.bad_expression(site.name, step.where, reason, site.span("where")))
        return None
    return ops.Filter(where=step.where, max_loss=step.max_loss)


def _expression(site: Site, text: str, path: tuple[str, ...], use: Use) -> bool:
    """Check an expression: its syntax, its columns, its types, and that it needs one row only."""
    span = site.span(*path)
    try:
        _, roots = parse_expression(text)
        missing = [name for name in roots if name not in site.schema]
        for name in missing:
            site.missing(name, within(span, name) if span else None)
        words = {name: within(span, name) if span else None for name in roots if name not in missing}
        allowed = [site.allowed(name, word, use) for name, word in words.items()]
        if missing or not all(allowed):
            return False
        infer_expression(text, site.schema.empty_frame().schema)
    except NotRowWiseError:
        site.sink.add(wording.not_row_wise(site.name, text, span))
        return False
    except pl.exceptions.PolarsError as error:
        site.sink.add(wording.bad_expression(site.name, text, str(error).strip().split("\n", 1)[0], span))
        return False
    return True


@resolve.register(steps.Log1p)
def _(step: steps.Log1p, site: Site) -> ops.StepOp | None:
    columns = site.numbers(site.columns(step.columns))
    return ops.Log1p(columns=columns) if columns else None


@resolve.register(steps.Standardize)
def _(step: steps.Standardize, site: Site) -> ops.StepOp | None:
    columns = site.numbers(site.columns(step.columns))
    return ops.Standardize(columns=columns) if columns else None


@resolve.register(steps.RobustScale)
def _(step: steps.RobustScale, site: Site) -> ops.StepOp | None:
    columns = site.numbers(site.columns(step.columns))
    return ops.RobustScale(columns=columns) if columns else None


@resolve.register(steps.MinMaxScale)
def _(step: steps.MinMaxScale, site: Site) -> ops.StepOp | None:
    columns = site.numbers(site.columns(step.columns))
    return ops.MinMaxScale(columns=columns, clip=step.clip) if columns else None


@resolve.register(steps.Clip)
def _(step: steps.Clip, site: Site) -> ops.StepOp | None:
    columns = site.numbers(site.columns(step.columns))
    if not columns:
        return None
    return ops.Clip(columns=columns, lower=step.lower, upper=step.upper, iqr=step.iqr)


@resolve.register(steps.Bins)
def _(step: steps.Bins, site: Site) -> ops.StepOp | None:
    columns = site.numbers(site.columns(step.columns))
    if not columns:
        return None
    return ops.Bins(columns=columns, edges=step.edges, quantiles=step.quantiles, equal_width=step.equal_width)


@resolve.register(steps.Ordinal)
def _(step: steps.Ordinal, site: Site) -> ops.StepOp | None:
    columns = site.no_times(site.columns(step.columns), "texts, numbers or booleans to put in order")
    return ops.Ordinal(columns=columns, order=step.order) if columns else None


@resolve.register(steps.Frequency)
def _(step: steps.Frequency, site: Site) -> ops.StepOp | None:
    columns = site.columns(step.columns)
    return ops.Frequency(columns=columns) if columns else None


@resolve.register(steps.OneHot)
def _(step: steps.OneHot, site: Site) -> ops.StepOp | None:
    columns = site.columns(step.columns)
    for name in site.schema.names:
        site.no_indicator(name, site.span("columns"), columns)
    return ops.OneHot(columns=columns, max_levels=step.max_levels, rare=step.rare) if columns else None


@resolve.register(steps.Drop)
def _(step: steps.Drop, site: Site) -> ops.StepOp | None:
    columns = site.columns(step.columns)
    return ops.Drop(columns=columns) if columns else None


@resolve.register(steps.Cast)
def _(step: steps.Cast, site: Site) -> ops.StepOp | None:
    columns = site.columns(step.columns)
    return ops.Cast(columns=columns, to=step.to) if columns else None
