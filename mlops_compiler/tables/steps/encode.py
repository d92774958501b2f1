"""Put a number in the place of each level: its place in order, or how frequent it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from mlops_compiler.ir.ops.prepare import Frequency, Ordinal
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

UNSEEN = -1
"""The place of a level that the training rows do not have, and of what is missing."""


@statistics.register(Frequency)
@statistics.register(Ordinal)
def _(step: Frequency | Ordinal, column: Callable[[str], pl.Expr]) -> dict[str, pl.Expr]:
    if isinstance(step, Ordinal) and step.order is not None:
        return {}
    return level_counts(step.columns, column)


@adds_up.register(Frequency)
@adds_up.register(Ordinal)
def _(_step: Frequency | Ordinal) -> bool:
    return True


@learn.register(Frequency)
def _(step: Frequency, answers: Mapping[str, Any]) -> Learned:
    counted = {name: dict(counts(answers[name])) for name in step.columns}
    must_have_learned({name: levels or None for name, levels in counted.items()}, "frequencies")
    totals = {name: sum(levels.values()) for name, levels in counted.items()}
    return {
        "share": {
            name: {level: count / totals[name] for level, count in sorted(levels.items())}
            for name, levels in counted.items()
        }
    }


@change.register(Frequency)
def _(step: Frequency, learned: Learned) -> Change:
    return Change(columns=tuple(_replaced(name, learned["share"][name], 0.0, pl.Float64()) for name in step.columns))


@neutral.register(Frequency)
def _(step: Frequency, schema: Schema) -> Learned:  # noqa: ARG001
    return {"share": {name: {"": 1.0} for name in step.columns}}


@learn.register(Ordinal)
def _(step: Ordinal, answers: Mapping[str, Any]) -> Learned:
    if step.order is not None:
        return {"place": {name: _places(step.order) for name in step.columns}}
    found = {name: sorted(level for level, _ in counts(answers[name])) for name in step.columns}
    must_have_learned({name: levels or None for name, levels in found.items()}, "levels")
    return {"place": {name: _places(levels) for name, levels in found.items()}}


def _places(levels: tuple[str, ...] | list[str]) -> dict[str, int]:
    return {level: place for place, level in enumerate(levels)}


@change.register(Ordinal)
def _(step: Ordinal, learned: Learned) -> Change:
    places: Mapping[str, Mapping[str, int]] = learned.get("place") or {
        name: _places(step.order or ()) for name in step.columns
    }
    return Change(columns=tuple(_replaced(name, places[name], UNSEEN, pl.Int64()) for name in step.columns))


@neutral.register(Ordinal)
def _(step: Ordinal, schema: Schema) -> Learned:  # noqa: ARG001
    return {"place": {name: {"": 0} for name in step.columns}}


def _replaced(name: str, values: Mapping[str, float], otherwise: float, dtype: pl.DataType) -> pl.Expr:
    """Put a number for each level, and one for all that are not known; what is missing counts as not known."""
    level = as_level(pl.col(name))
    found = level.replace_strict(list(values), list(values.values()), default=otherwise, return_dtype=dtype)
    return pl.when(level.is_null()).then(pl.lit(otherwise, dtype=dtype)).otherwise(found).alias(name)
