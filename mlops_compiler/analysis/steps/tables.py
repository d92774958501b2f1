"""Steps on whole tables: which columns and rows there are, and what is computed from several."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from mlops_compiler.analysis import wording, wording_data, wording_steps
from mlops_compiler.analysis.steps.common import copied, expression_fits, quoted, resolve
from mlops_compiler.analysis.steps.select_list import SelectList, select_list
from mlops_compiler.frontend.provenance import within
from mlops_compiler.ir.ops import prepare as ops
from mlops_compiler.ir.schema import Role, dtype_name
from mlops_compiler.ir.task import has_classes, learns_from_target
from mlops_compiler.recipe import prepare as steps
from mlops_compiler.recipe.steps.base import names_of
from mlops_compiler.tables.expressions import infer_expression

if TYPE_CHECKING:
    from mlops_compiler.analysis.site import Site


@resolve.register(steps.Derive)
def _(step: steps.Derive, site: Site) -> ops.StepOp | None:
    good = [
        (name, text) for name, text in step.columns.items() if expression_fits(site, text, ("columns", name), "derives")
    ]
    return ops.Derive(expressions=tuple(good)) if _may_be_made(site, [name for name, _ in good]) and good else None


def _may_be_made(site: Site, names: list[str]) -> bool:
    """Check the names of new columns."""
    for name in names:
        span = site.places.key_span(("prepare", site.name, "columns", name)) or site.span("query")
        if not name:
            site.sink.add(wording_data.empty_name(site.name, span))
            return False
        if name in site.schema and not site.allowed(name, span):
            return False
        if name.endswith("*"):
            site.sink.add(wording_data.starred_name(name, span))
        site.no_indicator(name, span)
    return True


@resolve.register(steps.Ratio)
def _(step: steps.Ratio, site: Site) -> ops.StepOp | None:
    made = []
    for name, pair in step.columns.items():
        found = site.numbers(site.named(pair, "columns", name), "numbers to divide", "columns", name)
        if len(found) == len(pair):
            over, under = (f"CAST({quoted(column)} AS DOUBLE)" for column in pair)
            made.append((name, f"{over} / NULLIF({under}, 0)"))
    return ops.Derive(expressions=tuple(made)) if _may_be_made(site, [name for name, _ in made]) and made else None


@resolve.register(steps.Cross)
def _(step: steps.Cross, site: Site) -> ops.StepOp | None:
    made = []
    for name, parts in step.columns.items():
        if len(site.named(parts, "columns", name)) == len(parts):
            made.append((name, " || ' & ' || ".join(f"CAST({quoted(part)} AS VARCHAR)" for part in parts)))
    return ops.Derive(expressions=tuple(made)) if _may_be_made(site, [name for name, _ in made]) and made else None


@resolve.register(steps.Sql)
def _(step: steps.Sql, site: Site) -> ops.StepOp | None:
    span = site.span("query")
    try:
        chosen = select_list(step.query)
    except ValueError as error:
        site.sink.add(wording.bad_expression(site.name, step.query, str(error), span))
        return None
    for name in (*chosen.plain, *chosen.without):
        if name not in site.schema:
            site.missing(name, within(span, name) if span else None)
            return None
    if not all(expression_fits(site, text, ("query",), "derives") for _, text in chosen.made):
        return None
    if not _may_be_made(site, [name for name, _ in chosen.made]):
        return None
    gone = _left_out(chosen, site)
    if chosen.made:
        return ops.Derive(expressions=chosen.made, remove=gone)
    return ops.Drop(columns=gone) if gone else None


def _left_out(chosen: SelectList, site: Site) -> tuple[str, ...]:
    """Name the features that a SELECT leaves out; the other columns stay whatever it says."""
    made = {name for name, _ in chosen.made}
    kept = (set(site.schema.names) - set(chosen.without) if chosen.star else set(chosen.plain)) | made
    return tuple(
        column.name
        for column in site.schema
        if column.role is Role.FEATURE and not column.is_open and column.name not in kept
    )


@resolve.register(steps.Rename)
def _(step: steps.Rename, site: Site) -> ops.StepOp | None:
    pairs = []
    for old, new in step.columns.items():
        span = site.places.key_span(("prepare", site.name, "columns", old))
        if old not in site.schema:
            site.missing(old, span)
            continue
        if not site.allowed(old, span):
            continue
        value = site.span("columns", old)
        if not new:
            site.sink.add(wording_data.empty_name(site.name, value))
            continue
        if new in site.schema and new not in step.columns:
            site.sink.add(wording_steps.name_taken(site.name, new, value))
            continue
        if new.endswith("*"):
            site.sink.add(wording_data.starred_name(new, value))
        site.no_indicator(new, value)
        pairs.append((old, new))
    return ops.Rename(names=tuple(pairs)) if pairs else None


@resolve.register(steps.Drop)
def _(step: steps.Drop, site: Site) -> ops.StepOp | None:
    return copied(step, ops.Drop, site.columns(step.columns))


@resolve.register(steps.Filter)
def _(step: steps.Filter, site: Site) -> ops.StepOp | None:
    if not expression_fits(site, step.where, ("where",), "filters"):
        return None
    dtype = infer_expression(step.where, site.schema.empty_frame().schema)
    if dtype != pl.Boolean:
        reason = f"a filter needs true or false for each row; this gives {dtype_name(dtype)}"
        site.sink.add(wording.bad_expression(site.name, step.where, reason, site.span("where")))
        return None
    return ops.Filter(where=step.where, max_loss=step.max_loss)


@resolve.register(steps.Deduplicate)
def _(step: steps.Deduplicate, site: Site) -> ops.StepOp | None:
    return copied(step, ops.Deduplicate, site.columns(step.columns))


@resolve.register(steps.Balance)
def _(step: steps.Balance, site: Site) -> ops.StepOp | None:
    if not has_classes(site.task):
        site.sink.add(
            wording_steps.not_for_task(site.name, step.op, "a target of classes", "remove it", site.span("op"))
        )
        return None
    return ops.Balance(method=step.method, seed=site.seed)


@resolve.register(steps.GroupAggregate)
def _(step: steps.GroupAggregate, site: Site) -> ops.StepOp | None:
    by = site.named(names_of(step.by), "by")
    columns = site.numbers(tuple(name for name in site.columns(step.columns) if name not in by), "numbers to summarise")
    if not columns or not by:
        return None
    return ops.Aggregate(columns=columns, by=by, statistics=step.statistics)


@resolve.register(steps.SelectKBest)
def _(step: steps.SelectKBest, site: Site) -> ops.StepOp | None:
    if not learns_from_target(site.task):
        advice = "choose by `drop_constant` or `drop_correlated`, which need none"
        site.sink.add(wording_steps.not_for_task(site.name, step.op, "a target", advice, site.span("op")))
        return None
    return copied(step, ops.SelectKBest, site.ready(step.columns), continuous=site.task == "regression")


@resolve.register(steps.DropConstant)
def _(step: steps.DropConstant, site: Site) -> ops.StepOp | None:
    return copied(step, ops.DropConstant, site.ready(step.columns))


@resolve.register(steps.DropCorrelated)
def _(step: steps.DropCorrelated, site: Site) -> ops.StepOp | None:
    return copied(step, ops.DropCorrelated, site.ready(step.columns))
