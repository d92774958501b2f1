"""`explain CODE` prints what the documentation says of a code; without one, all codes."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from mlops_compiler.commands.base import DONE
from mlops_compiler.console.explain_view import print_codes, print_page
from mlops_compiler.console.streams import results
from mlops_compiler.diagnostics import Diagnostic, Span, UsageError, did_you_mean, nearest
from mlops_compiler.diagnostics.pages import read_pages
from mlops_compiler.frontend.folders import shipped

if TYPE_CHECKING:
    from mlops_compiler.commands.base import Invocation


def explain(invocation: Invocation) -> int:
    """Tell what a code means, why, and how to mend it.

    Raises:
        UsageError: There is no such code.
    """
    pages = read_pages(shipped("docs"))
    asked = next(iter(invocation.words), None)
    if asked is not None and asked not in pages:
        raise UsageError([_unknown(asked, list(pages))])
    chosen = list(pages.values()) if asked is None else [pages[asked]]
    if invocation.as_json:
        invocation.print_json([asdict(page) for page in chosen] if asked is None else asdict(chosen[0]))
    elif asked is None:
        print_codes(chosen, results())
    else:
        print_page(chosen[0], results())
    return DONE


def _unknown(asked: str, known: list[str]) -> Diagnostic:
    return Diagnostic(
        code="unknown-code",
        headline=f"there is no code `{asked}`",
        span=Span.of_token(asked),
        help=did_you_mean(asked, known) if nearest(asked, known) else "`mlops-compile explain` lists all of them",
    )
