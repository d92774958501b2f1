"""Take log(1 + x)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from mlops_compiler.ir.ops.prepare import Log1p
from mlops_compiler.tables.steps.base import Change, change

if TYPE_CHECKING:
    from mlops_compiler.tables.steps.base import Learned


@change.register(Log1p)
def _(step: Log1p, learned: Learned) -> Change:  # noqa: ARG001
    return Change(columns=tuple(pl.col(name).cast(pl.Float64).log1p() for name in step.columns))
