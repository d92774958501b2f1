"""Which adjacent steps can learn all they need in one scan of the rows.

A step may join a group if its statistics do not depend on what an earlier step of that group learns.
Columns that do depend on it are tainted; a filter changes the rows that statistics see, so it opens a group.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_compiler.ir.ops.prepare import ByRows, Filter, Selection, is_fitted
from mlops_compiler.tables.steps import opens, reads, writes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlops_compiler.ir.ops.preparation import NamedStep
    from mlops_compiler.ir.ops.prepare import StepOp


class Taint:
    """Tracks, along a group of steps, the columns whose values depend on what the group learns."""

    def __init__(self) -> None:
        self._columns: set[str] = set()
        self._learning = False
        self._closed = False

    def touches(self, step: StepOp) -> bool:
        """Whether a step reads a tainted column."""
        return any(name in self._columns for name in reads(step))

    def admits(self, step: StepOp) -> bool:
        """Whether a step can join the group.

        One that changes which rows are learned from stands alone; one that chooses among columns needs all of them.
        """
        if self._closed or isinstance(step, ByRows | Selection):
            return False
        if isinstance(step, Filter):
            return not self._learning
        return not (is_fitted(step) and self.touches(step))

    def follow(self, step: StepOp) -> bool:
        """Take a step into the group; return whether the scan can (and must) apply it before it collects."""
        self._closed = isinstance(step, ByRows)
        depends = is_fitted(step) or self.touches(step)
        if depends:
            self._learning = self._learning or is_fitted(step)
            self._columns |= {*writes(step), *opens(step)}
        else:
            self._columns -= set(writes(step))
        return not depends


def group_steps(steps: Sequence[NamedStep]) -> tuple[tuple[NamedStep, ...], ...]:
    """Cut a preparation into the fewest runs of adjacent steps of which each needs at most one scan.

    Greedy from the left is optimal here: a longer group never forces a later one to end sooner.
    """
    groups: list[list[NamedStep]] = []
    taint = Taint()
    for named in steps:
        if not groups or not taint.admits(named.step):
            groups.append([])
            taint = Taint()
        groups[-1].append(named)
        taint.follow(named.step)
    return tuple(tuple(group) for group in groups)


def scans(groups: Sequence[Sequence[NamedStep]]) -> int:
    """Count the scans of the rows that fitting takes: one for each group that learns something."""
    return sum(any(is_fitted(named.step) for named in group) for group in groups)
