"""Puts another preparation into a program: each step's schema is inferred anew, and each reads the one before it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from mlops_compiler.ir.ops.preparation import Matrix, Prepare, Project
from mlops_compiler.ir.schema import Schema
from mlops_compiler.tables.infer import infer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlops_compiler.ir.ops.preparation import Scope
    from mlops_compiler.ir.ops.prepare import StepOp
    from mlops_compiler.ir.program import Node, Program


def rebuild(
    program: Program,
    first: tuple[str, ...],
    steps: Sequence[tuple[Node, StepOp]],
    *,
    project: Node | None = None,
    scopes: dict[str, Scope] | None = None,
) -> Program:
    """Make the same program with another preparation.

    Args:
        program: The program; its steps are not fused.
        first: What the first step reads.
        steps: The nodes of the steps, in their new order, each with its new step.
        project: The node that reads the snapshot, where it is another one than before.
        scopes: The scopes of steps that get another one, by the name of the node.
    """
    held = project or next((node for node in program if isinstance(node.op, Project)), None)
    schema = (held or program["snapshot"]).schema or Schema(())
    made: list[Node] = []
    last = (held.name,) if held is not None else first
    for node, step in steps:
        schema = infer(step, schema)
        op = node.op if isinstance(node.op, Prepare) else Prepare(step=step)
        scope = (scopes or {}).get(node.name, op.scope)
        made.append(replace(node, op=replace(op, step=step, scope=scope), inputs=last, schema=schema))
        last = (node.name,)
    nodes: list[Node] = []
    for node in program:
        if isinstance(node.op, Matrix):
            nodes += [*([held] if held is not None else []), *made, replace(node, inputs=last)]
        elif not isinstance(node.op, Prepare | Project):
            nodes.append(node)
    return program.with_nodes(nodes)
