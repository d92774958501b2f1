"""How a release's rows came to have their columns: joins and looks back, as data, for the files that it will score."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from mlops_compiler.ir.ops.intake import Check, History, Join, Read

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mlops_compiler.ir.program import Node


def origin_nodes(nodes: Iterable[Node]) -> tuple[Node, ...]:
    """Give the nodes that tell it: joins with what they read, looks back, and how the source is written."""
    return tuple(
        node
        for node in nodes
        if isinstance(node.op, Join | History)
        or (isinstance(node.op, Read) and node.name.partition(".")[0] == "source")
    )


def origin_of(nodes: Iterable[Node]) -> dict[str, Any]:
    """Write as JSON what a file needs that holds the source's own columns only.

    Returns:
        ``source``: how CSV is written; ``steps``: joins and looks back in order, each with its name, its kind under
        ``op``, its fields and, of a join, what it reads; ``types``: those of the contract by column.
    """
    listed = list(nodes)
    reads = {node.name: node.op for node in listed if isinstance(node.op, Read)}
    check = next(node.op for node in listed if isinstance(node.op, Check))
    steps: list[dict[str, Any]] = []
    for node in listed:
        short = node.name.partition(".")[2]
        if isinstance(node.op, Join):
            steps.append(
                {"name": short, "op": "join", "fields": asdict(node.op), "read": asdict(reads[f"source.{short}"])}
            )
        elif isinstance(node.op, History):
            steps.append({"name": short, "op": "history", "fields": asdict(node.op)})
    source = reads.get("source")
    form = {"separator": source.separator, "null_values": list(source.null_values)} if source is not None else {}
    types = {column.name: column.type for column in check.columns} if steps else {}
    return {"source": form, "steps": steps, "types": types}
