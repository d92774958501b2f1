"""Put one level for all that are rare."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from mlops_compiler.ir.ops.prepare import GroupRare
from mlops_compiler.tables.steps.base import (
    Change,
    adds_up,
    as_level,
    change,
    counts,
    learn,
    level_counts,
    neutral,
    statistics,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from mlops_compiler.ir.schema import Schema
    from mlops_compiler.tables.steps.base import Learned


@statistics.register(GroupRare)
def _(step: GroupRare, column: Callable[[str], pl.Expr]) -> dict[str, pl.Expr]:
    return level_counts(step.columns, column)


@adds_up.register(GroupRare)
def _(_step: GroupRare) -> bool:
    return True


@learn.register(GroupRare)
def _(step: GroupRare, answers: Mapping[str, Any]) -> Learned:
    return {"common": {name: _common(step, counts(answers[name])) for name in step.columns}}


def _common(step: GroupRare, counted: list[tuple[str, int]]) -> list[str]:
    total = sum(count for _, count in counted)
    frequent = sorted((-count, level) for level, count in counted if count >= step.min_share * total)
    return sorted(level for _, level in frequent[: step.keep])


@change.register(GroupRare)
def _(step: GroupRare, learned: Learned) -> Change:
    return Change(columns=tuple(_grouped(name, learned["common"][name], step.level) for name in step.columns))


def _grouped(name: str, common: list[str], rare: str) -> pl.Expr:
    """Keep what is common; a level that was not known is rare, and what is missing stays missing."""
    level = as_level(pl.col(name))
    return pl.when(level.is_null() | level.is_in(common)).then(level).otherwise(pl.lit(rare)).alias(name)


@neutral.register(GroupRare)
def _(step: GroupRare, schema: Schema) -> Learned:  # noqa: ARG001
    return {"common": {name: [""] for name in step.columns}}
