"""Adjacent steps become one lazy query, and all that they learn comes from one scan of the rows.

Before::

    prepare.impute -> prepare.derive -> prepare.scale -> prepare.encode      (three scans to fit)

After::

    prepare.1 [impute, derive, scale, encode]                               (one scan to fit)
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from mlops_compiler.ir.ops.preparation import FusedPrepare, NamedStep, Prepare
from mlops_compiler.tables.fusion import group_steps

if TYPE_CHECKING:
    from mlops_compiler.ir.ops.preparation import Scope
    from mlops_compiler.ir.program import Node, Program

_SCOPES: tuple[Scope, ...] = ("table", "fold")
"""What runs once stands first."""


def fuse_frames(program: Program) -> Program:
    """Fuse the steps of the preparation into as few nodes as their statistics allow."""
    steps = program.of(Prepare)
    if not steps:
        return program
    fused = _fuse([node for node, _ in steps])
    names = {node.name for node, _ in steps}
    nodes: list[Node] = []
    for node in program:
        if node.name == steps[0][0].name:
            nodes += fused
        if node.name not in names:
            inputs = tuple(fused[-1].name if name in names else name for name in node.inputs)
            nodes.append(replace(node, inputs=inputs))
    return program.with_nodes(nodes)


def _fuse(steps: list[Node]) -> list[Node]:
    by_name = {node.name.removeprefix("prepare."): node for node in steps}
    fused: list[Node] = []
    groups = [(scope, group) for scope in _SCOPES for group in group_steps(_of_scope(steps, scope))]
    for number, (scope, group) in enumerate(groups, start=1):
        inputs = (fused[-1].name,) if fused else steps[0].inputs
        last = by_name[group[-1].name]
        op = FusedPrepare(steps=group, scope=scope)
        fused.append(replace(last, name=f"prepare.{number}", op=op, inputs=inputs, span=by_name[group[0].name].span))
    return fused


def _of_scope(steps: list[Node], scope: Scope) -> list[NamedStep]:
    return [_named(node) for node in steps if isinstance(node.op, Prepare) and node.op.scope == scope]


def _named(node: Node) -> NamedStep:
    if not isinstance(node.op, Prepare):
        raise TypeError(f"{node.name} is no step")
    return NamedStep(
        name=node.name.removeprefix("prepare."), step=node.op.step, because=node.op.because, span=node.span
    )
