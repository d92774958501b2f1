"""The acceptance criteria as lines: what was asked, what was found and what the baseline reaches."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.text import Text

from mlops_compiler.console.text import BAD, CROSS, DIM, GOOD, STRONG, TICK, grid, row, styled
from mlops_compiler.report import numbers

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rich.table import Table


def criteria_table(criteria: Sequence[Mapping[str, Any]], baseline: Mapping[str, Any]) -> Table:
    """Make a line of each criterion, the missed ones in red."""
    sure = any(item.get("interval") for item in criteria)
    table = grid("left", "left", "right", *(["left"] if sure else []), "text", "text", indent=4)
    for item in criteria:
        met = bool(item.get("met"))
        limits = (item.get("at_least"), item.get("at_most"))
        beside = baseline.get(str(item.get("metric")))
        row(
            table,
            Text(TICK if met else CROSS, style=GOOD if met else BAD),
            styled(item.get("metric")),
            Text(numbers.score_beside(item.get("value"), limits), style=STRONG if met else BAD),
            *([Text(numbers.span(item.get("interval")), style=DIM)] if sure else []),
            Text(numbers.asked(item)),
            Text(f"baseline {numbers.score(beside)}" if numbers.is_number(beside) else "", style=DIM),
        )
        for beaten in item.get("beats") or ():
            said = styled(f"{beaten['other']}: {numbers.gain(beaten)}", DIM if beaten.get("met") else BAD)
            row(table, Text(""), Text(""), Text(""), *([Text("")] if sure else []), said)
    return table


def count_criteria(criteria: Sequence[Mapping[str, Any]]) -> str:
    """Say how many were met: ``both criteria met``, ``1 of 3 criteria missed``."""
    missed = sum(not item.get("met") for item in criteria)
    if missed:
        return f"{missed} of {len(criteria)} criteria missed" if len(criteria) > 1 else "its criterion was missed"
    words = {0: "no criteria asked", 1: "its criterion is met", 2: "both criteria met"}
    return words.get(len(criteria), f"all {len(criteria)} criteria met")
