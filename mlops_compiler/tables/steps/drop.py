"""Remove columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_compiler.ir.ops.prepare import Drop
from mlops_compiler.tables.steps.base import Change, change, narrow, removes

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

    from mlops_compiler.tables.steps.base import Learned


@removes.register(Drop)
def _(step: Drop) -> tuple[str, ...]:
    return step.columns


@narrow.register(Drop)
def _(step: Drop, live: AbstractSet[str]) -> None:  # noqa: ARG001
    return None  # what it removes is not needed after it, hence not read or overwritten before


@change.register(Drop)
def _(step: Drop, learned: Learned) -> Change:  # noqa: ARG001
    return Change(remove=step.columns)
