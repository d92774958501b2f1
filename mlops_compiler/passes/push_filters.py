"""Rows that a filter drops are dropped as early as can be, at best while they are read.

Before::

    snapshot -> derive p = a / b -> filter c > 0 -> standardize a

After::

    snapshot, only where c > 0 -> derive p = a / b -> standardize a

A filter passes a step that learns nothing and does not set what the filter reads. It never passes one that learns:
that would learn from other rows.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from mlops_compiler.ir.ops.lifecycle import Split
from mlops_compiler.ir.ops.preparation import FusedPrepare, Matrix, NamedStep, Prepare, Project
from mlops_compiler.ir.ops.prepare import Filter, is_fitted
from mlops_compiler.ir.program import Node
from mlops_compiler.ir.schema import Schema
from mlops_compiler.passes.rebuild import rebuild
from mlops_compiler.tables.steps import reads, writes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlops_compiler.ir.ops.prepare import StepOp
    from mlops_compiler.ir.program import Program


def push_filters(program: Program) -> Program:
    """Move filters up, and those that come first into the reading."""
    if program.of(FusedPrepare):
        return program
    before = [(node, op.step) for node, op in program.of(Prepare)]
    steps = _moved_up(before)
    leading = next((index for index, (_, step) in enumerate(steps) if not isinstance(step, Filter)), len(steps))
    if leading == 0:
        return program if steps == before else rebuild(program, before[0][0].inputs, steps)
    return _into_reading(program, steps[:leading], steps[leading:])


def _moved_up(steps: list[tuple[Node, StepOp]]) -> list[tuple[Node, StepOp]]:
    moved: list[tuple[Node, StepOp]] = []
    for node, step in steps:
        place = len(moved)
        if isinstance(step, Filter):
            while place > 0 and _passes(step, moved[place - 1][1]):
                place -= 1
        moved.insert(place, (node, step))
    return moved


def _passes(step: Filter, before: StepOp) -> bool:
    if isinstance(before, Filter) or is_fitted(before):
        return False
    return not set(reads(step)).intersection(writes(before))


def _into_reading(
    program: Program, filters: Sequence[tuple[Node, StepOp]], steps: list[tuple[Node, StepOp]]
) -> Program:
    held = next((node for node in program if isinstance(node.op, Project)), None)
    schema = (held or program["snapshot"]).schema or Schema(())
    op = held.op if held is not None and isinstance(held.op, Project) else Project(columns=schema.names)
    needed = _needed(program, steps, schema.names)
    named = tuple(_named(node, step) for node, step in filters)
    columns = tuple(name for name in op.columns if name in needed)
    project = Node(
        name="project",
        op=replace(op, columns=columns, filters=(*op.filters, *named)),
        inputs=("snapshot", "split"),
        schema=schema.select(columns),
    )
    return rebuild(program, ("project",), steps, project=project)


def _named(node: Node, step: StepOp) -> NamedStep:
    because = node.op.because if isinstance(node.op, Prepare) else None
    return NamedStep(name=node.name.removeprefix("prepare."), step=step, because=because, span=node.span)


def _needed(program: Program, steps: Sequence[tuple[Node, StepOp]], names: tuple[str, ...]) -> set[str]:
    """Name the columns that are needed once the filters are done: by steps, features and the target.

    A column that nobody pruned is kept: only what the filters alone read falls away.
    """
    read = {name for _, step in steps for name in (*reads(step), *writes(step))}
    wanted = {*program.the(Matrix)[1].features, *program.the(Split)[1].targets, *read}
    pruned = any(isinstance(node.op, Project) for node in program)
    return wanted if pruned else set(names)
