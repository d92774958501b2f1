"""A table with a time, joined without regard to it, gives rows what was recorded after them.

Kaufman, Rosset and Perlich, "Leakage in Data Mining" (2011), ask of every feature that it was known before its target:
no time machine.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_compiler.analysis.lints.rule import ERROR, WARNING, Finding, Rule, levels
from mlops_compiler.diagnostics import Note, listing
from mlops_compiler.ir.ops.intake import Join

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlops_compiler.analysis.lints.rule import Subject


def join_into_future(subject: Subject) -> Iterator[Finding]:
    """Find joins of rows that have a time with tables that have one, in which the two are not compared."""
    time = subject.recipe.data.time
    for node, op in subject.program.of(Join):
        if time is None or op.as_of is not None or not op.times:
            continue
        name = node.name.removeprefix("join.")
        yield Finding(
            headline=f"join `{name}` adds columns of a table that has a time, {listing(op.times)}, and does not match "
            "it: rows may get what was recorded after them",
            span=subject.key("data", "join", name),
            notes=(Note(text=f"`{time}` is the time of the rows", span=subject.at("data", "time")),),
            help=f"match it: `as_of: {{time: {op.times[0]}}}`",
        )


RULE = Rule(code="join-into-future", check=join_into_future, levels=levels(WARNING, ERROR, ERROR))
