"""What the optimising passes did: the work before and after each, and the lines of the program that changed."""

from __future__ import annotations

import difflib
from dataclasses import fields
from typing import TYPE_CHECKING

from rich.text import Text

from mlops_compiler.console.text import BAD, DIM, GOOD, STRONG, clean, grid, heading, line, row, styled
from mlops_compiler.ir.printer import print_program

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.console import Console

    from mlops_compiler.ir.program import Program
    from mlops_compiler.passes.manager import PassEffect
    from mlops_compiler.passes.work import Work

_TITLES = {
    "columns": "columns read",
    "filters": "filters while reading",
    "scans": "scans to fit",
    "fits": "step runs",
    "expressions": "expressions",
    "undecided": "placed later",
}
_SCHEMA = ("    =>", "       ")


def print_passes(program: Program, before: Work, effects: Sequence[PassEffect], console: Console) -> None:
    """Print what each pass saved, then what it changed.

    Args:
        program: The program before all passes.
        before: Its work.
        effects: What each pass did, in order.
        console: Where to.
    """
    heading(console, "Passes", "the work that a run asks for, before and after each")
    table = grid("left", "text", indent=4)
    row(table, Text("none", style=DIM), styled(_counts(before), DIM))
    last = before
    for effect in effects:
        saved = "; ".join(_saved(last, effect.work))
        style = STRONG if saved else DIM
        row(table, styled(effect.name, style), styled(saved or "nothing to do", "" if saved else DIM))
        last = effect.work
    row(table, Text("all", style=STRONG), styled(_counts(last)))
    console.print(table)
    for effect in effects:
        _print_change(effect.name, program, effect.program, console)
        program = effect.program


def _counts(work: Work) -> str:
    return ", ".join(f"{getattr(work, name)} {title}" for name, title in _TITLES.items() if getattr(work, name))


def _saved(before: Work, after: Work) -> Iterator[str]:
    for item in fields(before):
        old, new = getattr(before, item.name), getattr(after, item.name)
        if old != new:
            yield f"{_TITLES[item.name]} {old} → {new}"


def _print_change(name: str, before: Program, after: Program, console: Console) -> None:
    old, new = _lines(before), _lines(after)
    if old == new:
        return
    heading(console, name)
    for raw in difflib.unified_diff(old, new, n=0, lineterm=""):
        if raw.startswith(("---", "+++", "@@")):
            continue
        line(console, "    ", (clean(raw), GOOD if raw.startswith("+") else BAD))


def _lines(program: Program) -> list[str]:
    """Print a program without the schemas of its edges."""
    return [text for text in print_program(program).splitlines() if text and not text.startswith(_SCHEMA)]
