"""Tells findings in the style that was asked for: to people on standard error, to programs on standard output."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from mlops_compiler.commands.base import print_json
from mlops_compiler.diagnostics import render_concise, render_github, render_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlops_compiler.diagnostics import Diagnostic


def tell(diagnostics: Sequence[Diagnostic], style: str) -> None:
    """Tell why a command ends: all that was found.

    Args:
        diagnostics: The findings.
        style: ``full``, ``concise``, ``json`` (one document under ``errors``) or ``github`` (workflow commands).
    """
    if style == "json":
        errors = [item for item in diagnostics if item.is_error]
        warnings = [item for item in diagnostics if not item.is_error]
        print_json({"errors": render_json(errors), **({"warnings": render_json(warnings)} if warnings else {})})
    else:
        tell_beside(diagnostics, style)


def tell_beside(diagnostics: Sequence[Diagnostic], style: str) -> None:
    """Tell findings beside what a command was asked for; as JSON they are part of that, and not told here."""
    if not diagnostics or style == "json":
        return
    if style == "github":  # the runner reads these on either stream, and shows them beside the lines they are about
        sys.stdout.write(render_github(diagnostics))
    elif style == "concise":
        sys.stderr.write(render_concise(diagnostics))
    else:
        from mlops_compiler.console.diagnostics_view import print_diagnostics
        from mlops_compiler.console.streams import messages

        print_diagnostics(diagnostics, messages())
