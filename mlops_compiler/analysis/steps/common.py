"""Each step of a recipe becomes an op with its columns resolved, and a schema that says what it gives."""

from __future__ import annotations

from dataclasses import fields
from functools import singledispatch
from typing import TYPE_CHECKING, Any

import polars as pl

from mlops_compiler.analysis import wording
from mlops_compiler.frontend.provenance import within
from mlops_compiler.recipe import prepare as steps
from mlops_compiler.tables.expressions import NotRowWiseError, infer_expression, parse_expression
from mlops_compiler.tables.infer import infer
from mlops_compiler.tables.steps import makes, removes

if TYPE_CHECKING:
    from mlops_compiler.analysis.site import Site, Use
    from mlops_compiler.ir.ops import prepare as ops
    from mlops_compiler.ir.schema import Schema


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
    return removes(step)


def made_by(step: steps.Step) -> set[str]:
    """Name the columns that a step of the recipe derives, or would derive if it were right."""
    return set(step.columns) if isinstance(step, steps.Derive | steps.Ratio | steps.Cross) else set()


def named_by_itself(step: steps.Step, op: ops.StepOp) -> set[str]:
    """Name the columns that a step makes under names that the recipe does not say."""
    said = isinstance(step, steps.Derive | steps.Ratio | steps.Cross | steps.Sql | steps.Rename)
    return set() if said else set(makes(op))


@singledispatch
def resolve(step: steps.Step, site: Site) -> ops.StepOp | None:
    """Turn a step of the recipe into an op; None where too little of it is right to go on with."""
    raise TypeError(f"no op for {step!r} at {site.name}")


def expression_fits(site: Site, text: str, path: tuple[str, ...], use: Use) -> bool:
    """Check an expression: its syntax, its columns, its types, and that it needs one row only."""
    span = site.span(*path)
    span = within(span, text) if span else None
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


def quoted(name: str) -> str:
    """Write a column's name as SQL reads it."""
    return '"' + name.replace('"', '""') + '"'


def copied(step: steps.Step, op: type[ops.StepOp], columns: tuple[str, ...], **found: Any) -> ops.StepOp | None:
    """Make an op that says what the step says, with the columns and whatever else was found; None without columns."""
    names = {field.name for field in fields(op)} - {"columns", *found}
    said: dict[str, Any] = {name: getattr(step, name) for name in names}
    return op(columns=columns, **said, **found) if columns else None  # type: ignore[call-arg]
