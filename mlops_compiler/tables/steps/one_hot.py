"""One indicator for each level."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from mlops_compiler.diagnostics import DataError, Diagnostic, Note
from mlops_compiler.ir.ops.prepare import OneHot
from mlops_compiler.tables.casts import SAMPLES
from mlops_compiler.tables.steps.base import (
    Change,
    adds_up,
    as_level,
    change,
    counts,
    learn,
    level_counts,
    neutral,
    opens,
    removes,
    statistics,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from mlops_compiler.ir.schema import Schema
    from mlops_compiler.tables.steps.base import Learned


RARE = "(rare)"
"""Stands for the levels that have no indicator of their own."""
_HIDDEN = "\x00level|"
"""Before the name of a column: its values as levels, written once for all indicators."""


@opens.register(OneHot)
def _(step: OneHot) -> dict[str, tuple[str, ...]]:
    return {f"{name}=*": (name,) for name in step.columns}


@removes.register(OneHot)
def _(step: OneHot) -> tuple[str, ...]:
    return step.columns


@statistics.register(OneHot)
def _(step: OneHot, column: Callable[[str], pl.Expr]) -> dict[str, pl.Expr]:
    return level_counts(step.columns, column)


@adds_up.register(OneHot)
def _(_step: OneHot) -> bool:
    return True


@learn.register(OneHot)
def _(step: OneHot, answers: Mapping[str, Any]) -> Learned:
    levels: dict[str, list[str]] = {}
    rare: list[str] = []
    for name in step.columns:
        counted = sorted((-count, level) for level, count in counts(answers[name]))
        if len(counted) > step.max_levels:
            if step.rare == "error":
                raise DataError([_too_many_levels(name, counted, step.max_levels)])
            rare.append(name)
        grouped = {RARE} if name in rare else set()  # a level of that name is one of the group
        levels[name] = sorted({level for _, level in counted[: step.max_levels]} - grouped)
    return {"levels": levels, "rare": rare}


@change.register(OneHot)
def _(step: OneHot, learned: Learned) -> Change:
    made: list[pl.Expr] = []
    for name in step.columns:
        value, levels = pl.col(_HIDDEN + name), learned["levels"][name]
        made += [value.eq_missing(pl.lit(level)).cast(pl.UInt8).alias(f"{name}={level}") for level in levels]
        if name in learned["rare"]:
            rare = value.is_not_null() & ~value.is_in(levels)
            made.append(rare.fill_null(value=False).cast(pl.UInt8).alias(f"{name}={RARE}"))
    once = tuple(as_level(pl.col(name)).alias(_HIDDEN + name) for name in step.columns)
    return Change(once=once, columns=tuple(made), remove=(*step.columns, *(_HIDDEN + name for name in step.columns)))


@neutral.register(OneHot)
def _(step: OneHot, schema: Schema) -> Learned:  # noqa: ARG001
    return {"levels": {name: [] for name in step.columns}, "rare": []}


def _too_many_levels(name: str, counted: Sequence[tuple[int, str]], most: int) -> Diagnostic:
    rarest = ", ".join(f"{level!r} ({-count})" for count, level in counted[most:][-SAMPLES:])
    return Diagnostic(
        code="too-many-levels",
        headline=f"column `{name}` has {len(counted)} levels, more than `max_levels: {most}`",
        notes=(Note(text=f"the rarest, with their training rows: {rarest}"),),
        help="raise `max_levels`, or group the rare ones with `rare: group`",
    )
