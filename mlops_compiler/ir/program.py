"""A program is a tuple of nodes in an order in which each comes after what it reads; nothing in it changes."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, TypeVar

from mlops_compiler.ir.ops.lifecycle import LifecycleOp

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from mlops_compiler.diagnostics import Span
    from mlops_compiler.ir.schema import Schema

OpT = TypeVar("OpT", bound=LifecycleOp)


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One verb of the lifecycle, where it reads from, and what it gives.

    Attributes:
        name: Unique in the program; a step of the preparation is ``prepare.NAME``.
        op: What it does.
        inputs: The names of the nodes that it reads.
        schema: The table that it gives; None where it gives none.
        description: What the recipe says of it.
        span: Where the recipe defines it; no part of its identity.
    """

    name: str
    op: LifecycleOp
    inputs: tuple[str, ...] = ()
    schema: Schema | None = None
    description: str | None = None
    span: Span | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """The typed program of a recipe.

    Raises:
        ValueError: A name stands twice, or a node reads one that does not come before it.
    """

    name: str
    nodes: tuple[Node, ...]

    def __post_init__(self) -> None:
        seen: set[str] = set()
        for node in self.nodes:
            if node.name in seen:
                raise ValueError(f"node {node.name!r} stands twice")
            if missing := [name for name in node.inputs if name not in seen]:
                raise ValueError(f"node {node.name!r} reads {missing[0]!r}, which does not come before it")
            seen.add(node.name)

    def __iter__(self) -> Iterator[Node]:
        return iter(self.nodes)

    def __getitem__(self, name: str) -> Node:
        for node in self.nodes:
            if node.name == name:
                return node
        raise KeyError(name)

    def of(self, kind: type[OpT]) -> tuple[tuple[Node, OpT], ...]:
        """The nodes of one kind of op, each with its op, in order."""
        return tuple((node, node.op) for node in self.nodes if isinstance(node.op, kind))

    def the(self, kind: type[OpT]) -> tuple[Node, OpT]:
        """The one node of a kind that a program has exactly one of."""
        (found,) = self.of(kind)
        return found

    def with_nodes(self, nodes: Iterable[Node]) -> Program:
        """Make the same program with other nodes."""
        return replace(self, nodes=tuple(nodes))
