"""Compute columns from SQL expressions."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from mlops_compiler.ir.ops.prepare import Derive
from mlops_compiler.tables.expressions import parse_expression
from mlops_compiler.tables.steps.base import Change, change, makes, narrow, reads, removes, writes

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

    from mlops_compiler.tables.steps.base import Learned


@reads.register(Derive)
def _(step: Derive) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for _, text in step.expressions for name in parse_expression(text)[1]))


@writes.register(Derive)
def _(step: Derive) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*(name for name, _ in step.expressions), *step.remove)))


@removes.register(Derive)
def _(step: Derive) -> tuple[str, ...]:
    return step.remove


@makes.register(Derive)
def _(step: Derive) -> dict[str, tuple[str, ...]]:
    return {name: parse_expression(text)[1] for name, text in step.expressions}


@narrow.register(Derive)
def _(step: Derive, live: AbstractSet[str]) -> Derive | None:
    made = tuple((name, text) for name, text in step.expressions if name in live)
    if not made:
        return None
    # What it removes is not needed after it: it is there for sure only where the step itself reads it.
    read = set(reads(replace(step, expressions=made)))
    return replace(step, expressions=made, remove=tuple(name for name in step.remove if name in read))


@change.register(Derive)
def _(step: Derive, learned: Learned) -> Change:  # noqa: ARG001
    made = tuple(parse_expression(text)[0].alias(name) for name, text in step.expressions)
    return Change(columns=made, remove=step.remove)
