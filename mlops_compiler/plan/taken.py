"""A recipe whose source is taken in piece by piece: its rows are those that intakes took, and no others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_compiler.diagnostics import DataError, Diagnostic
from mlops_compiler.ir.schema import DTYPES
from mlops_compiler.plan.diff import Cause
from mlops_compiler.recipe.data import ColumnContract
from mlops_compiler.recipe.sources import TakenSource
from mlops_compiler.store.intakes import intakes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlops_compiler.diagnostics import Span
    from mlops_compiler.recipe.recipe import Recipe
    from mlops_compiler.store.intakes import State
    from mlops_compiler.store.reader import StoreReader


def taken(recipe: Recipe, state: State, store: StoreReader, span: Span | None) -> Recipe:
    """Put the rows taken in place of the source; whatever is done to rows is done to them.

    Columns without a declared type keep the one that the first intake found: what comes later must fit it.

    Raises:
        DataError: The rows are not in the store any more.
    """
    place = store.objects.place(state.table)
    if place is None:
        raise DataError([_gone(recipe.name, span)])
    source = TakenSource(path=recipe.data.source.path, place=place)
    columns = _typed(recipe, state.types)
    return recipe.model_copy(update={"data": recipe.data.model_copy(update={"source": source, "columns": columns})})


def _typed(recipe: Recipe, types: Mapping[str, str]) -> dict[str, ColumnContract]:
    data = recipe.data
    roles = (recipe.objective.target, *(column for _, column in data.roles))
    found = dict(data.columns)
    for name, kind in types.items():
        if kind in DTYPES and name not in data.ignore:
            known = found.get(name, ColumnContract(nullable=name not in roles))
            found[name] = known if known.type is not None else known.model_copy(update={"type": kind})
    return found


def taken_since(store: StoreReader, recipe: str, time: float) -> Cause | None:
    """Say what intakes took since a time, where they took anything.

    Args:
        store: What is recorded.
        recipe: The recipe's name.
        time: Seconds since 1970.
    """
    since = [record.summary for record in intakes(store, recipe) if record.started > time]
    new, changed = (sum(summary[name] for summary in since) for name in ("new", "changed"))
    if not new and not changed:
        return None
    who = "an intake" if len(since) == 1 else f"{len(since)} intakes"
    rows = " and ".join(f"{count:,} {word}" for count, word in ((new, "new"), (changed, "changed")) if count)
    return Cause(path="data.intake", text=f"{who} took {rows} rows in, {since[-1]['rows']:,} in all")


def nothing_taken(recipe: str, called: str, span: Span | None) -> Diagnostic:
    """There is nothing to train on yet."""
    return Diagnostic(
        code="nothing-taken",
        headline=f"`{recipe}` takes its source in piece by piece, and nothing was taken yet",
        span=span,
        help=f"mlops-compile intake recipe={called}",
    )


def _gone(recipe: str, span: Span | None) -> Diagnostic:
    return Diagnostic(
        code="version-absent",
        headline=f"the rows that intakes of `{recipe}` took are not in the store",
        span=span,
        help="bring them back: mlops-compile data restore recipe=..., or take all anew: mlops-compile intake --anew",
    )
