"""Diagnostics on the terminal: the very text of `render_text`, coloured for people and bare for programs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rich.text import Text

from mlops_compiler.console.text import clean_lines
from mlops_compiler.diagnostics import render_text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.console import Console

    from mlops_compiler.diagnostics import Diagnostic

_STYLES = (
    (re.compile(r"^error\[[^\]]*\]:"), "bold red"),
    (re.compile(r"^warning\[[^\]]*\]:"), "bold yellow"),
    (re.compile(r"^ +-->"), "bold blue"),
    (re.compile(r"^ *\d* \|"), "blue"),
    (re.compile(r"^ += help:.*"), "green"),
    (re.compile(r"^ += note:"), "bold"),
)
_CARETS = re.compile(r"^ +\| +(\^+)$")


def print_diagnostics(diagnostics: Iterable[Diagnostic], console: Console) -> None:
    """Print findings; lines are never broken here, so that places can be clicked and text can be searched."""
    text = clean_lines(render_text(diagnostics))
    tone = "bold red"
    for raw in text.splitlines():
        tone = {"e": "bold red", "w": "bold yellow"}.get(raw[:1], tone)
        console.print(_coloured(raw, tone), soft_wrap=True)


def _coloured(raw: str, tone: str) -> Text:
    text = Text(raw)
    if carets := _CARETS.match(raw):
        text.stylize(tone, *carets.span(1))
    for pattern, style in _STYLES:
        if found := pattern.match(raw):
            text.stylize(style, *found.span())
    return text
