"""What holds of every program, before and after each pass."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_compiler.ir.ops.preparation import FusedPrepare, Matrix, Prepare, Project
from mlops_compiler.ir.schema import Known, Role
from mlops_compiler.tables.infer import infer

if TYPE_CHECKING:
    from mlops_compiler.ir.program import Node, Program
    from mlops_compiler.ir.schema import Schema


def verify(program: Program) -> None:
    """Check that every table edge has the schema that its node gives, and that no leak reaches the matrix.

    Raises:
        ValueError: It does not hold; a defect of the compiler.
    """
    for node in program:
        if isinstance(node.op, Prepare | FusedPrepare | Project):
            _schema_holds(program, node)
    node, matrix = program.the(Matrix)
    if node.schema is None or node.schema.names != matrix.features:
        raise ValueError("the matrix and its schema name other columns")
    for column in node.schema:
        if column.role is not Role.FEATURE or column.known is Known.AFTER_OUTCOME:
            raise ValueError(f"column {column.name!r} may not reach the matrix")


def _schema_holds(program: Program, node: Node) -> None:
    reached = program[node.inputs[0]].schema
    if reached is None or node.schema is None:
        raise ValueError(f"node {node.name!r} has no schema")
    if (given := _infer(node, reached)) != node.schema:
        raise ValueError(f"node {node.name!r} gives {given.names}, not {node.schema.names}")


def _infer(node: Node, schema: Schema) -> Schema:
    match node.op:
        case Project(columns=columns):
            return schema.select(columns)
        case Prepare(step=step):
            return infer(step, schema)
        case FusedPrepare(steps=steps):
            for named in steps:
                schema = infer(named.step, schema)
            return schema
        case _:
            raise ValueError(f"node {node.name!r} is no step")
