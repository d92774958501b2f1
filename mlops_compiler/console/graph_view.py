"""The lifecycle and the way of its columns, drawn with the characters of a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlops_compiler.console.plan_view import ACTION_STYLES
from mlops_compiler.console.text import ACCENT, BAD, CROSS, DIM, GOOD, STRONG, clean, grid, line, row, styled
from mlops_compiler.report.dag import jumps

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rich.console import Console
    from rich.text import Text

    from mlops_compiler.analysis.lineage import Lineage, Trail

MARKS = {"reads": "○", "changes": "●", "makes": "◆", "removes": CROSS}
_STYLES = {"reads": DIM, "changes": ACCENT, "makes": GOOD, "removes": BAD}
_ENDS = {"key", "target", "ignored", "time", "group"}


def print_lifecycle(recipe: str, parts: Sequence[Mapping[str, Any]], console: Console) -> None:
    """Print the parts of a lifecycle from top to bottom, with what flows past others on the left.

    Args:
        recipe: The recipe's name.
        parts: Each with ``stage``, ``action``, ``parents``, ``note`` and ``inside``, in order.
        console: Where to.
    """
    line(console, (f"lifecycle of {clean(recipe)}", STRONG))
    lanes = jumps(parts)
    depth = max(lanes.values(), default=-1) + 1
    wide = max(len(str(part["stage"])) for part in parts)
    for at, part in enumerate(parts):
        style = ACTION_STYLES.get(part["action"], DIM)
        note = f"  {part['note']}" if part.get("note") else ""
        line(
            console,
            "  ",
            (_gutter(at, lanes, depth), DIM),
            styled("● ", style),
            styled(f"{part['stage']:<{wide}}  ", DIM if part["action"] in {"reuse", "declared"} else STRONG),
            styled(f"{part['action']:<8}", style),
            styled(note, DIM),
        )
        last = at == len(parts) - 1
        for text in (*part.get("inside", ()), *(() if last else ("",))):
            flow = " " if last else "│"
            line(console, "  ", (f"{_passing(at, lanes, depth)}{flow}   ", DIM), styled(text, DIM))


def _gutter(at: int, lanes: Mapping[tuple[int, int], int], depth: int) -> str:
    """Draw the lanes beside a part: those that start or end there reach it."""
    cells = [[" ", " "] for _ in range(depth)]
    for (start, end), lane in lanes.items():
        column = depth - 1 - lane
        if start < at < end:
            cells[column][0] = "│" if cells[column][0] == " " else "┼"
        elif at in (start, end):
            own = "╭" if at == start else "╰"
            cells[column][0] = own if cells[column][0] in " ─" else "├"
            for right in range(column, depth):
                cells[right][1] = "─"
                if right > column and cells[right][0] == " ":
                    cells[right][0] = "─"
                elif right > column and cells[right][0] == "│":
                    cells[right][0] = "┼"
    return "".join(first + second for first, second in cells)


def _passing(at: int, lanes: Mapping[tuple[int, int], int], depth: int) -> str:
    """Draw the lanes below a part."""
    open_ = {depth - 1 - lane for (start, end), lane in lanes.items() if start <= at < end}
    return "".join("│ " if column in open_ else "  " for column in range(depth))


def print_lineage(recipe: str, found: Lineage, console: Console) -> None:
    """Print each column as a line through the steps: what reads, changes, makes and removes it."""
    features = sum(trail.feature is not None for trail in found.trails)
    source = sum(not trail.is_made for trail in found.trails)
    line(console, (f"columns of {clean(recipe)}", STRONG), f": {source} in the source, {features} reach the models")
    steps = grid("right", "left", "text", indent=2)
    for at, (name, op) in enumerate(found.steps):
        row(steps, styled(at + 1, DIM), styled(name), styled(op, DIM))
    console.print(steps)
    wide = max((len(clean(trail.column)) for trail in found.trails), default=0)
    heads = "".join(f"{at + 1:>2} " for at in range(len(found.steps)))
    line(console, " " * (wide + 5), (heads, DIM))
    for trail in found.trails:
        line(console, "  ", styled(f"{clean(trail.column):<{wide}}  "), *_drawn(trail, len(found.steps)))
    line(console)
    legend = [part for doing, mark in MARKS.items() for part in ((mark, _STYLES[doing]), (f" {doing}   ", DIM))]
    line(console, "  ", *legend)


def _drawn(trail: Trail, steps: int) -> list[Text | str | tuple[str, str]]:
    if trail.role in _ENDS and not trail.touches:
        return [styled(trail.role, DIM)]
    marks = {touch.step: touch.doing for touch in trail.touches}
    end = trail.removed if trail.removed is not None else steps - 1
    parts: list[Text | str | tuple[str, str]] = [" " if trail.is_made else ("─", DIM)]
    for at in range(steps):
        inside = trail.first <= at <= end
        doing = marks.get(at)
        parts.append(("─" if inside and at > trail.first else " ", DIM))
        parts.append((MARKS[doing], _STYLES[doing]) if doing else ("─" if inside else " ", DIM))
        parts.append(("─" if inside and at < end else " ", DIM) if at < steps - 1 else ("─" if end == at else "", DIM))
    if trail.feature is not None:
        parts += [" ", styled(trail.feature)]
        if trail.is_made or trail.sources != (trail.column,):
            parts.append(styled(f"  from {', '.join(trail.sources)}", DIM))
    elif trail.role in _ENDS:
        parts += [" ", styled(trail.role, DIM)]
    return parts
