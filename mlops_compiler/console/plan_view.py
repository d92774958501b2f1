"""A plan for people: each stage, what will happen to it, and why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.text import Text

from mlops_compiler.console.text import (
    ACCENT,
    BAD,
    CROSS,
    DIM,
    STRONG,
    WARN,
    clean,
    clean_lines,
    grid,
    heading,
    line,
    row,
    styled,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from mlops_compiler.plan.contract import Clients

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


def print_plan(recipe: str, rows: Sequence[PlanRow], console: Console, total: str = "") -> None:
    """Print a plan, and in the last line how many stages run and how many are reused.

    Args:
        recipe: The recipe's name.
        rows: Its stages.
        console: Where to.
        total: What follows in the last line.
    """
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
    line(console, count_actions([item.action for item in rows]), clean(total))


def print_clients(clients: Clients, console: Console) -> None:
    """Print what those who ask the current release would notice of the next one; what breaks them first."""
    where = f"is served at {clients.url}" if clients.url else "is the last one"
    heading(console, "Clients", f"release {clients.release} {where}; of the next one they would notice")
    table = grid("left", "text", indent=4)
    for change in sorted(clients.changes, key=lambda change: not change.breaks):
        mark = styled(CROSS, BAD) if change.breaks else styled("·", DIM)
        row(table, mark, styled(change.text + (", which breaks them" if change.breaks else "")))
    console.print(table)


def count_actions(actions: Sequence[str]) -> str:
    """Count what happens: ``3 to run, 6 reused``."""
    reused = sum(action == "reuse" for action in actions)
    return f"{len(actions) - reused} to run, {reused} reused"


def _paragraphs(item: PlanRow) -> list[Text]:
    reason = [styled(item.reason, DIM if item.action == "reuse" else "")] if item.reason else []
    return reason + [Text(extra, style=DIM) for extra in clean_lines(item.extra).splitlines()]
