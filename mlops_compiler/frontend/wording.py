"""How a message says what is expected at a place, and what was given there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, get_args, get_origin

from mlops_compiler.diagnostics import listing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlops_compiler.frontend.shape import Shape
    from mlops_compiler.frontend.yaml_spans import KeyPath

_ROOM = 40
_LIMITS = {"ge": "of at least", "gt": "greater than", "le": "of at most", "lt": "less than"}
_NOUNS = {
    int: ("a whole number", "whole numbers"),
    float: ("a number", "numbers"),
    str: ("a text", "texts"),
    bool: ("true or false", "true or false"),
}


def dotted(path: KeyPath) -> str:
    """Write a path as in an override."""
    return ".".join(map(str, path))


def given(value: object) -> str:
    """Say what was found."""
    match value:
        case None:
            return "nothing"
        case bool():
            return str(value).lower()
        case int() | float():
            return f"the number {value}"
        case str():
            return f"the text '{_short(value)}'"
        case list():
            return f"a list of {len(value)}" if value else "an empty list"
        case _:
            return "a mapping"


def expected(shape: Shape) -> str:
    """Say what may stand at a place: ``a whole number from 1 to 50``."""
    literals = [value for arm in shape.arms if get_origin(arm.type) is Literal for value in get_args(arm.type)]
    others = dict.fromkeys(_noun(arm, plural=False) for arm in shape.arms if get_origin(arm.type) is not Literal)
    words = [*([_one_of(literals)] if literals else []), *others]
    if shape.is_searchable:
        words.append("a search domain")
    bounds = _bounds(shape.rules) if len(shape.arms) == 1 and shape.arms[0] is not shape else ""
    return _or(words) + bounds


def _noun(arm: Shape, *, plural: bool) -> str:
    if arm.type in _NOUNS:
        return _NOUNS[arm.type][plural] + _bounds(arm.rules)
    arguments = get_args(arm.type)
    if get_origin(arm.type) is tuple and arguments[-1] is not Ellipsis:
        return f"a list of {len(arguments)} {_items(arm)}"
    if get_origin(arm.type) in {tuple, list}:
        return f"a list of {_items(arm)}"
    return "mappings" if plural else "a mapping"


def _items(arm: Shape) -> str:
    item = arm.child(0)
    if item is None:
        return "values"
    words = [
        _one_of(get_args(part.type)) if get_origin(part.type) is Literal else _noun(part, plural=True)
        for part in item.arms
    ]
    return _or(list(dict.fromkeys(words)))


def _one_of(literals: Sequence[Any]) -> str:
    return listing(map(str, literals)).replace(" and `", " or `")


def _or(words: Sequence[str]) -> str:
    return " or ".join(filter(None, [", ".join(words[:-1]), *words[-1:]]))


def _bounds(rules: Sequence[Any]) -> str:
    found = [(name, getattr(rule, name)) for rule in rules for name in _LIMITS if hasattr(rule, name)]
    limits = dict(found)
    if "ge" in limits and "le" in limits:
        return f" from {_number(limits['ge'])} to {_number(limits['le'])}"
    phrases = [f"{_LIMITS[name]} {_number(limit)}" for name, limit in limits.items()]
    return " " + " and ".join(phrases) if phrases else ""


def _number(value: float) -> str:
    return f"{int(value):,}" if value == int(value) else f"{value:g}"


def _short(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= _ROOM else f"{flat[: _ROOM - 3]}..."
