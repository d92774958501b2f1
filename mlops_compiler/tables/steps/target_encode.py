"""Put the rate of the outcome for each level, or its mean; rows to learn from get that of other rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from mlops_compiler.ir.ops.prepare import TargetEncode
from mlops_compiler.tables.steps.base import LABEL, PLACE, Change, adds_up, as_level, change, learn, neutral, statistics
from mlops_compiler.tables.steps.groups import looked_up

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from mlops_compiler.ir.schema import Schema
    from mlops_compiler.tables.steps.base import Learned

_MISSING = "\x00"
"""What is missing is a level of its own: that it is may tell something."""
_STRIDE, _MODULUS = 2_654_435_761, 2**32
"""Knuth's multiplicative hash: rows near to each other go to parts far from each other."""


def _level(values: pl.Expr) -> pl.Expr:
    return as_level(values).fill_null(_MISSING)


def _part(step: TargetEncode) -> pl.Expr:
    """The part of cross-fitting that each row to learn from belongs to: by its place, and by nothing that it holds."""
    return (pl.col(PLACE).cast(pl.UInt64) * _STRIDE % _MODULUS * step.folds // _MODULUS).cast(pl.Int64)


@statistics.register(TargetEncode)
def _(step: TargetEncode, column: Callable[[str], pl.Expr]) -> dict[str, pl.Expr]:
    if step.continuous:
        value = pl.col(LABEL).cast(pl.Float64).alias("value")
        part = _part(step).alias("part")
        return {name: pl.struct(_level(column(name)).alias("level"), part, value).implode() for name in step.columns}
    cell = (_part(step) * 2 + pl.col(LABEL)).cast(pl.UInt8).alias("cell")  # part and label in one byte
    return {
        name: pl.struct([_level(column(name)).alias("level"), cell]).value_counts().implode() for name in step.columns
    }


@adds_up.register(TargetEncode)
def _(step: TargetEncode) -> bool:
    return not step.continuous


@learn.register(TargetEncode)
def _(step: TargetEncode, answers: Mapping[str, Any]) -> Learned:
    learned: Learned = {"rates": {}, "held": {}}
    for name in step.columns:
        found = answers[name].struct.unnest()
        cells = _sums(found) if step.continuous else _counts(found)
        learned["rates"][name] = _rates(cells, step.smoothing)
        learned["held"][name] = [
            _rates(cells.filter(pl.col("part") != part), step.smoothing) for part in range(step.folds)
        ]
    return learned


def _counts(found: pl.DataFrame) -> pl.DataFrame:
    """Count the rows and the positive ones of each level in each part."""
    cells = found.select(pl.col(found.columns[0]).struct.unnest(), pl.col("count").cast(pl.Float64))
    cells = cells.with_columns(part=pl.col("cell") // 2, label=(pl.col("cell") % 2).cast(pl.Float64))
    return cells.group_by("level", "part").agg(
        rows=pl.col("count").sum(), hits=(pl.col("count") * pl.col("label")).sum()
    )


def _sums(found: pl.DataFrame) -> pl.DataFrame:
    """Count the rows and add up the values of each level in each part, in the order of the rows."""
    import numpy as np

    ordered = found.sort("level", "part", maintain_order=True)
    first = ordered.select(pl.struct("level", "part").rle_id()).to_series().to_numpy()
    starts = np.flatnonzero(np.diff(first, prepend=-1))
    sums = np.add.reduceat(ordered["value"].to_numpy(), starts) if len(starts) else np.empty(0)
    rows = np.diff(starts, append=ordered.height).astype(np.float64)
    return ordered[starts].select("level", "part").with_columns(rows=pl.Series(rows), hits=pl.Series(sums))


def _rates(cells: pl.DataFrame, smoothing: float) -> dict[str, Any]:
    """Give the rate of all rows, and that of each level drawn towards it."""
    hits, rows = float(cells["hits"].sum()), float(cells["rows"].sum())
    prior = hits / rows if rows else 0.5
    sums = cells.group_by("level").agg(pl.col("rows", "hits").sum()).sort("level")
    rates = (sums["hits"] + smoothing * prior) / (sums["rows"] + smoothing)
    return {"prior": prior, "levels": dict(zip(sums["level"].to_list(), rates.to_list(), strict=True))}


@change.register(TargetEncode)
def _(step: TargetEncode, learned: Learned) -> Change:
    served, taught = [], []
    for name in step.columns:
        level = _level(pl.col(name))
        served.append(_rated(level, learned["rates"][name]).alias(name))
        taught.append(_held(step, level, learned["held"][name]).alias(name))
    return Change(columns=tuple(served), taught=tuple(taught))


def _held(step: TargetEncode, level: pl.Expr, held: list[Mapping[str, Any]]) -> pl.Expr:
    """Look each row up once: in a table with a row for each level and a column for each part."""
    levels = sorted({name for rates in held for name in rates["levels"]})
    rates = [part["levels"].get(name, part["prior"]) for name in levels for part in held]
    rates += [part["prior"] for part in held]  # a level that no part knows
    place = looked_up(level, {name: index for index, name in enumerate(levels)}, len(levels), pl.Int64())
    return pl.lit(pl.Series(rates, dtype=pl.Float64)).gather(place * step.folds + _part(step))


def _rated(level: pl.Expr, rates: Mapping[str, Any]) -> pl.Expr:
    return looked_up(level, rates["levels"], rates["prior"], pl.Float64())


@neutral.register(TargetEncode)
def _(step: TargetEncode, schema: Schema) -> Learned:  # noqa: ARG001
    none = {"prior": 0.5, "levels": {}}
    return {"rates": dict.fromkeys(step.columns, none), "held": dict.fromkeys(step.columns, [none] * step.folds)}
