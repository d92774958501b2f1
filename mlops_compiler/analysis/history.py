"""Looks at other rows: their columns exist, are numbers, and what they make is known when what they are made of is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_compiler.analysis import wording_data, wording_steps
from mlops_compiler.ir.ops.intake import History
from mlops_compiler.recipe.history import Difference, ForwardFill, Lag
from mlops_compiler.recipe.steps.base import names_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlops_compiler.diagnostics import Sink
    from mlops_compiler.frontend.provenance import Provenance
    from mlops_compiler.recipe.history import AnyPast
    from mlops_compiler.recipe.recipe import Recipe

_NUMBERS = ("int", "float")


def histories(recipe: Recipe, found: Mapping[str, str], places: Provenance, sink: Sink) -> dict[str, History]:
    """Resolve what a recipe looks back at.

    Args:
        recipe: The recipe.
        found: The columns of the source, and of what is joined to it, with their types.
        places: Where the recipe says what.
        sink: Collects the findings.
    """
    made: dict[str, History] = {}
    known = dict(found)
    for name, past in recipe.data.history.items():
        op = history_of(past, recipe.data.time or "")
        if recipe.data.time is None:
            sink.add(wording_data.history_without_time(name, places.key_span(("data", "history", name))))
            continue
        if _fits(name, op, known, recipe, places, sink):
            made[name] = op
            known |= dict.fromkeys(op.made, "float")
    return made


def history_of(past: AnyPast, time: str) -> History:
    """Make the op of one entry."""
    columns, by = names_of(past.columns), names_of(past.by)
    match past:
        case Lag(periods=periods):
            return History(kind="lag", columns=columns, by=by, time=time, periods=periods)
        case Difference(periods=periods):
            return History(kind="difference", columns=columns, by=by, time=time, periods=periods)
        case ForwardFill(limit=limit):
            return History(kind="forward_fill", columns=columns, by=by, time=time, limit=limit)
        case _:
            how = {"window": past.window, "statistics": past.statistics}
            return History(kind="rolling", columns=columns, by=by, time=time, **how)  # type: ignore[arg-type]


def late_history(recipe: Recipe) -> set[str]:
    """Name the columns that look ahead, or at what is known only after the outcome."""
    late = {name for name, column in recipe.data.columns.items() if column.known == "after_outcome"}
    for past in recipe.data.history.values():
        op = history_of(past, recipe.data.time or "")
        late |= {
            made for made, (column, kind, number) in op.made.items() if column in late or (kind == "lag" and number < 0)
        }
    return late - set(recipe.data.columns)


def _fits(name: str, op: History, known: Mapping[str, str], recipe: Recipe, places: Provenance, sink: Sink) -> bool:
    good = True
    kept = {column: kind for column, kind in known.items() if column not in recipe.data.ignore}
    for key, columns in (("columns", op.columns), ("by", op.by)):
        span = places.value_span(("data", "history", name, key))
        for index, column in enumerate(columns):
            place = places.value_span(("data", "history", name, key, index)) or span
            if column not in kept:
                sink.add(wording_data.unknown_source_column(column, kept, recipe.data.source.path, place))
                good = False
            elif key == "columns" and _kind(recipe, column, kept[column]) not in _NUMBERS:
                kind = _kind(recipe, column, kept[column])
                sink.add(
                    wording_data.contract_conflict(column, f"is {kind}, and history `{name}` needs numbers", place)
                )
                good = False
    for column in op.made:
        if column in known:
            sink.add(wording_steps.name_taken(name, column, places.key_span(("data", "history", name))))
            good = False
    return good


def _kind(recipe: Recipe, column: str, found: str) -> str:
    contract = recipe.data.columns.get(column)
    return (contract.type if contract is not None else None) or found
