"""Columns that reach no feature are never read: the snapshot is projected, and steps that made nothing else fall away.

Before::

    snapshot: id, a, b -> drop b -> matrix: a

After::

    snapshot: id, a, b -> project a -> matrix: a
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_compiler.ir.ops.lifecycle import Split
from mlops_compiler.ir.ops.preparation import FusedPrepare, Matrix, Prepare, Project
from mlops_compiler.ir.program import Node
from mlops_compiler.passes.rebuild import rebuild
from mlops_compiler.tables.steps import narrow, opens, reads, writes

if TYPE_CHECKING:
    from mlops_compiler.ir.ops.prepare import StepOp
    from mlops_compiler.ir.program import Program
    from mlops_compiler.ir.schema import Schema


def prune_columns(program: Program) -> Program:
    """Project the snapshot to the columns that features, filters and the target need."""
    if any(isinstance(node.op, Project | FusedPrepare) for node in program):
        return program  # its columns are chosen already
    steps = [(node, op.step) for node, op in program.of(Prepare)]
    kept, live = _walk_back(steps, {*program.the(Matrix)[1].features, *program.the(Split)[1].targets})
    schema = program["snapshot"].schema
    if schema is None or (set(schema.names) <= live and len(kept) == len(steps)):
        return program
    project = _project(schema, live)
    return rebuild(program, ("project",), kept, project=project)


def _walk_back(steps: list[tuple[Node, StepOp]], live: set[str]) -> tuple[list[tuple[Node, StepOp]], set[str]]:
    """Go from the matrix to the snapshot; keep steps that make something live and collect what they read."""
    kept: list[tuple[Node, StepOp]] = []
    for node, step in reversed(steps):
        if (narrowed := narrow(step, live)) is not None:
            kept.append((node, narrowed))
            live = (live - _made(narrowed)) | set(reads(narrowed))
    return kept[::-1], live


def _made(step: StepOp) -> set[str]:
    return {*writes(step), *opens(step)}


def _project(schema: Schema, live: set[str]) -> Node:
    columns = tuple(name for name in schema.names if name in live)
    return Node(
        name="project",
        op=Project(columns=columns),
        inputs=("snapshot", "split"),
        schema=schema.select(columns),
    )
