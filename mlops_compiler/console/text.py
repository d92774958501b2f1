"""No text of a recipe, a file or a record may steer the terminal: control characters are shown, not sent.

Everything untrusted is printed as a `Text` made here (so that no ``[markup]`` in it is read) and goes through
`clean`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.table import Table
from rich.text import Text

from mlops_compiler.diagnostics.text import lines, one_line

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

GOOD, BAD, WARN, DIM, STRONG, ACCENT = "green", "bold red", "yellow", "dim", "bold", "cyan"
TICK, CROSS = "✓", "✗"


def clean(value: Any) -> str:
    """Return one line in which every control character is written out, so that it can do no harm."""
    return one_line(str(value))


def clean_lines(value: str) -> str:
    """Return text whose line breaks and tabs are kept, and every other control character is written out."""
    return lines(value)


def styled(value: Any, style: str = "") -> Text:
    """Make cleaned text of one style."""
    return Text(clean(value), style=style)


def grid(*columns: str, indent: int = 2) -> Table:
    """Make a table without lines behind an indentation.

    Args:
        columns: Of each column ``left`` or ``right``, where it may not be broken, or ``text``, where it may.
        indent: Spaces before the first column; at least 2.
    """
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column(width=indent - 2)
    for column in columns:
        table.add_column(justify="right" if column == "right" else "left", no_wrap=column != "text", overflow="fold")
    return table


def row(table: Table, *cells: RenderableType) -> None:
    """Add a row behind the indentation."""
    table.add_row("", *cells)


def heading(console: Console, title: str, note: str = "") -> None:
    """Print a heading, set off by an empty line, with a dim note behind it."""
    console.print()
    console.print(Text.assemble((f"  {clean(title)}", STRONG), (f"  {clean(note)}" if note else "", DIM)))


def line(console: Console, *parts: Text | str | tuple[str, str]) -> None:
    """Print one line that is never broken, so that a path or a command can be copied whole."""
    console.print(Text.assemble(*parts), soft_wrap=True)
