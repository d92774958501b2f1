"""Leaks by reachability: a feature that comes, by whatever way, from what is known only after the outcome.

A step may compute with such a column, for a check or a filter of its own, as long as what it makes is dropped again.
What is reported is the word where the column enters, and every step on its way to a feature.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mlops_compiler.analysis import wording
from mlops_compiler.diagnostics import Note
from mlops_compiler.frontend.provenance import within
from mlops_compiler.ir.ops.preparation import Prepare
from mlops_compiler.ir.schema import Known, Role
from mlops_compiler.tables.steps import makes, opens

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from mlops_compiler.diagnostics import Sink, Span
    from mlops_compiler.frontend.provenance import Provenance
    from mlops_compiler.ir.program import Node
    from mlops_compiler.ir.schema import Column, Schema


@dataclass(frozen=True, slots=True, kw_only=True)
class Hop:
    """One derivation on the way of a leak.

    Attributes:
        step: The step that computes.
        source: The column that it computes with.
        made: The column that it makes.
    """

    step: str
    source: str
    made: str


def find_leaks(
    nodes: Sequence[Node], source: Schema, features: Schema, joined: Mapping[str, str], places: Provenance, sink: Sink
) -> None:
    """Report every way by which a feature comes from what no prediction can know.

    Args:
        nodes: The steps of the preparation, in order.
        source: The columns that the first of them gets.
        features: The columns that the models get.
        joined: Columns that joins add, each with the name of its join.
        places: Where the recipe says what.
        sink: Collects the findings.
    """
    reached: dict[tuple[str, str], list[tuple[Column, list[Hop]]]] = {}
    for feature in features:
        if feature.known is Known.AFTER_OUTCOME:
            ways = list(trace(feature.name, nodes, source))
            assert ways, f"{feature.name} is late, and nothing makes it so"  # noqa: S101 - schemas and steps would differ
            for hops in ways:
                reached.setdefault((hops[0].step, hops[0].source), []).append((feature, hops))
    for (step, name), found in reached.items():
        hops = found[0][1]
        span = _at(hops[0], places)
        notes = (*_by_join(name, joined, places), *_notes(found, places))
        sink.add(wording.leak(step, source[name], why(source[name]), span, notes))


def why(column: Column) -> str:
    """Say why no feature may come from a column."""
    if column.role is Role.TARGET:
        return "which is the target"
    if column.role is Role.FEATURE:
        return "which comes from what is known only after the outcome"
    return "which is known only after the outcome"


def trace(name: str, nodes: Sequence[Node], source: Schema) -> Iterator[list[Hop]]:
    """Follow a column back to the columns of the source that make it a leak; one way for each of them.

    Args:
        name: A column that is known only after the outcome, after the last step.
        nodes: The steps, in order.
        source: The columns that the first of them gets.
    """
    seen: set[str] = set()
    for hops in _back(name, nodes, source):
        if hops and hops[0].source not in seen:
            seen.add(hops[0].source)
            yield hops


def _back(name: str, nodes: Sequence[Node], source: Schema) -> Iterator[list[Hop]]:
    at = next((index for index in reversed(range(len(nodes))) if name in _made(nodes[index])), None)
    if at is None:
        yield []
        return
    before = nodes[at - 1].schema if at else source
    step = nodes[at].name.removeprefix("prepare.")
    for parent in _made(nodes[at])[name]:
        if before is not None and before[parent].known is Known.AFTER_OUTCOME:
            for hops in _back(parent, nodes[:at], source):
                yield [*hops, Hop(step=step, source=parent, made=name)]


def _made(node: Node) -> dict[str, tuple[str, ...]]:
    """Map each column that a step makes of others to those."""
    if not isinstance(node.op, Prepare):
        return {}
    step = node.op.step
    return {**makes(step), **opens(step)}


def _at(hop: Hop, places: Provenance) -> Span | None:
    """Find the word of a derivation that names the column it computes with."""
    span = places.value_span(("prepare", hop.step, "columns", hop.made))
    return within(span, hop.source) if span else places.value_span(("prepare", hop.step, "columns"))


def _by_join(name: str, joined: Mapping[str, str], places: Provenance) -> tuple[Note, ...]:
    """Say which join adds a column."""
    if name not in joined:
        return ()
    span = places.key_span(("data", "join", joined[name]))
    return (Note(text=f"join `{joined[name]}` adds `{name}`", span=span),)


def _notes(found: Sequence[tuple[Column, list[Hop]]], places: Provenance) -> tuple[Note, ...]:
    feature, hops = found[0]
    steps = [
        Note(text=f"step `{hop.step}` makes `{hop.made}` from `{hop.source}`", span=_at(hop, places))
        for hop in hops[1:]
    ]
    more = len(found) - 1
    others = f", and so {'does' if more == 1 else 'do'} {more} more" if more else ""
    return (*steps, Note(text=f"`{feature.name}` reaches the models as a feature{others}"))
