"""Stacked tables before data: each must have the columns of the source, of types that go together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mlops_compiler.analysis import wording_data
from mlops_compiler.analysis.joins import common_type, source_span
from mlops_compiler.ir.ops import intake
from mlops_compiler.tables.table import head, is_here

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from mlops_compiler.diagnostics import Sink
    from mlops_compiler.frontend.provenance import Provenance
    from mlops_compiler.recipe.recipe import Recipe
    from mlops_compiler.recipe.sources import Source


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolvedStack:
    """A stacked table whose columns are known.

    Attributes:
        name: Its name in the recipe.
        read: How it is read.
        op: What is put below.
    """

    name: str
    read: intake.Read
    op: intake.Stack


def stacks_of(
    recipe: Recipe,
    found: Mapping[str, str],
    read_of: Callable[[Source], intake.Read],
    places: Provenance,
    root: Path,
    sink: Sink,
) -> tuple[tuple[ResolvedStack, ...], dict[str, str]]:
    """Resolve the stacked tables of a recipe.

    Args:
        recipe: The recipe.
        found: The columns of the source, with their types.
        read_of: Makes the op that reads a source.
        places: Where the recipe says what.
        root: The folder that its paths are relative to.
        sink: Collects the findings.

    Returns:
        The tables, and the columns with types that hold the values of all.

    Raises:
        DataError: A table is missing or unreadable.
    """
    types, resolved = dict(found), []
    for name, item in recipe.data.stack.items():
        read = read_of(item.source)
        known: dict[str, str] = {column: said.type for column, said in recipe.data.columns.items() if said.type}
        theirs = {column: known[ours] for column, ours in item.rename.items() if ours in known}
        if is_here(read, root) or not known.keys() >= set(types):
            span = source_span(item.source, ("data", "stack", name, "source"), places)
            theirs = head(read, root, span, {**known, **theirs})
        else:
            back = {ours: column for column, ours in item.rename.items()}
            theirs = {back.get(column, column): kind for column, kind in types.items()}
        for column in item.rename:
            if column not in theirs:
                span = places.key_span(("data", "stack", name, "rename", column))
                sink.add(wording_data.unknown_join_column(name, column, theirs, f"{item.source.path} has", span))
        renamed = {item.rename.get(column, column): kind for column, kind in theirs.items()}
        place = places.key_span(("data", "stack", name))
        if missing := [column for column in types if column not in renamed]:
            sink.add(wording_data.stack_lacks(name, missing, theirs, place))
            continue
        for column, kind in types.items():
            if (both := common_type(kind, renamed[column])) is None:
                sink.add(wording_data.stack_types(name, column, (kind, renamed[column]), place))
            else:
                types[column] = both
        columns = tuple((column, ours) for column in theirs if (ours := item.rename.get(column, column)) in types)
        resolved.append(ResolvedStack(name=name, read=read, op=intake.Stack(columns=columns)))
    return tuple(resolved), types
