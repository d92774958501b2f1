"""Results go to standard output, everything else to standard error, so that ``--json`` output stays clean."""

from __future__ import annotations

from rich.console import Console


def results() -> Console:
    """Return the console of what a command was asked for."""
    return Console(highlight=False, markup=False, emoji=False)


def messages() -> Console:
    """Return the console of progress and diagnostics."""
    return Console(stderr=True, highlight=False, markup=False, emoji=False)


def say(text: str, style: str | None = None) -> None:
    """Say something beside the results."""
    messages().print(text, style=style, soft_wrap=True)
