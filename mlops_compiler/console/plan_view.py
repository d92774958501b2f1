"""A plan for people: each stage, what will happen to it, and why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.text import Text

from mlops_compiler.console.text import ACCENT, DIM, STRONG, WARN, clean, clean_lines, grid, line, row, styled

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

ACTION_STYLES = {"reuse": DIM, "rebuild": WARN, "new": ACCENT}


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanRow:
    """A stage of a plan.

    Attributes:
        stage: Name of the stage.
        action: ``reuse``, ``rebuild`` or ``new``.
        reason: Why, in one sentence.
        extra: Further facts, one a line (trials, resources, cost).
    """

    stage: str
    action: str
    reason: str = ""
    extra: str = ""


def print_plan(recipe: str, rows: Sequence[PlanRow], console: Console) -> None:
    """Print a plan, and in the last line how many stages run and how many are reused."""
    line(console, (f"plan of {clean(recipe)}", STRONG))
    table = grid("left", "left", "text")
    for item in rows:
        style = ACTION_STYLES.get(item.action, "")
        why = Text("\n").join(_paragraphs(item)) if item.reason or item.extra else Text("")
        row(
            table,
            styled(item.stage, DIM if item.action == "reuse" else STRONG),
            styled(item.action, style),
            why,
        )
    console.print(table)
    console.print()
    line(console, count_actions([item.action for item in rows]))


def count_actions(actions: Sequence[str]) -> str:
    """Count what happens: ``3 to run, 6 reused``."""
    reused = sum(action == "reuse" for action in actions)
    return f"{len(actions) - reused} to run, {reused} reused"


def _paragraphs(item: PlanRow) -> list[Text]:
    reason = [styled(item.reason, DIM if item.action == "reuse" else "")] if item.reason else []
    return reason + [Text(extra, style=DIM) for extra in clean_lines(item.extra).splitlines()]
