"""The contract of a column: what the recipe promises of it, against the type that its source has."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import polars as pl

from mlops_compiler.analysis import wording_data
from mlops_compiler.analysis.target import is_of
from mlops_compiler.ir.ops.intake import ColumnCheck, Like
from mlops_compiler.ir.schema import DTYPES
from mlops_compiler.recipe import data as recipe_data
from mlops_compiler.recipe.data import ColumnContract

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlops_compiler.diagnostics import Sink, Span
    from mlops_compiler.frontend.provenance import Provenance
    from mlops_compiler.recipe.recipe import Recipe

FREE = ColumnContract(nullable=True)
"""What a column promises that the contract does not name."""
_NUMBERS = ("int", "float")
_LEVELS = ("text", "category", "bool", "int")
_TIMES = ("date", "datetime", "int", "float")


def column_check(recipe: Recipe, places: Provenance, name: str, kind: str, sink: Sink) -> ColumnCheck:
    """Make what a column must keep of its contract, of the roles that the recipe gives it, and of its source.

    Args:
        recipe: The recipe.
        places: Where it says what.
        name: The column.
        kind: Its type in the source.
        sink: Collects the findings.
    """
    contract = recipe.data.columns.get(name, FREE)
    data = recipe.data
    required = name in (recipe.objective.target, *(column for _, column in data.roles))
    span = _declared_at(recipe, places, name)
    if contract.nullable and required and name in recipe.data.columns:
        sink.add(
            wording_data.contract_conflict(
                name, "is the key, target, time, group or weight, and may not be missing", span
            )
        )
    if contract.range is not None and contract.type is None and kind not in _NUMBERS:
        sink.add(wording_data.contract_conflict(name, f"has a range, and the source holds {kind}", span))
    if kind not in DTYPES and contract.type is None:
        sink.add(wording_data.contract_conflict(name, f"has the type {kind}; give it one under data.columns", span))
        kind = "text"
    kind = contract.type or kind
    if name == data.time and kind not in _TIMES:
        sink.add(
            wording_data.contract_conflict(name, f"is the time, and is {kind}", places.value_span(("data", "time")))
        )
    if name == data.weight and kind not in _NUMBERS:
        span_of_weight = places.value_span(("data", "weight"))
        sink.add(wording_data.contract_conflict(name, f"is the weight, and is {kind}", span_of_weight))
    _fits_its_kind(contract, name, kind, places, sink)
    if contract.one_of is not None and (odd := [value for value in contract.one_of if not _can_hold(kind, value)]):
        allowed = places.value_span(("data", "columns", name, "one_of"))
        sink.add(wording_data.contract_conflict(name, f"is {kind}, and `one_of` lists {odd[0]!r}", allowed))
    return ColumnCheck(
        name=name,
        type=kind,
        nullable=contract.nullable and not required,
        unique=name == recipe.data.key or contract.unique,
        range=contract.range,
        one_of=contract.one_of,
        pattern=_pattern(contract, places, name, kind, sink),
        weighs=True if name == data.weight else None,
        missing=contract.missing,
        mean=contract.mean,
        std=contract.std,
        quantiles=bounds_of(contract.quantiles),
        shares=bounds_of(contract.shares),
        like=_like(contract),
        severity="error" if name == data.weight else contract.severity,
        description=contract.description,
        span=span,
    )


def _fits_its_kind(contract: ColumnContract, name: str, kind: str, places: Provenance, sink: Sink) -> None:
    """Check that a column of its kind can be like what is said of it as a whole."""
    place = ("data", "columns", name)
    for key in ("mean", "std", "quantiles"):
        if getattr(contract, key) and kind not in _NUMBERS:
            why = f"is {kind}, and `{key}` is said of numbers"
            sink.add(wording_data.contract_conflict(name, why, places.key_span((*place, key))))
    if contract.shares and kind not in _LEVELS:
        why = f"is {kind}, and `shares` are said of levels"
        sink.add(wording_data.contract_conflict(name, why, places.key_span((*place, "shares"))))
    allowed = {str(value).lower() if isinstance(value, bool) else str(value) for value in contract.one_of or ()}
    for level in contract.shares:
        if allowed and level not in allowed:
            why = f"has a share of {level!r}, which is none of `one_of`"
            sink.add(wording_data.contract_conflict(name, why, places.key_span((*place, "shares", level))))


def _like(contract: ColumnContract) -> Like | None:
    if contract.like is None:
        return None
    said = recipe_data.Like() if contract.like == "previous" else contract.like
    version = None if said.version == "previous" else said.version
    return Like(version=version, measure=said.measure, at_most=said.at_most)


def bounds_of(named: Mapping[str, tuple[float, float]]) -> tuple[tuple[str, float, float], ...] | None:
    """Write bounds by name as the program has them; None where there are none."""
    return tuple((name, *bounds) for name, bounds in named.items()) or None


def _pattern(contract: ColumnContract, places: Provenance, name: str, kind: str, sink: Sink) -> str | None:
    """Check that a pattern is one, for the requests (Python's) as for tables (Rust's), and that it is for texts."""
    if contract.pattern is None:
        return None
    span = places.value_span(("data", "columns", name, "pattern"))
    try:
        re.compile(contract.pattern)
        pl.Series([""]).str.contains(contract.pattern, strict=True)
    except (re.error, pl.exceptions.PolarsError) as error:
        why = str(error).strip().splitlines()[-1]
        sink.add(wording_data.contract_conflict(name, f"has a pattern that is none: {why}", span))
        return None
    if kind not in ("text", "category"):
        sink.add(wording_data.contract_conflict(name, f"has a pattern, and is {kind}", span))
    return contract.pattern


def _declared_at(recipe: Recipe, places: Provenance, name: str) -> Span | None:
    """Find where the recipe says something of a column: in the contract, as its key, as its target."""
    if name in recipe.data.columns:
        return places.value_span(("data", "columns", name))
    for role, column in recipe.data.roles:
        if name == column:
            return places.value_span(("data", role))
    return places.value_span(("objective", "target")) if name == recipe.objective.target else None


def _can_hold(kind: str, value: object) -> bool:
    return is_of(value, kind) or (kind == "float" and type(value) is int)
