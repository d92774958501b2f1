"""What `doctor` found, for the terminal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from rich.text import Text

from mlops_compiler.console.text import BAD, CROSS, DIM, GOOD, STRONG, TICK, WARN, clean, grid, line, row, styled

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

_MARKS = {"well": (TICK, GOOD), "note": ("!", WARN), "wrong": (CROSS, BAD)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was examined.

    Attributes:
        what: What it is.
        state: ``well``; ``note``, worth knowing; or ``wrong``.
        told: What was found.
        mend: What to do about it.
    """

    what: str
    state: Literal["well", "note", "wrong"]
    told: str
    mend: str | None = None


def print_findings(place: str, findings: Sequence[Finding], console: Console) -> None:
    """Print a line for each finding, and below it what to do."""
    wrong = sum(finding.state == "wrong" for finding in findings)
    verdict = ("all is well", GOOD) if not wrong else (f"{wrong} wrong", BAD)
    line(console, (f"the store {clean(place)}", STRONG), "  ", verdict)
    table = grid("left", "left", "text")
    for finding in findings:
        mark, style = _MARKS[finding.state]
        told = styled(finding.told)
        if finding.mend:
            told = Text.assemble(told, "\n", (clean(finding.mend), DIM))
        row(table, Text(mark, style=style), Text(finding.what, style=DIM), told)
    console.print(table)
