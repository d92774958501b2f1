"""An intake for the terminal: what came, what was taken, how far it reaches."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.text import Text

from mlops_compiler.console.text import DIM, STRONG, WARN, clean, grid, line, row, styled

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.console import Console

_FILES = 5


def print_intake(recipe: str, called: str, told: Mapping[str, Any], console: Console) -> None:
    """Print what an intake came to.

    Args:
        recipe: The recipe's name.
        called: What the command line calls it.
        told: What became of what was delivered, with the numbers of the intake and of the version.
        console: Where to print.
    """
    name = (clean(recipe), STRONG)
    if not told["new_version"]:
        since = f"nothing new since intake {told['intake']}"
        line(console, name, f": {since}; {told['rows']:,} rows, version {told['version']}")
    else:
        line(console, name, f": intake {told['intake']}, {told['rows']:,} rows in all, version {told['version']}")
    table = grid("left", "right", "text")
    for what, count, text in intake_rows(told):
        row(table, Text(what, style=DIM), Text(count, style=WARN if what == "refused" else ""), styled(text, DIM))
    console.print(table)
    if told["new_version"]:
        line(console, ("train on them  ", DIM), f"mlops-compile recipe={clean(called)}")


def intake_rows(told: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Say what became of the rows that came: what, how many, and more in words."""
    late = f"{told['late']:,} of them late" if told["late"] else ""
    found = [
        ("new", told["new"], late),
        ("changed", told["changed"], "took the place of rows of their key"),
        ("superseded", told["superseded"], "of a key whose other row stays"),
        ("repeated", told["repeated"], "were there already"),
        ("refused", told["refused"], _refused(told)),
    ]
    rows = [
        (what, f"{count:,}", text)
        for what, count, text in found
        if count or (what == "new" and told.get("new_version", True))
    ]
    if told["watermark"] is not None:
        rows.append(("watermark", "", f"{told['column']} {told['watermark']}"))
    if told["files"]:
        more = [f"{len(told['files']) - _FILES:,} more"] if len(told["files"]) > _FILES else []
        rows.append(("files", f"{len(told['files']):,}", ", ".join([*told["files"][:_FILES], *more])))
    return rows


def in_short(told: Mapping[str, Any]) -> str:
    """Say the same in a few words: ``+1,204 new, 3 late``."""
    parts = [
        f"{told[name]:,} {name}" for name in ("late", "changed", "superseded", "repeated", "refused") if told[name]
    ]
    return ", ".join([f"+{told['new']:,} new", *parts])


def _refused(told: Mapping[str, Any]) -> str:
    why = {"unmarked": "without a watermark", "too_late": "too late"}
    return ", ".join(f"{told[name]:,} {text}" for name, text in why.items() if told[name])
