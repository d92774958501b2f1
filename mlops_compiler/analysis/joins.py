"""Joins before data: both tables' columns, what is matched, what is added under which name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mlops_compiler.analysis import wording_data
from mlops_compiler.frontend.provenance import within
from mlops_compiler.ir.ops import intake
from mlops_compiler.recipe.sources import SqlSource
from mlops_compiler.tables.table import head, is_here

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from mlops_compiler.diagnostics import Sink, Span
    from mlops_compiler.frontend.provenance import Provenance
    from mlops_compiler.frontend.yaml_spans import KeyPath
    from mlops_compiler.recipe.data import Join
    from mlops_compiler.recipe.recipe import Recipe
    from mlops_compiler.recipe.sources import Source

_TIMES = ("date", "datetime")
_NUMBERS = ("int", "float")


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolvedJoin:
    """A join whose columns are known.

    Attributes:
        name: Its name in the recipe.
        read: How its table is read.
        op: What it does.
        types: What it adds: name to type of the recipe language.
    """

    name: str
    read: intake.Read
    op: intake.Join
    types: dict[str, str]


class Joiner:
    """Resolves the joins of a recipe, one after another.

    Args:
        recipe: The recipe.
        places: Where it says what.
        root: The folder that its paths are relative to.
        sink: Collects the findings.
    """

    def __init__(self, recipe: Recipe, places: Provenance, root: Path, sink: Sink) -> None:
        self._recipe, self._places, self._root, self._sink = recipe, places, root, sink

    def resolve(self, name: str, read: intake.Read, found: Mapping[str, str]) -> ResolvedJoin | None:
        """Resolve one join; None where too little of it is right.

        Args:
            name: The join.
            read: How its table is read.
            found: The columns that there are before it, with their types.

        Raises:
            DataError: The other table is missing or unreadable.
        """
        join = self._recipe.data.join[name]
        theirs = self._describe(name, join, read)
        pairs = [pair for at, pair in enumerate(join.pairs) if self._matches(name, at, found, theirs)]
        as_of = self._as_of(name, join, found, theirs)
        added = self._added(name, join, found, theirs)
        if len(pairs) != len(join.pairs) or (join.as_of is not None and as_of is None):
            return None
        matched = {other for _, other in pairs} | ({as_of.right} if as_of else set())
        op = intake.Join(
            on=tuple(pairs),
            types=tuple(common_type(found[ours], theirs[other]) or "text" for ours, other in pairs),
            as_of=as_of,
            columns=tuple(added.items()),
            how=join.how,
            max_unmatched=join.max_unmatched,
            times=tuple(column for column, kind in theirs.items() if kind in _TIMES and column not in matched),
        )
        return ResolvedJoin(
            name=name,
            read=read,
            op=op,
            types={ours: theirs[other] for other, ours in added.items()},
        )

    def _describe(self, name: str, join: Join, read: intake.Read) -> dict[str, str]:
        contract = self._recipe.data.columns
        known = {
            other.removeprefix(join.prefix): column.type
            for other, column in contract.items()
            if column.type is not None and other.startswith(join.prefix)
        }
        if not is_here(read, self._root) and (declared := self._declared(join, known)) is not None:
            return declared
        span = source_span(join.source, ("data", "join", name, "source"), self._places)
        return head(read, self._root, span, known)

    def _declared(self, join: Join, known: Mapping[str, str]) -> dict[str, str] | None:
        """Give the columns of a table that is not here, where the contract declares all that is added."""
        if join.columns is None or not known.keys() >= set(join.columns):
            return None
        contract = self._recipe.data.columns
        matched = {other: (contract[ours].type if ours in contract else None) or "text" for ours, other in join.pairs}
        ours = contract.get(self._recipe.data.time or "")
        time = {join.as_of.time: (ours.type if ours else None) or "datetime"} if join.as_of else {}
        return {**matched, **time, **{name: known[name] for name in join.columns}}

    def _matches(self, name: str, index: int, found: Mapping[str, str], theirs: Mapping[str, str]) -> bool:
        """Check a pair of columns that must be equal."""
        join = self._recipe.data.join[name]
        ours, other = join.pairs[index]
        span = self._word(name, join, index, ours)
        objective = self._recipe.objective
        if ours == objective.target or self._is_late(ours):
            why = "the target" if ours == objective.target else "known only after the outcome"
            self._sink.add(wording_data.join_by_outcome(name, ours, why, span))
            return False
        if ours not in found:
            self._sink.add(wording_data.unknown_join_column(name, ours, found, "the rows have", span))
        if other not in theirs:
            self._sink.add(wording_data.unknown_join_column(name, other, theirs, f"{join.source.path} has", span))
        if ours not in found or other not in theirs:
            return False
        if common_type(found[ours], theirs[other]) is None:
            self._sink.add(wording_data.join_types(name, (ours, found[ours]), (other, theirs[other]), span))
            return False
        return True

    def _is_late(self, column: str) -> bool:
        contract = self._recipe.data.columns.get(column)
        return contract is not None and contract.known == "after_outcome"

    def _word(self, name: str, join: Join, index: int, ours: str) -> Span | None:
        place = ("data", "join", name, "by")
        if isinstance(join.by, tuple):
            return self._places.value_span((*place, index))
        span = self._places.value_span(place)
        return span if isinstance(join.by, str) or span is None else within(span, ours)

    def _as_of(self, name: str, join: Join, found: Mapping[str, str], theirs: Mapping[str, str]) -> intake.AsOf | None:
        if join.as_of is None:
            return None
        place = ("data", "join", name, "as_of")
        ours, other = self._recipe.data.time, join.as_of.time
        if ours is None:
            self._sink.add(wording_data.join_needs_time(name, self._places.key_span(place)))
            return None
        span = self._places.value_span((*place, "time"))
        if other not in theirs:
            source = f"{join.source.path} has"
            self._sink.add(wording_data.unknown_join_column(name, other, theirs, source, span))
            return None
        if ours not in found:
            return None  # told as an unknown column of `data.time`
        if not any(found[ours] in kinds and theirs[other] in kinds for kinds in (_TIMES, _NUMBERS)):
            self._sink.add(wording_data.join_types(name, (ours, found[ours]), (other, theirs[other]), span))
            return None
        return intake.AsOf(left=ours, right=other, within=join.as_of.within, known_after=join.as_of.known_after)

    def _added(self, name: str, join: Join, found: Mapping[str, str], theirs: Mapping[str, str]) -> dict[str, str]:
        place = ("data", "join", name)
        matched = {other for _, other in join.pairs} | ({join.as_of.time} if join.as_of else set())
        wanted = join.columns or tuple(column for column in theirs if column not in matched)
        added: dict[str, str] = {}
        for index, column in enumerate(wanted):
            span = self._places.value_span((*place, "columns", index))
            ours = f"{join.prefix}{column}"
            if column not in theirs:
                source = f"{join.source.path} has"
                self._sink.add(wording_data.unknown_join_column(name, column, theirs, source, span))
            elif ours in found and ours not in self._recipe.data.ignore:
                self._sink.add(
                    wording_data.join_column_twice(name, ours, span if join.columns else self._places.key_span(place))
                )
            else:
                added[column] = ours
        return added


def source_span(source: Source, place: KeyPath, places: Provenance) -> Span:
    """Find the word of a source that says where it is: its path, or its table or query."""
    if not isinstance(source, SqlSource):
        return places.value_span((*place, "path"))
    return places.value_span((*place, "table" if source.table is not None else "query"))


def common_type(ours: str, theirs: str) -> str | None:
    """The type that two columns can be compared as; None where there is none."""
    for kinds in (("int", "float"), ("text", "category"), ("date", "datetime")):
        if ours in kinds and theirs in kinds:
            return ours if ours == theirs else kinds[-1]
    return ours if ours == theirs else None
