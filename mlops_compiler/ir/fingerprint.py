"""A fingerprint names a piece of work by all that can change its result, and by nothing else."""

from __future__ import annotations

import hashlib
import json
from dataclasses import fields, is_dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any

from mlops_compiler.diagnostics import Span

if TYPE_CHECKING:
    from collections.abc import Mapping

_NO_RESULT = frozenset({"description", "because", "span", "spans"})
"""Fields that people read and results do not depend on."""


def canonical(value: object) -> Any:
    """Turn a value of the program into JSON that is the same for the same meaning.

    Dataclasses become mappings tagged with their class; spans and descriptions are left out. Floats
    keep their shortest exact text, so that 0.1 stays 0.1.

    Raises:
        TypeError: A value has no canonical form.
    """
    match value:
        case None | bool() | int() | float() | str():
            return str(value) if isinstance(value, Enum) else value
        case list() | tuple():
            return [canonical(item) for item in value]
        case dict():
            return {str(key): canonical(item) for key, item in value.items()}
        case _ if is_dataclass(value) and not isinstance(value, type):
            named = {
                field.name: canonical(getattr(value, field.name))
                for field in fields(value)
                if field.name not in _NO_RESULT and not isinstance(getattr(value, field.name), Span)
            }
            return {type(value).__name__: named}
    raise TypeError(f"{type(value).__name__} has no canonical form")


def canonical_json(value: object) -> str:
    """Write a value's canonical form as compact JSON with sorted keys."""
    return json.dumps(canonical(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def fingerprint(value: object) -> str:
    """Hash a value's canonical form; 64 hexadecimal digits of SHA-256."""
    return hashlib.sha256(canonical_json(value).encode()).hexdigest()


def flatten(value: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Flatten nested mappings to dotted keys, so that two of them can be compared value by value."""
    flat: dict[str, Any] = {}
    for key, item in value.items():
        path = f"{prefix}{key}"
        if isinstance(item, dict) and item:
            flat |= flatten(item, f"{path}.")
        else:
            flat[path] = item
    return flat
