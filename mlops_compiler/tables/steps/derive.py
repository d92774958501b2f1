"""Compute columns from SQL expressions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_compiler.ir.ops.prepare import Derive
from mlops_compiler.tables.expressions import parse_expression
from mlops_compiler.tables.steps.base import Change, change, reads, writes

if TYPE_CHECKING:
    from mlops_compiler.tables.steps.base import Learned


@reads.register(Derive)
def _(step: Derive) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for _, text in step.expressions for name in parse_expression(text)[1]))


@writes.register(Derive)
def _(step: Derive) -> tuple[str, ...]:
    return tuple(name for name, _ in step.expressions)


@change.register(Derive)
def _(step: Derive, learned: Learned) -> Change:  # noqa: ARG001
    return Change(columns=tuple(parse_expression(text)[0].alias(name) for name, text in step.expressions))
