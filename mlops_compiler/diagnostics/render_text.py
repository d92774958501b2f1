"""Diagnostics as text for people: headline, place, caret, notes, help."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_compiler.diagnostics.secrets import mask
from mlops_compiler.diagnostics.span import COMMAND_LINE

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mlops_compiler.diagnostics.diagnostic import Diagnostic
from mlops_compiler.diagnostics.span import Span

_WIDTH = 100


def render_text(diagnostics: Iterable[Diagnostic]) -> str:
    """Render findings one after another, separated by blank lines, with no colour."""
    return mask("\n\n".join(_one(item) for item in diagnostics))


def _one(item: Diagnostic) -> str:
    lines = [f"{item.severity}[{item.code}]: {item.headline}"]
    gutter = " "
    if item.span is not None:
        gutter = " " * max(1, len(str(item.span.line)))
        lines += _place(item.span, gutter)
    for note in item.notes:
        lines.append(f"{gutter} = note: " + note.text.replace("\n", f"\n{gutter}         "))
        if note.span is not None:
            lines += _place(note.span, gutter)
    if item.help is not None:
        lines.append(f"{gutter} = help: " + item.help.replace("\n", f"\n{gutter}         "))
    return "\n".join(lines)


def _place(span: Span, gutter: str) -> list[str]:
    if span.source == COMMAND_LINE:
        return (
            [f"{gutter}--> {span.place}", *_caret(span, gutter)[1:]]
            if span.column > 1
            else [f"{gutter}--> {span.place}"]
        )
    return [f"{gutter}--> {span.place}", *_caret(span, gutter)]


def _caret(span: Span, gutter: str) -> list[str]:
    """Show the line and the caret, both cut to a window around the span where the line is long."""
    start = max(0, span.column - 1)
    offset = max(0, start - _WIDTH // 2) if len(span.text) > _WIDTH else 0
    shown = span.text[offset : offset + _WIDTH].replace("\t", " ")
    carets = min(max(1, span.length), max(1, len(shown) - (start - offset)))
    number = str(span.line).rjust(len(gutter)) if span.line else gutter
    return [
        f"{gutter} |",
        f"{number} | {shown}".rstrip(),
        f"{gutter} | {' ' * (start - offset)}{'^' * carets}",
    ]
