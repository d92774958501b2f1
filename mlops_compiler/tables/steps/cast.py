"""Change types."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_compiler.ir.ops.prepare import Cast
from mlops_compiler.tables.steps.base import Change, change

if TYPE_CHECKING:
    from mlops_compiler.tables.steps.base import Learned


@change.register(Cast)
def _(step: Cast, learned: Learned) -> Change:  # noqa: ARG001
    return Change(casts=tuple((name, step.to) for name in step.columns), strict=step.max_loss == 0)
