"""Diagnostics as JSON for programs: the same facts as the text, nothing more."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from mlops_compiler.diagnostics.secrets import mask

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mlops_compiler.diagnostics.diagnostic import Diagnostic


def render_json(diagnostics: Iterable[Diagnostic]) -> list[dict[str, Any]]:
    """Return the findings as JSON-ready objects, in order."""
    return [_masked({**asdict(item), "severity": str(item.severity)}) for item in diagnostics]


def _masked(value: Any) -> Any:
    match value:
        case str():
            return mask(value)
        case dict():
            return {name: _masked(item) for name, item in value.items()}
        case list() | tuple():
            return [_masked(item) for item in value]
    return value
