"""Remove columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_compiler.ir.ops.prepare import Drop
from mlops_compiler.tables.steps.base import Change, change

if TYPE_CHECKING:
    from mlops_compiler.tables.steps.base import Learned


@change.register(Drop)
def _(step: Drop, learned: Learned) -> Change:  # noqa: ARG001
    return Change(remove=step.columns)
