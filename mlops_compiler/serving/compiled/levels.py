"""Steps that look at levels, bins and bounds, as changes of one row; `steps` asks for them."""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING, Any

from mlops_compiler.ir.ops.prepare import (
    Bins,
    Cast,
    Categories,
    Clip,
    Frequency,
    GroupRare,
    OneHot,
    Ordinal,
    TargetEncode,
)
from mlops_compiler.serving.compiled.expressions import kind_of
from mlops_compiler.serving.compiled.signals import Uncompiled
from mlops_compiler.serving.compiled.steps import act_of
from mlops_compiler.tables.steps.encode import UNSEEN
from mlops_compiler.tables.steps.one_hot import RARE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import polars as pl

    from mlops_compiler.serving.compiled.steps import Act, Schema, Values
    from mlops_compiler.tables.steps import Learned


def _level(dtype: pl.DataType) -> Callable[[Any], str | None]:
    """Write a value as the level that it is, as Polars casts it to a text; floats have a form of their own there."""
    match kind_of(dtype):
        case "text":
            return lambda value: value
        case "int":
            return lambda value: None if value is None else str(value)
        case "bool":
            return lambda value: None if value is None else ("true" if value else "false")
        case other:
            raise Uncompiled(other)


@act_of.register(OneHot)
def _(step: OneHot, learned: Learned, before: Schema, after: Schema) -> Act:  # noqa: ARG001
    none: dict[str, int] = {}
    columns = []
    for name in step.columns:
        own = {level: f"{name}={level}" for level in learned["levels"][name]}
        rare = f"{name}={RARE}" if name in learned["rare"] else None
        none |= dict.fromkeys([*own.values(), *([rare] if rare else [])], 0)
        columns.append((name, _level(before[name]), own, rare))
    if set(none) & set(before):
        raise Uncompiled("an indicator has the name of a column")

    def act(values: Values) -> None:
        levels = [(level(values.pop(name)), own, rare) for name, level, own, rare in columns]
        values.update(none)
        for level, own, rare in levels:
            if level is not None and (made := own.get(level, rare)) is not None:
                values[made] = 1

    return act


@act_of.register(Frequency)
def _(step: Frequency, learned: Learned, before: Schema, after: Schema) -> Act:  # noqa: ARG001
    shares = {name: {level: float(value) for level, value in learned["share"][name].items()} for name in step.columns}
    return _looked_up(shares, dict.fromkeys(step.columns, 0.0), {}, before)


@act_of.register(Ordinal)
def _(step: Ordinal, learned: Learned, before: Schema, after: Schema) -> Act:  # noqa: ARG001
    ordered = {level: place for place, level in enumerate(step.order or ())}
    places = learned.get("place") or dict.fromkeys(step.columns, ordered)
    return _looked_up(places, dict.fromkeys(step.columns, UNSEEN), {}, before)


@act_of.register(Categories)
def _(step: Categories, learned: Learned, before: Schema, after: Schema) -> Act:  # noqa: ARG001
    levels = learned["levels"]
    numbers = {name: {level: place for place, level in enumerate(levels[name])} for name in step.columns}
    rest = {name: len(levels[name]) for name in step.columns}
    return _looked_up(numbers, rest, {name: count + 1 for name, count in rest.items()}, before)


@act_of.register(TargetEncode)
def _(step: TargetEncode, learned: Learned, before: Schema, after: Schema) -> Act:  # noqa: ARG001
    rates = learned["rates"]
    known = {name: {level: float(rate) for level, rate in rates[name]["levels"].items()} for name in step.columns}
    priors = {name: float(rates[name]["prior"]) for name in step.columns}
    missing = {name: known[name].get("\x00", priors[name]) for name in step.columns}
    return _looked_up(known, priors, missing, before)


def _looked_up(
    known: Mapping[str, Mapping[str, Any]], otherwise: Mapping[str, Any], missing: Mapping[str, Any], before: Schema
) -> Act:
    """Put a value for each level, one for levels that are not known, and one for what is missing."""
    columns = tuple(
        (name, _level(before[name]), table, otherwise[name], missing.get(name, otherwise[name]))
        for name, table in known.items()
    )

    def act(values: Values) -> None:
        for name, level, table, other, nothing in columns:
            found = level(values[name])
            values[name] = nothing if found is None else table.get(found, other)

    return act


@act_of.register(GroupRare)
def _(step: GroupRare, learned: Learned, before: Schema, after: Schema) -> Act:  # noqa: ARG001
    columns = tuple((name, _level(before[name]), frozenset(learned["common"][name])) for name in step.columns)

    def act(values: Values) -> None:
        for name, level, common in columns:
            found = level(values[name])
            values[name] = found if found is None or found in common else step.level

    return act


@act_of.register(Clip)
def _(step: Clip, learned: Learned, before: Schema, after: Schema) -> Act:  # noqa: ARG001
    bounds = tuple((name, float(learned["low"][name]), float(learned["high"][name])) for name in step.columns)
    _must_be(("int", "float"), step.columns, before)

    def act(values: Values) -> None:
        for name, low, high in bounds:
            if (value := values[name]) is not None:
                number = float(value)
                values[name] = low if number < low else min(number, high)

    return act


@act_of.register(Bins)
def _(step: Bins, learned: Learned, before: Schema, after: Schema) -> Act:  # noqa: ARG001
    found = learned.get("edges") or dict.fromkeys(step.columns, step.edges or ())
    edges = tuple((name, sorted(map(float, found[name]))) for name in step.columns)
    _must_be(("int", "float"), step.columns, before)

    def act(values: Values) -> None:
        for name, cuts in edges:
            if (value := values[name]) is not None:
                number = float(value)
                values[name] = None if number != number else bisect_right(cuts, number)  # noqa: PLR0124 - NaN

    return act


@act_of.register(Cast)
def _(step: Cast, learned: Learned, before: Schema, after: Schema) -> Act:  # noqa: ARG001
    kinds = {(kind_of(before[name]), kind_of(after[name])) for name in step.columns}
    if any(given != made and (given, made) not in (("int", "float"), ("bool", "int")) for given, made in kinds):
        raise Uncompiled("a cast between texts and numbers")
    makers = {"int": int, "float": float, "bool": bool, "text": str}
    columns = tuple((name, makers[kind_of(after[name])]) for name in step.columns)

    def act(values: Values) -> None:
        for name, make in columns:
            if (value := values[name]) is not None:
                values[name] = make(value)

    return act


def _must_be(kinds: Sequence[str], columns: Sequence[str], before: Schema) -> None:
    if any(kind_of(before[name]) not in kinds for name in columns):
        raise Uncompiled("no numbers")
