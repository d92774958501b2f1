"""The way from a stage back to what changed, for people."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mlops_compiler.console.plan_view import ACTION_STYLES
from mlops_compiler.console.text import DIM, STRONG, clean, line, styled
from mlops_compiler.report import numbers

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console


@dataclass(frozen=True, slots=True, kw_only=True)
class WhyRow:
    """A stage on the way.

    Attributes:
        stage: Its name.
        action: ``reuse``, ``rebuild`` or ``new``.
        reason: Why, in one line.
        causes: What changed of its own ingredients, each with the place that says it now.
        run: The run that made it last; None where it never ran.
        made: When that was; seconds since 1970.
    """

    stage: str
    action: str
    reason: str
    causes: tuple[tuple[str, str | None], ...]
    run: str | None
    made: float | None


def print_why(rows: Sequence[WhyRow], now: float, console: Console) -> None:
    """Print the way, the stage that was asked about first.

    Args:
        rows: The stages on it.
        now: The time, from which ages are counted.
        console: Where to.
    """
    for depth, item in enumerate(rows):
        indent = "  " * depth
        said = "" if item.causes else f"  {item.reason}"
        style = ACTION_STYLES.get(item.action, "")
        line(console, indent, styled(item.stage, STRONG), "  ", styled(item.action, style), clean(said))
        for text, place in item.causes:
            line(console, indent, "  ", styled(text))
            if place is not None:
                line(console, indent, "    ", styled(f"--> {place}", DIM))
        if item.run is not None and item.made is not None and (item.causes or item.action == "reuse"):
            ago = numbers.seconds(max(0.0, now - item.made))
            line(console, indent, "  ", styled(f"made last by run {item.run}, {ago} ago", DIM))
