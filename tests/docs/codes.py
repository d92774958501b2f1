"""Collects every diagnostic code of the sources, by reading how codes are passed around.

A code is what is given for a parameter or field named `code`, or stands under ``error`` beside ``faults`` in an
answer of the service. An expression that cannot be followed to its texts is an error here: none is overlooked.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TypeAlias

import mlops_compiler

Function: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Taker:
    """Something that can be called with a code: where it stands among the arguments, and what it is by default."""

    position: int | None
    default: ast.expr | None = None


@dataclass
class Module:
    """A module, with what encloses each of its nodes."""

    path: Path
    tree: ast.Module
    parents: dict[ast.AST, ast.AST] = field(default_factory=dict)

    def __post_init__(self):
        for node in ast.walk(self.tree):
            self.parents |= dict.fromkeys(ast.iter_child_nodes(node), node)

    def enclosing(self, node: ast.AST, *kinds: type[ast.AST]) -> ast.AST | None:
        while (node := self.parents.get(node)) is not None:
            if isinstance(node, kinds):
                return node
        return None

    @cached_property
    def takers(self) -> dict[str, Taker]:
        """Functions and classes of the module that take a code."""
        found: dict[str, Taker] = {}
        for node in ast.walk(self.tree):
            if isinstance(node, ast.ClassDef) and "code" in _annotated(node):
                found.setdefault(node.name, Taker(position=None))
            elif isinstance(node, Function) and (taker := _taker(node)) is not None:
                owner = self.parents[node]
                made = isinstance(owner, ast.ClassDef) and node.name == "__init__"
                found[owner.name if made else node.name] = taker
        return found

    def calls(self, name: str) -> list[ast.Call]:
        return [node for node in ast.walk(self.tree) if isinstance(node, ast.Call) and _name(node.func) == name]


def _annotated(node: ast.ClassDef) -> set[str]:
    return {
        item.target.id for item in node.body if isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name)
    }


def _parameters(node: Function) -> list[str]:
    names = [item.arg for item in (*node.args.posonlyargs, *node.args.args)]
    return names[1:] if names[:1] in (["self"], ["cls"]) else names


def _taker(node: Function) -> Taker | None:
    names = _parameters(node)
    if "code" in [item.arg for item in node.args.kwonlyargs]:
        return Taker(position=None)
    if "code" not in names:
        return None
    behind = names.index("code") - len(names) + len(node.args.defaults)
    return Taker(position=names.index("code"), default=node.args.defaults[behind] if behind >= 0 else None)


def _name(node: ast.expr) -> str | None:
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else None


def _argument(call: ast.Call, name: str, position: int | None) -> ast.expr | None:
    for keyword in call.keywords:
        if keyword.arg == name:
            return keyword.value
    return call.args[position] if position is not None and position < len(call.args) else None


class Unreadable(AssertionError):
    """A code comes from an expression that is not followed."""

    def __init__(self, module: Module, node: ast.AST) -> None:
        super().__init__(f"{module.path.name}:{getattr(node, 'lineno', '?')}: whence is `{ast.unparse(node)}`?")


def _texts(node: ast.expr, module: Module) -> set[str]:
    """Follow an expression to the texts that it can be; none where it only passes on what was collected elsewhere."""
    match node:
        case ast.Constant(value=str(text)):
            return {text}
        case ast.IfExp(body=body, orelse=other):
            return _texts(body, module) | _texts(other, module)
        case ast.Attribute(attr="code") | ast.Subscript(slice=ast.Constant(value="code")):
            return set()
        case ast.Name(id=name):
            return _named(name, node, module)
        case ast.JoinedStr(values=parts):
            made = {""}
            for part in parts:
                ends = _texts(part.value if isinstance(part, ast.FormattedValue) else part, module)
                made = {start + end for start in made for end in ends}
            return made
        case ast.Call(func=ast.Attribute(value=ast.Dict(values=values), attr="get"), args=[_, other]):
            return set().union(*(_texts(value, module) for value in (*values, other)))
    raise Unreadable(module, node)


def _named(name: str, node: ast.expr, module: Module) -> set[str]:
    function = module.enclosing(node, ast.FunctionDef, ast.AsyncFunctionDef)
    if function is None:
        raise Unreadable(module, node)
    for item in ast.walk(function):
        if isinstance(item, ast.Assign):
            match item.targets[0]:
                case ast.Name(id=found) if found == name:
                    return _texts(item.value, module)
                case ast.Tuple(elts=elements) if name in map(_name, elements):
                    return _returned(item.value, list(map(_name, elements)).index(name), module)
    if name == "code":  # a parameter: its callers give it, and they are collected
        return set()
    names = _parameters(function)
    keywords = [item.arg for item in function.args.kwonlyargs]
    if name not in names + keywords:
        raise Unreadable(module, node)
    given = [
        _argument(call, name, names.index(name) if name in names else None) for call in module.calls(function.name)
    ]
    if not given or None in given:
        raise Unreadable(module, node)
    return set().union(*(_texts(value, module) for value in given))


def _returned(call: ast.expr, index: int, module: Module) -> set[str]:
    name = _name(call.func) if isinstance(call, ast.Call) else None
    functions = [item for item in module.tree.body if isinstance(item, Function) and item.name == name]
    pairs = [item.value for function in functions for item in ast.walk(function) if isinstance(item, ast.Return)]
    if not pairs or not all(isinstance(pair, ast.Tuple) for pair in pairs):
        raise Unreadable(module, call)
    return set().union(*(_texts(pair.elts[index], module) for pair in pairs))


def _given(module: Module, takers: dict[str, Taker]) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(module.tree):
        if not isinstance(node, ast.Call):
            continue
        name = _name(node.func)
        if name == "cls" and (owner := module.enclosing(node, ast.ClassDef)) is not None:
            name = owner.name
        taker = module.takers.get(name) or takers.get(name)
        if taker is None:
            if any(keyword.arg == "code" for keyword in node.keywords):
                raise Unreadable(module, node)
            continue
        value = _argument(node, "code", taker.position) or taker.default
        if value is not None:
            found |= _texts(value, module)
    return found


def _answered(module: Module) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Dict):
            entries = {key.value: value for key, value in zip(node.keys, node.values, strict=True) if isinstance(key, ast.Constant)}
            if entries.keys() >= {"error", "faults"}:
                found |= _texts(entries["error"], module)
    return found


def collect() -> set[str]:
    """Collect every code of the package."""
    root = Path(mlops_compiler.__file__).parent
    modules = [Module(path=path, tree=ast.parse(path.read_text())) for path in sorted(root.rglob("*.py"))]
    public = {
        name: taker for module in modules for name, taker in module.takers.items() if not name.startswith("_")
    }
    return set().union(*(_given(module, public) | _answered(module) for module in modules))
