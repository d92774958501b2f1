"""Add what the training rows of the same group are like."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import polars as pl

from mlops_compiler.ir.ops.prepare import Aggregate
from mlops_compiler.tables.steps.base import (
    Change,
    change,
    learn,
    makes,
    must_be_finite,
    narrow,
    neutral,
    present,
    reads,
    statistics,
    writes,
)
from mlops_compiler.tables.steps.groups import by_group, group_key, looked_up

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from collections.abc import Set as AbstractSet

    from mlops_compiler.ir.schema import Schema
    from mlops_compiler.tables.steps.base import Learned

_STATISTICS: dict[str, Callable[[pl.Expr], pl.Expr]] = {
    "mean": pl.Expr.mean,
    "median": pl.Expr.median,
    "min": pl.Expr.min,
    "max": pl.Expr.max,
    "std": lambda values: values.std(ddof=0),
    "count": pl.Expr.count,
}


def made_by(step: Aggregate) -> dict[str, tuple[str, str]]:
    """Map each column that is made to the column and the statistic that it holds."""
    by = "_".join(step.by)
    return {f"{name}_{kind}_by_{by}": (name, kind) for name in step.columns for kind in step.statistics}


@reads.register(Aggregate)
def _(step: Aggregate) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*step.columns, *step.by)))


@makes.register(Aggregate)
def _(step: Aggregate) -> dict[str, tuple[str, ...]]:
    return {made: (name, *step.by) for made, (name, _) in made_by(step).items()}


@writes.register(Aggregate)
def _(step: Aggregate) -> tuple[str, ...]:
    return tuple(made_by(step))


@narrow.register(Aggregate)
def _(step: Aggregate, live: AbstractSet[str]) -> Aggregate | None:
    needed = {name for made, (name, _) in made_by(step).items() if made in live}
    return replace(step, columns=tuple(name for name in step.columns if name in needed)) if needed else None


@statistics.register(Aggregate)
def _(step: Aggregate, column: Callable[[str], pl.Expr]) -> dict[str, pl.Expr]:
    values = {
        made: _STATISTICS[kind](present(column(name).cast(pl.Float64))).cast(pl.Float64)
        for made, (name, kind) in made_by(step).items()
    }
    return {**values, "|by": by_group(group_key(step.by, column), values)}


@learn.register(Aggregate)
def _(step: Aggregate, answers: Mapping[str, Any]) -> Learned:
    made = made_by(step)
    overall = {name: 0.0 if kind == "count" else answers[name] for name, (_, kind) in made.items()}
    rows = sorted(answers["|by"], key=lambda item: item["key"])
    groups = {name: {row["key"]: row[name] for row in rows if row[name] is not None} for name in made}
    for name, values in groups.items():
        must_be_finite({name: _extreme([*values.values(), overall[name]])}, "statistics")
    return {"all": overall, "groups": groups}


def _extreme(values: list[float | None]) -> float:
    """Sum what is there: infinite, or no number, where one of them is."""
    return sum(value for value in values if value is not None)


@change.register(Aggregate)
def _(step: Aggregate, learned: Learned) -> Change:
    key = group_key(step.by)
    return Change(
        columns=tuple(
            looked_up(key, learned["groups"][made], learned["all"][made], pl.Float64()).alias(made)
            for made in made_by(step)
        )
    )


@neutral.register(Aggregate)
def _(step: Aggregate, schema: Schema) -> Learned:  # noqa: ARG001
    return {"all": dict.fromkeys(made_by(step), 0.0), "groups": {made: {} for made in made_by(step)}}
