"""The lifecycle as text for Mermaid, which GitHub, GitLab and most wikis draw: https://mermaid.js.org/syntax/flowchart.html."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlops_compiler.report.dag import ACTIONS, edges
from mlops_compiler.report.palette import LIGHT

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mlops_compiler.analysis.lineage import Lineage, Touch, Trail

_STYLES = {
    "new": f"stroke:{LIGHT['accent']},stroke-width:2px",
    "rebuild": f"stroke:{LIGHT['warm']},stroke-width:2px",
    "reuse": f"stroke:{LIGHT['muted']},stroke-dasharray:4 3",
    "declared": f"stroke:{LIGHT['line']},color:{LIGHT['muted']}",
}


def lifecycle_chart(parts: Sequence[Mapping[str, Any]]) -> str:
    """Write the parts of a lifecycle as a flowchart, coloured by what happens to them.

    Args:
        parts: Each with ``stage``, ``action``, ``parents``, ``note`` and ``inside``, in order.
    """
    lines = ["flowchart LR"]
    for at, part in enumerate(parts):
        action = part["action"] if part["action"] in ACTIONS else "new"
        texts = [f"<b>{_text(part['stage'])}</b>", *map(_text, part.get("inside", ()))]
        lines.append(f'    n{at}["{"<br>".join(texts)}"]:::{action}')
    lines += [f"    n{start} --> n{end}" for start, end in edges(parts)]
    used = {part["action"] for part in parts}
    lines += [f"    classDef {action} fill:{LIGHT['card']},{_STYLES[action]}" for action in ACTIONS if action in used]
    return "\n".join(lines) + "\n"


def lineage_chart(found: Lineage) -> str:
    """Write the way of columns as a flowchart: an arrow for each step that changes a column, or makes it of others."""
    chart = _Columns()
    for trail in found.trails:
        if not trail.is_made and (trail.feature is not None or _is_used(trail, found)):
            chart.start(trail.column)
    for at, (step, _) in enumerate(found.steps):
        touched = [(trail.column, touch) for trail in found.trails for touch in trail.touches if touch.step == at]
        chart.step(step, [(column, touch) for column, touch in touched if touch.doing in {"changes", "makes"}])
    for trail in found.trails:
        if trail.feature is not None:
            chart.end(trail.column, trail.feature)
    return "\n".join(["flowchart LR", *chart.lines]) + "\n"


def _is_used(trail: Trail, found: Lineage) -> bool:
    return any(trail.column in other.sources and other.feature is not None for other in found.trails)


class _Columns:
    """Collects the lines of a chart of columns: each step that changes one gives it a new node."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self._now: dict[str, str] = {}
        self._count = 0

    def start(self, column: str) -> None:
        """Draw a column of the source."""
        self._now[column] = self._node(column)

    def step(self, name: str, touched: Sequence[tuple[str, Touch]]) -> None:
        """Draw what a step changes or makes; all of it reads what was there before the step."""
        before = dict(self._now)
        for column, touch in touched:
            origins = [before[item] for item in dict.fromkeys(touch.parents or (column,)) if item in before]
            if not origins:
                continue
            self._now[column] = self._node(column)
            self.lines += [f"    {origin} -->|{_text(name)}| {self._now[column]}" for origin in origins]

    def end(self, column: str, feature: str) -> None:
        """Draw what the models know a column as."""
        if column in self._now:
            self.lines.append(f"    {self._now[column]} --> {self._node(feature, '([', '])')}")

    def _node(self, text: str, left: str = "[", right: str = "]") -> str:
        name = f"c{self._count}"
        self._count += 1
        self.lines.append(f'    {name}{left}"{_text(text)}"{right}')
        return name


def _text(value: object) -> str:
    """Write a text so that Mermaid takes none of it for its own."""
    entities = {"&": "&amp;", '"': "&quot;", "<": "&lt;", ">": "&gt;", "#": "&#35;", "`": "&#96;"}
    return "".join(entities.get(sign, sign if sign.isprintable() else " ") for sign in str(value))
