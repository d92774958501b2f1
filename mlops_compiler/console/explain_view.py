"""Pages of the documentation in a terminal; as plain Markdown where the output is none."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from rich.markdown import Markdown
from rich.padding import Padding

from mlops_compiler.console.text import STRONG, grid, heading, line, row, styled

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from mlops_compiler.diagnostics.pages import Page

_WIDEST = 100


def print_page(page: Page, console: Console) -> None:
    """Print what is known of a code."""
    text = page.section or f"{page.means}\n\n{page.mend}"
    line(console, (page.code, STRONG))
    line(console)
    if console.is_terminal:
        console.print(Padding(Markdown(text, code_theme="ansi_dark"), (0, 2)), width=min(_WIDEST, console.width))
    else:
        line(console, text)


def print_codes(pages: Sequence[Page], console: Console) -> None:
    """Print all codes, each with what it means."""
    for topic, group in groupby(pages, key=lambda page: page.topic):
        heading(console, topic)
        table = grid("left", "text", indent=4)
        for page in group:
            row(table, styled(page.code, STRONG), styled(page.means))
        console.print(table)
