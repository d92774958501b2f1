"""Diagnostics as GitHub's workflow commands, which annotate the lines of a pull request.

The form, and how its characters are escaped, are those of GitHub's documentation, "Workflow commands".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_compiler.diagnostics.secrets import mask
from mlops_compiler.diagnostics.span import COMMAND_LINE
from mlops_compiler.diagnostics.text import lines

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mlops_compiler.diagnostics.diagnostic import Diagnostic

_DATA = {"%": "%25", "\r": "%0D", "\n": "%0A"}
_PROPERTY = {**_DATA, ":": "%3A", ",": "%2C"}


def render_github(diagnostics: Iterable[Diagnostic]) -> str:
    """Render findings, a command each."""
    return "".join(f"{_one(item)}\n" for item in diagnostics)


def _one(item: Diagnostic) -> str:
    told = [item.headline, *(note.text for note in item.notes), *([f"help: {item.help}"] if item.help else [])]
    properties: dict[str, object] = {"title": f"{item.severity}[{item.code}]"}
    span = item.span
    if span is not None and span.source != COMMAND_LINE:
        end = span.column + span.length
        properties = {"file": span.source, "line": span.line, "col": span.column, "endColumn": end, **properties}
    elif span is not None:
        told.append(span.place)
    named = ",".join(f"{name}={_escaped(str(value), _PROPERTY)}" for name, value in properties.items())
    return f"::{item.severity} {named}::{_escaped(lines(mask(chr(10).join(told))), _DATA)}"


def _escaped(text: str, table: dict[str, str]) -> str:
    return "".join(table.get(letter, letter) for letter in text)
