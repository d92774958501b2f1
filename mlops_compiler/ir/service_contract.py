"""What a service asks of its clients follows from the program: the columns of the source that some feature needs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlops_compiler.ir.ops.intake import Check
from mlops_compiler.ir.ops.preparation import Matrix

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from mlops_compiler.ir.ops.intake import ColumnCheck
    from mlops_compiler.ir.program import Node


def request_fields(nodes: Iterable[Node]) -> list[dict[str, Any]]:
    """List the fields of a request, in the order of the contract, as JSON-ready objects.

    Args:
        nodes: Those of a program, or of a stage; the contract and the matrix are among them.
    """
    listed = list(nodes)
    schema = next(node.schema for node in listed if isinstance(node.op, Matrix)) or ()
    return fields_of(listed, {origin for column in schema for origin in column.origins})


def fields_of(nodes: Iterable[Node], wanted: Collection[str]) -> list[dict[str, Any]]:
    """Describe some columns of the contract as the fields of a request.

    Args:
        nodes: As above; the contract is among them.
        wanted: Columns of the contract.
    """
    check = next(node.op for node in nodes if isinstance(node.op, Check))
    return [_field(column) for column in check.columns if column.name in wanted]


def _field(column: ColumnCheck) -> dict[str, Any]:
    strict = column.severity == "error"
    return {
        "name": column.name,
        "type": column.type,
        "nullable": column.nullable,
        "range": list(column.range) if column.range and strict else None,
        "one_of": list(column.one_of) if column.one_of and strict else None,
        **({"pattern": column.pattern} if column.pattern and strict else {}),
        "required": not column.nullable,
        "description": column.description,
    }
