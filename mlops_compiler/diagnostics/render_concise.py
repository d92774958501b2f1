"""Diagnostics as one line each, in the form that editors know: ``file:line:column: error[code] headline``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_compiler.diagnostics.secrets import mask
from mlops_compiler.diagnostics.text import one_line

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mlops_compiler.diagnostics.diagnostic import Diagnostic


def render_concise(diagnostics: Iterable[Diagnostic]) -> str:
    """Render findings, a line each; notes and help are left out."""
    return mask("".join(f"{_one(item)}\n" for item in diagnostics))


def _one(item: Diagnostic) -> str:
    place = f"{item.span.place}: " if item.span is not None else ""
    return one_line(f"{place}{item.severity}[{item.code}] {item.headline}")
