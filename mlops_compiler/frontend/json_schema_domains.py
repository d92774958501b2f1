"""In the schema for editors, a search domain may stand wherever a value of a step may, and for the step itself."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from mlops_compiler.ir.domain import DOMAINS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

Json = dict[str, Any]

_BOUND = {"$ref": "#/$defs/bounds"}
DOMAIN: Json = {
    "description": "A search domain.",
    "type": "object",
    "properties": {
        name: {"description": "One of these.", "type": "array", "minItems": 1}
        if name == "choice"
        else {"description": "A number from low to high.", **_BOUND}
        for name in DOMAINS
    },
    "additionalProperties": False,
    "minProperties": 1,
    "maxProperties": 1,
}
"""What tells a domain from a mapping that has the same key for another reason: a list."""
_IS_DOMAIN, _STEP = {"$ref": "#/$defs/domain"}, {"$ref": "#/$defs/step"}
_SAID = ("description", "default")


def open_steps(prepare: Json, definitions: Mapping[str, Json]) -> tuple[Json, dict[str, Json]]:
    """Let domains stand in the preparation.

    Args:
        prepare: The schema of the section.
        definitions: All definitions; those of steps are among them.

    Returns:
        The section, and the definitions that it needs; those of steps are other ones than before.
    """
    made = copy.deepcopy(prepare)
    section = made.get("else", made)
    ((pattern, step),) = section["patternProperties"].items()
    section["patternProperties"] = {pattern: _STEP}
    opened = {name: _opened(definitions[name]) for name in _referred(step)}
    either = {"anyOf": [{"type": "null"}, _STEP]}
    chosen = {"if": _IS_DOMAIN, "then": {"properties": {"choice": {"items": either}}}, "else": _opened(step)}
    return made, {**definitions, **opened, "domain": DOMAIN, "step": chosen}


def _referred(schema: Any) -> Iterator[str]:
    if isinstance(schema, dict):
        if "$ref" in schema:
            yield schema["$ref"].rpartition("/")[2]
        schema = list(schema.values())
    for item in schema if isinstance(schema, list) else ():
        yield from _referred(item)


def _opened(schema: Any) -> Any:
    """Let a domain stand for each value inside a schema."""
    if isinstance(schema, list):
        return [_opened(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    made: Json = {}
    for key, item in schema.items():
        if key == "properties":
            made[key] = {name: _or_domain(value) for name, value in item.items()}
        elif key in {"items", "additionalProperties"} and isinstance(item, dict):
            made[key] = {"if": _IS_DOMAIN, "else": _opened(item)}
        else:
            made[key] = item if key in {"if", "default", "enum", "const", "examples", "allOf"} else _opened(item)
    return made


def _has_mapping(schema: Any) -> bool:
    inside = list(schema.values()) if isinstance(schema, dict) else schema if isinstance(schema, list) else []
    return (isinstance(schema, dict) and "properties" in schema) or any(map(_has_mapping, inside))


def _or_domain(value: Json) -> Json:
    """Let a domain stand for the value of a key, each alternative of a choice as the key takes it."""
    about: Json = {key: value[key] for key in _SAID if key in value}
    plain = {key: item for key, item in value.items() if key not in about}
    opened = _opened(plain)
    if _has_mapping(plain):  # its keys are told where it stands for itself; twice would be too much of a schema
        return {**about, "if": _IS_DOMAIN, "else": opened}
    alternative = {"if": _IS_DOMAIN, "else": opened}
    return {**about, "if": _IS_DOMAIN, "then": {"properties": {"choice": {"items": alternative}}}, "else": opened}
