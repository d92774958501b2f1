"""Give columns other names."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import polars as pl

from mlops_compiler.ir.ops.prepare import Rename
from mlops_compiler.tables.steps.base import Change, change, makes, narrow, reads, removes, writes

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

    from mlops_compiler.tables.steps.base import Learned


@reads.register(Rename)
def _(step: Rename) -> tuple[str, ...]:
    return tuple(old for old, _ in step.names)


@makes.register(Rename)
def _(step: Rename) -> dict[str, tuple[str, ...]]:
    return {new: (old,) for old, new in step.names}


@removes.register(Rename)
def _(step: Rename) -> tuple[str, ...]:
    new = {name for _, name in step.names}
    return tuple(old for old, _ in step.names if old not in new)


@writes.register(Rename)
def _(step: Rename) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for pair in step.names for name in pair))


@narrow.register(Rename)
def _(step: Rename, live: AbstractSet[str]) -> Rename | None:
    needed = tuple(pair for pair in step.names if pair[1] in live)
    return replace(step, names=needed) if needed else None


@change.register(Rename)
def _(step: Rename, learned: Learned) -> Change:  # noqa: ARG001
    return Change(columns=tuple(pl.col(old).alias(new) for old, new in step.names), remove=removes(step))
