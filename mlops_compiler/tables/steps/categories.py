"""Number the levels of a column, for models that take it as a category: what was not learned from has a number, too."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from mlops_compiler.ir.ops.prepare import Categories
from mlops_compiler.tables.steps.base import (
    Change,
    adds_up,
    as_level,
    change,
    counts,
    learn,
    level_counts,
    must_have_learned,
    neutral,
    statistics,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from mlops_compiler.ir.schema import Schema
    from mlops_compiler.tables.steps.base import Learned


@statistics.register(Categories)
def _(step: Categories, column: Callable[[str], pl.Expr]) -> dict[str, pl.Expr]:
    return level_counts(step.columns, column)


@adds_up.register(Categories)
def _(_step: Categories) -> bool:
    return True


@learn.register(Categories)
def _(step: Categories, answers: Mapping[str, Any]) -> Learned:
    frequent = {name: sorted((-count, level) for level, count in counts(answers[name])) for name in step.columns}
    must_have_learned({name: found or None for name, found in frequent.items()}, "levels")
    levels = {name: sorted(level for _, level in found[: step.max_levels]) for name, found in frequent.items()}
    return {"levels": levels}


@change.register(Categories)
def _(step: Categories, learned: Learned) -> Change:
    return Change(columns=tuple(_numbered(name, learned["levels"][name]) for name in step.columns))


@neutral.register(Categories)
def _(step: Categories, schema: Schema) -> Learned:  # noqa: ARG001
    return {"levels": {name: [""] for name in step.columns}}


def _numbered(name: str, levels: list[str]) -> pl.Expr:
    level, count = as_level(pl.col(name)), len(levels)
    found = level.replace_strict(levels, list(range(count)), default=count, return_dtype=pl.Int64())
    return pl.when(level.is_null()).then(pl.lit(count + 1, dtype=pl.Int64())).otherwise(found).alias(name)
