"""Tables in which values must stand: both tables' columns before data, and what is compared as what."""

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

    from mlops_compiler.diagnostics import Sink, Span
    from mlops_compiler.frontend.provenance import Provenance
    from mlops_compiler.recipe.data import References
    from mlops_compiler.recipe.recipe import Recipe
    from mlops_compiler.recipe.sources import Source


@dataclass(frozen=True, slots=True)
class Where:
    """Where a recipe says what, the folder that its paths are relative to, and what collects the findings."""

    places: Provenance
    root: Path
    sink: Sink


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolvedReferences:
    """A table whose columns are known.

    Attributes:
        name: Its name in the recipe.
        read: How it is read.
        op: What must stand in it.
    """

    name: str
    read: intake.Read
    op: intake.References


def references_of(
    recipe: Recipe, found: Mapping[str, str], read_of: Callable[[Source], intake.Read], where: Where
) -> tuple[ResolvedReferences, ...]:
    """Resolve the tables in which values must stand.

    Args:
        recipe: The recipe.
        found: The columns that are kept, with their types.
        read_of: Makes the op that reads a source.
        where: Where the recipe says what.

    Raises:
        DataError: A table is missing or unreadable.
    """
    resolved = []
    for name, item in recipe.data.references.items():
        read = read_of(item.source)
        theirs = _describe(name, item, read, found, where)
        types = [_compared(name, item, pair, found, theirs, where) for pair in item.pairs]
        op = intake.References(
            on=item.pairs,
            types=tuple(kind or "text" for kind in types),
            max_unmatched=item.max_unmatched,
            severity=item.severity,
        )
        resolved.append(ResolvedReferences(name=name, read=read, op=op))
    return tuple(resolved)


def _describe(
    name: str, item: References, read: intake.Read, found: Mapping[str, str], where: Where
) -> Mapping[str, str]:
    """Give the columns of the other table; of one that is not here, those that are named, as the rows have them."""
    known = {other: found[ours] for ours, other in item.pairs if ours in found}
    if not is_here(read, where.root) and len(known) == len(item.pairs):
        return known
    return head(read, where.root, source_span(item.source, ("data", "references", name, "source"), where.places), {})


def _compared(
    name: str,
    item: References,
    pair: tuple[str, str],
    found: Mapping[str, str],
    theirs: Mapping[str, str],
    where: Where,
) -> str | None:
    """Find the type that a pair is compared as; what stands against it is told."""
    (ours, other), span = pair, _word(name, item, pair, where)
    if ours not in found:
        where.sink.add(wording_data.unknown_reference(name, ours, found, "the rows have", span))
    if other not in theirs:
        where.sink.add(wording_data.unknown_reference(name, other, theirs, f"{item.source.path} has", span))
    if ours not in found or other not in theirs:
        return None
    if (kind := common_type(found[ours], theirs[other])) is None:
        where.sink.add(wording_data.reference_types(name, (ours, found[ours]), (other, theirs[other]), span))
    return kind


def _word(name: str, item: References, pair: tuple[str, str], where: Where) -> Span:
    place = ("data", "references", name, "by")
    if isinstance(item.by, dict):
        return where.places.key_span((*place, pair[0]))
    return where.places.value_span(place if isinstance(item.by, str) else (*place, item.pairs.index(pair)))
