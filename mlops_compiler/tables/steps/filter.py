"""Keep rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_compiler.ir.ops.prepare import Filter
from mlops_compiler.tables.expressions import parse_expression
from mlops_compiler.tables.steps.base import Change, change, narrow, reads, writes

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

    from mlops_compiler.tables.steps.base import Learned


@reads.register(Filter)
def _(step: Filter) -> tuple[str, ...]:
    return parse_expression(step.where)[1]


@writes.register(Filter)
def _(_step: Filter) -> tuple[str, ...]:
    return ()


@narrow.register(Filter)
def _(step: Filter, live: AbstractSet[str]) -> Filter:  # noqa: ARG001
    return step


@change.register(Filter)
def _(step: Filter, learned: Learned) -> Change:  # noqa: ARG001
    return Change(keep=parse_expression(step.where)[0])
