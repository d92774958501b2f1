"""Steps that do not depend on a fold run once for all folds, before the rows are dealt to them.

Before::

    for each fold: derive p -> standardize a -> log1p b -> one_hot t

After::

    once: derive p -> log1p b
    for each fold: standardize a -> one_hot t

A step is hoisted if it learns nothing, reads nothing that a step left behind sets, and sets nothing that one of those
reads or sets. A filter is left behind: what it drops before the rows are dealt would be missing from the deal. No step
passes one: it would meet rows that the filter drops.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_compiler.ir.ops.preparation import FusedPrepare, Prepare
from mlops_compiler.ir.ops.prepare import Filter, is_fitted
from mlops_compiler.passes.rebuild import rebuild
from mlops_compiler.tables.steps import reads, writes

if TYPE_CHECKING:
    from mlops_compiler.ir.ops.prepare import StepOp
    from mlops_compiler.ir.program import Node, Program


def hoist_invariants(program: Program) -> Program:
    """Mark the steps that run once, and put them first."""
    steps = program.of(Prepare)
    if program.of(FusedPrepare) or any(op.scope == "table" for _, op in steps):
        return program
    hoisted: list[tuple[Node, StepOp]] = []
    left: list[tuple[Node, StepOp]] = []
    for node, op in steps:
        passes = all(_passes(op.step, step) for _, step in left)
        once = passes and not is_fitted(op.step) and not isinstance(op.step, Filter)
        (hoisted if once else left).append((node, op.step))
    if not hoisted:
        return program
    return rebuild(
        program,
        steps[0][0].inputs,
        [*hoisted, *left],
        scopes={node.name: "table" for node, _ in hoisted},
    )


def _passes(step: StepOp, left: StepOp) -> bool:
    if isinstance(step, Filter) or isinstance(left, Filter):
        return False
    sets, touched = set(writes(step)), {*reads(left), *writes(left)}
    return not sets & touched and not set(reads(step)) & set(writes(left))
