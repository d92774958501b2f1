"""An exploration for the terminal: how much there is, what was found, and where the page lies."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from mlops_compiler.console.text import ACCENT, BAD, DIM, GOOD, STRONG, WARN, clean, grid, heading, line, row, styled
from mlops_compiler.report.exploration import KINDS

if TYPE_CHECKING:
    from rich.console import Console

    from mlops_compiler.explore.exploration import Exploration

_STYLES = {"bad": BAD, "warm": WARN, "good": GOOD, "muted": DIM}
_SHOWN = 5


def print_exploration(found: Exploration, page: str, console: Console) -> None:
    """Print what was found, of each kind the first few.

    Args:
        found: The exploration.
        page: Where its page lies.
        console: Where to.
    """
    size, gaps = found.vs["volume"], found.vs["veracity"]["columns_with_gaps"]
    sampled = f"; tests and scores look at {found.sampled:,}" if found.sampled < found.rows else ""
    told = f"{size['rows']:,} rows, {size['columns']} columns, {gaps} with gaps{sampled}"
    line(console, (clean(found.about.name), STRONG), f"  {told}")
    for code, (title, tone) in KINDS.items():
        items = [item for item in found.findings if item.kind == code]
        if not items:
            continue
        heading(console, title)
        table = grid("left", "text", indent=4)
        for item in items[:_SHOWN]:
            row(table, Text("-", style=_STYLES[tone]), styled(item.text))
        if len(items) > _SHOWN:
            row(table, Text(""), styled(f"and {len(items) - _SHOWN} more", DIM))
        if items[0].advice:
            row(table, Text(""), styled(items[0].advice, DIM))
        console.print(table)
    if not found.findings:
        console.print("  nothing that is worth a word")
    console.print()
    line(console, "  page  ", (clean(page), ACCENT))
