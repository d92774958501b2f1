"""The composed recipe as YAML, each value beside who set it: what was composed, and why it came out so."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import yaml

from mlops_compiler.diagnostics import COMMAND_LINE, mask
from mlops_compiler.frontend.yaml_spans import written

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlops_compiler.diagnostics import Span
    from mlops_compiler.frontend.composed import Composed
    from mlops_compiler.frontend.provenance import Origin, Provenance
    from mlops_compiler.frontend.yaml_spans import KeyPath

_REFERENCE = re.compile(r"(?<!\\)\$\{([\w\-.]+)\}")
_WIDEST = 60
"""Comments of longer lines follow after two spaces, so that one long text does not push them all aside."""


def render(composed: Composed, *, origins: bool) -> str:
    """Write a composed recipe as YAML.

    Args:
        composed: The recipe; its references are resolved.
        origins: Whether to say behind each value where it was set, and what it overrode.
    """
    lines = list(_mapping(composed.config, (), 0))
    width = min(_WIDEST, max((len(text) for text, _ in lines), default=0))
    told = [(text, _origin(composed.provenance, path) if origins and path is not None else "") for text, path in lines]
    return mask("".join(f"{text:<{width}}  # {why}\n" if why else f"{text}\n" for text, why in told))


def origin_data(composed: Composed) -> list[dict[str, Any]]:
    """Say of each value who set it, as JSON-ready objects: path, value, place, and what was overridden."""
    return [
        {"path": ".".join(map(str, path)), "value": value, **_as_data(composed.provenance, path)}
        for path, value in _leaves(composed.config, ())
    ]


def _mapping(value: dict[str, Any], path: KeyPath, depth: int) -> Iterator[tuple[str, KeyPath | None]]:
    for key, item in value.items():
        yield from _entry(f"{'  ' * depth}{_scalar(key)}:", item, (*path, key), depth)


def _entry(head: str, item: Any, path: KeyPath, depth: int) -> Iterator[tuple[str, KeyPath | None]]:
    if isinstance(item, dict) and item:
        yield head, None
        yield from _mapping(item, path, depth + 1)
    elif isinstance(item, list) and any(isinstance(part, dict | list) for part in item):
        yield head, None
        for index, part in enumerate(item):
            yield f"{'  ' * (depth + 1)}- {_flow(part)}", (*path, index)
    else:
        yield f"{head} {_flow(item)}", path


def _flow(value: Any) -> str:
    if isinstance(value, dict | list):
        text: str = yaml.safe_dump(value, default_flow_style=True, width=10**9, sort_keys=False, allow_unicode=True)
        return text.rstrip("\n")
    return _scalar(value)


def _scalar(value: Any) -> str:
    text: str = yaml.safe_dump(value, default_flow_style=True, width=10**9, allow_unicode=True)
    return text.removesuffix("\n").removesuffix("\n...")


def _leaves(value: Any, path: KeyPath) -> Iterator[tuple[KeyPath, Any]]:
    if isinstance(value, dict) and value:
        for key, item in value.items():
            yield from _leaves(item, (*path, key))
    else:
        yield path, value


def _origin(provenance: Provenance, path: KeyPath) -> str:
    origin = provenance.origin(path)
    if origin is None:
        return ""
    parts = [_place(origin.value), *_referred(provenance, origin)]
    before = origin.overrode
    while before is not None:
        parts.append(f"was {_short(written(before.value))}, {_place(before.value)}")
        before = before.overrode
    return "; ".join(parts)


def _place(span: Span) -> str:
    return f"{COMMAND_LINE}: {span.text}" if span.source == COMMAND_LINE else span.place


def _referred(provenance: Provenance, origin: Origin) -> Iterator[str]:
    for reference in _REFERENCE.findall(written(origin.value)):
        path = tuple(int(part) if part.isdigit() else part for part in reference.split("."))
        if path in provenance.origins:
            yield f"${{{reference}}} is set at {_place(provenance.origins[path].value)}"


def _as_data(provenance: Provenance, path: KeyPath) -> dict[str, Any]:
    origin = provenance.origin(path)
    chain = []
    while origin is not None:
        key, value = origin.key, origin.value
        chain.append({"key": _span(key), "value": _span(value), "written": mask(written(value))})
        origin = origin.overrode
    return {"origin": chain[0] if chain else None, "overrode": chain[1:]}


def _span(span: Span) -> dict[str, Any]:
    if span.source == COMMAND_LINE:
        return {"source": COMMAND_LINE, "token": mask(span.text), "column": span.column, "length": span.length}
    return {"source": span.source, "line": span.line, "column": span.column, "length": span.length}


def _short(text: str) -> str:
    return text if len(text) <= 40 else f"{text[:37]}..."  # noqa: PLR2004 - room in a comment
