"""A SQL expression of a recipe as a function of one row, where Python computes each operation as Polars does.

Both follow IEEE 754, with a few habits of Polars' own: a column is divided by a constant as a product with its
reciprocal, and a constant 0 is no operand. What is not known to be alike has no compiled form.
"""

from __future__ import annotations

import operator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import orjson
import polars as pl

from mlops_compiler.serving.compiled.signals import Beyond, Uncompiled

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    Row: TypeAlias = Mapping[str, Any]
    Value: TypeAlias = Callable[[Row], Any]

Kind: TypeAlias = Literal["int", "float", "bool", "text"]
_INT64 = range(-(2**63), 2**63)
_ARITHMETIC: dict[str, Callable[[Any, Any], Any]] = {
    "Plus": operator.add,
    "Minus": operator.sub,
    "Multiply": operator.mul,
    "Mul": operator.mul,
}
_COMPARISONS: dict[str, Callable[[Any, Any], Any]] = {
    "Gt": operator.gt,
    "GtEq": operator.ge,
    "Lt": operator.lt,
    "LtEq": operator.le,
    "Eq": operator.eq,
    "NotEq": operator.ne,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A part of an expression.

    Attributes:
        kind: The type of its values.
        value: Computes it; None is what is missing.
        constant: Whether it is the same for each row.
    """

    kind: Kind
    value: Value
    constant: bool = False


def kind_of(dtype: pl.DataType) -> Kind:
    """Name the type of a column.

    Raises:
        Uncompiled: It is no number, truth or text.
    """
    kinds: dict[pl.DataType, Kind] = {
        pl.Int64(): "int",
        pl.Float64(): "float",
        pl.Boolean(): "bool",
        pl.String(): "text",
    }
    if dtype not in kinds:
        raise Uncompiled(str(dtype))
    return kinds[dtype]


def compile_expression(expression: pl.Expr, schema: Mapping[str, pl.DataType]) -> Node:
    """Compile an expression.

    Args:
        expression: As `tables.expressions.parse_expression` gives it.
        schema: The types of the columns that it may read.

    Raises:
        Uncompiled: It holds what is not known to be computed alike.
    """
    return _node(orjson.loads(expression.meta.serialize(format="json")), schema)


def _node(tree: Any, schema: Mapping[str, pl.DataType]) -> Node:
    """Compile a part of what Polars writes an expression as."""
    match tree:
        case {"Column": str(name)}:
            return Node(kind=kind_of(schema[name]), value=operator.itemgetter(name))
        case {"Literal": {"Dyn": value} | {"Scalar": value}}:
            return _literal(value)
        case {"BinaryExpr": {"left": left, "op": str(name), "right": right}}:
            return _binary(name, _node(left, schema), _node(right, schema))
        case {"Function": {"input": list(parts), "function": function}}:
            return _function(function, [_node(part, schema) for part in parts])
        case {"Ternary": {"predicate": predicate, "truthy": truthy, "falsy": falsy}}:
            return _either(*(_node(part, schema) for part in (predicate, truthy, falsy)))
        case {"Cast": {"expr": part, "dtype": {"Literal": "Float64"}, "options": "Strict"}}:
            return _as_float(_node(part, schema))
    raise Uncompiled(str(tree))


def _function(function: Any, parts: Sequence[Node]) -> Node:
    match function, parts:
        case {"Sql": {"Binary": str(name)}}, [left, right]:
            return _binary(name, left, right)
        case "MaxHorizontal" | "MinHorizontal", _:
            return _extreme(function, parts)
        case {"Boolean": "IsNull" | "IsNotNull" as name}, [part]:
            return _missing(part, wanted=name == "IsNull")
    raise Uncompiled(str(function))


def _literal(written: Any) -> Node:
    kinds: dict[str, Kind] = {"Int": "int", "Float": "float", "String": "text", "Boolean": "bool"}
    ((name, value),) = written.items() if isinstance(written, dict) else ((str(written), None),)
    if name not in kinds:
        raise Uncompiled(str(written))
    return Node(kind=kinds[name], value=lambda _: value, constant=True)


def _as_float(node: Node) -> Node:
    """Make numbers of one kind; Polars rounds a whole number to the nearest float, as Python does."""
    if node.kind == "float":
        return node
    if node.kind != "int":
        raise Uncompiled(node.kind)
    given = node.value

    def value(row: Row) -> float | None:
        found = given(row)
        return None if found is None else float(found)

    return Node(kind="float", value=value, constant=node.constant)


def _alike(nodes: Sequence[Node]) -> list[Node]:
    """Bring values to one kind."""
    kinds = {node.kind for node in nodes}
    if kinds == {"int", "float"}:
        return [_as_float(node) for node in nodes]
    if len(kinds) > 1 or all(node.constant for node in nodes):
        raise Uncompiled(str(kinds))
    return list(nodes)


def _binary(name: str, left: Node, right: Node) -> Node:
    if name in ("And", "Or"):
        return _logical(name, left, right)
    if name in _COMPARISONS:
        return _compared(name, *_alike((left, right)))
    if name == "Div":
        return _divided(_as_float(left), _as_float(right))
    if name not in _ARITHMETIC:
        raise Uncompiled(name)
    if any(node.constant and not node.value({}) for node in (left, right)):
        raise Uncompiled("a constant 0")
    return _calculated(_ARITHMETIC[name], *_alike((left, right)))


def _calculated(act: Callable[[Any, Any], Any], left: Node, right: Node) -> Node:
    a, b, kind = left.value, right.value, left.kind
    if kind not in ("int", "float"):
        raise Uncompiled(kind)

    def value(row: Row) -> Any:
        x, y = a(row), b(row)
        if x is None or y is None:
            return None
        found = act(x, y)
        if kind == "int" and found not in _INT64:
            raise Beyond("a whole number of more than 64 bits")
        return found

    return Node(kind=kind, value=value)


def _divided(left: Node, right: Node) -> Node:
    if left.constant and right.constant:
        raise Uncompiled("two constants")
    a, b = left.value, right.value
    if right.constant:
        if not (divisor := b({})):
            raise Uncompiled("a division by 0")
        reciprocal = 1.0 / divisor

        def scaled(row: Row) -> float | None:
            x = a(row)
            return None if x is None else x * reciprocal

        return Node(kind="float", value=scaled)

    def value(row: Row) -> float | None:
        x, y = a(row), b(row)
        if x is None or y is None:
            return None
        if y == 0:
            raise Beyond("a division by 0")
        quotient: float = x / y
        return quotient

    return Node(kind="float", value=value)


def _compared(name: str, left: Node, right: Node) -> Node:
    act, a, b = _COMPARISONS[name], left.value, right.value

    def value(row: Row) -> bool | None:
        x, y = a(row), b(row)
        if x is None or y is None:
            return None
        if x != x or y != y:  # noqa: PLR0124 - NaN, which Polars has an order for
            raise Beyond("NaN")
        return bool(act(x, y))

    return Node(kind="bool", value=value)


def _logical(name: str, left: Node, right: Node) -> Node:
    """Combine truths, of which some may be missing, by Kleene's rules."""
    if {left.kind, right.kind} != {"bool"}:
        raise Uncompiled(left.kind)
    a, b = left.value, right.value
    settles: bool = name == "Or"

    def value(row: Row) -> bool | None:
        x, y = a(row), b(row)
        if x is settles or y is settles:
            return bool(settles)
        both: bool = not settles
        return None if x is None or y is None else both

    return Node(kind="bool", value=value)


def _extreme(name: str, nodes: Sequence[Node]) -> Node:
    """Take the largest value, or the smallest one; what is missing does not count."""
    alike = _alike(nodes)
    if alike[0].kind not in ("int", "float"):
        raise Uncompiled(alike[0].kind)
    values, act = [node.value for node in alike], max if name == "MaxHorizontal" else min

    def value(row: Row) -> Any:
        found = [x for part in values if (x := part(row)) is not None]
        if any(x != x or (x == 0 and isinstance(x, float)) for x in found):  # noqa: PLR0124
            raise Beyond("NaN, or a 0 with a sign")
        return act(found) if found else None

    return Node(kind=alike[0].kind, value=value)


def _missing(node: Node, *, wanted: bool) -> Node:
    given = node.value
    return Node(kind="bool", value=lambda row: (given(row) is None) is wanted)


def _either(predicate: Node, truthy: Node, falsy: Node) -> Node:
    if predicate.kind != "bool":
        raise Uncompiled(predicate.kind)
    if truthy.kind != falsy.kind:
        truthy, falsy = _as_float(truthy), _as_float(falsy)
    asked, yes, no = predicate.value, truthy.value, falsy.value

    def value(row: Row) -> Any:
        # Polars computes both, and so does this: what is beyond one is beyond the row.
        first, second = yes(row), no(row)
        return first if asked(row) else second

    return Node(kind=truthy.kind, value=value)
