"""The lifecycle as a drawing: where each box and arrow goes, across for a page and down for a phone.

Geometry only, in pixels; the template draws it, so that every text passes through the template's escaping.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mlops_compiler.report import numbers

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ACTIONS = ("new", "rebuild", "reuse", "declared")
"""What happens to a part; what is only declared is no stage of a run."""
_BOX = 97
_HEAD = 58
_STEP = 19
_PADDING = 8
_GAP = 21
_LANE = 16
_MARGIN = 2
_LETTER = 6.4
_WIDEST = 210
_TALL_WIDTH = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """A stage, with the preparation's steps inside it where it is the preparation."""

    x: float
    y: float
    width: float
    height: float
    title: str
    action: str
    took: str
    steps: tuple[str, ...] = ()

    def step_baseline(self, index: int) -> float:
        """Return the y of the text of step `index` (from 0)."""
        return self.y + _HEAD + index * _STEP + _STEP / 2 + 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """A drawing of the lifecycle: its size, its boxes, and its arrows as SVG paths."""

    width: float
    height: float
    boxes: tuple[Box, ...]
    arrows: tuple[str, ...]


def describe(stages: Sequence[Mapping[str, Any]]) -> str:
    """Say in words what the drawing shows, for those who cannot see it."""
    said = ", ".join(f"{stage.get('stage')} ({_action(stage)})" for stage in stages)
    return f"The stages of the lifecycle in order: {said}."


def draw_across(stages: Sequence[Mapping[str, Any]], steps: Sequence[Mapping[str, Any]]) -> Drawing:
    """Lay the stages out from left to right, jumps over their heads."""
    lanes = jumps(stages)
    top = _MARGIN + _LANE * (max(lanes.values(), default=-1) + 1)
    boxes: list[Box] = []
    x = float(_MARGIN)
    for stage in stages:
        box = _box(stage, steps, x=x, y=top, width=None)
        boxes.append(box)
        x += box.width + _GAP
    height = max((box.y + box.height for box in boxes), default=0.0) + _MARGIN
    arrows = [_across(boxes[start], boxes[end]) for start, end in _neighbours(stages)]
    arrows += [_over(boxes[start], boxes[end], lane) for (start, end), lane in lanes.items()]
    return Drawing(width=x - _GAP + _MARGIN, height=height, boxes=tuple(boxes), arrows=tuple(arrows))


def draw_down(stages: Sequence[Mapping[str, Any]], steps: Sequence[Mapping[str, Any]]) -> Drawing:
    """Lay the stages out from top to bottom, jumps along their right side."""
    lanes = jumps(stages)
    boxes: list[Box] = []
    y = float(_MARGIN)
    for stage in stages:
        box = _box(stage, steps, x=_MARGIN, y=y, width=_TALL_WIDTH)
        boxes.append(box)
        y += box.height + _GAP
    width = _TALL_WIDTH + 2 * _MARGIN + _LANE * (max(lanes.values(), default=-1) + 1)
    arrows = [_down(boxes[start], boxes[end]) for start, end in _neighbours(stages)]
    arrows += [_beside(boxes[start], boxes[end], lane) for (start, end), lane in lanes.items()]
    return Drawing(width=width, height=y - _GAP + _MARGIN, boxes=tuple(boxes), arrows=tuple(arrows))


def _box(
    stage: Mapping[str, Any], steps: Sequence[Mapping[str, Any]], *, x: float, y: float, width: float | None
) -> Box:
    inside = list(stage.get("inside", ()))
    if stage.get("stage") == "prepare":
        inside += [f"{step.get('step')}: {step.get('op')}" for step in steps]
    if width is None:
        longest = max((len(text) for text in inside), default=0) * _LETTER + 2 * _PADDING + 8
        width = min(_WIDEST, max(_BOX, longest))
    room = int((width - 2 * _PADDING - 8) / _LETTER)
    took = numbers.seconds(stage.get("seconds")) if numbers.is_number(stage.get("seconds")) else ""
    return Box(
        x=x,
        y=y,
        width=width,
        height=_HEAD + len(inside) * _STEP + (_PADDING - 2 if inside else 0),
        title=str(stage.get("stage")),
        action=_action(stage),
        took=took,
        steps=tuple(_fit(text, room) for text in inside),
    )


def _action(stage: Mapping[str, Any]) -> str:
    action = str(stage.get("action"))
    return action if action in ACTIONS else "new"


def _fit(text: str, room: int) -> str:
    return text if len(text) <= room else text[: max(1, room - 1)] + "…"


def edges(stages: Sequence[Mapping[str, Any]]) -> list[tuple[int, int]]:
    """List the arrows to draw as pairs of positions.

    A stage that reads several in a row gets one arrow, from the last of them: the flow between those is drawn
    already, and what is left to see are the true jumps, such as the holdout's past the search.
    """
    parents = _parents(stages)
    return [
        (start, end)
        for end, starts in enumerate(parents)
        for start in sorted(starts)
        if not (start + 1 in starts and start in parents[start + 1])
    ]


def _parents(stages: Sequence[Mapping[str, Any]]) -> list[set[int]]:
    """Give the positions of each stage's parents; one that names none follows the stage before it."""
    at = {stage.get("stage"): index for index, stage in enumerate(stages)}
    found = []
    for index, stage in enumerate(stages):
        named = stage.get("parents")
        starts = {index - 1} if named is None else {at.get(name, index) for name in named}
        found.append({start for start in starts if 0 <= start < index})
    return found


def jumps(stages: Sequence[Mapping[str, Any]]) -> dict[tuple[int, int], int]:
    """Give the arrows that pass over others, as pairs of positions, each with its lane; 0 is the nearest."""
    return _lanes(edges(stages))


def _neighbours(stages: Sequence[Mapping[str, Any]]) -> list[tuple[int, int]]:
    return [(start, end) for start, end in edges(stages) if end == start + 1]


def _lanes(edges: list[tuple[int, int]]) -> dict[tuple[int, int], int]:
    """Give each jump the lowest lane in which no other jump is in its way; short ones first."""
    lanes: dict[tuple[int, int], int] = {}
    jumps = sorted((edge for edge in edges if edge[1] > edge[0] + 1), key=lambda edge: (edge[1] - edge[0], edge))
    for start, end in jumps:
        taken = {lane for (left, right), lane in lanes.items() if start < right and left < end}
        lanes[start, end] = next(lane for lane in range(len(taken) + 1) if lane not in taken)
    return lanes


def _across(start: Box, end: Box) -> str:
    return f"M{start.x + start.width:g},{start.y + _HEAD / 2:g}H{end.x - 1:g}"


def _over(start: Box, end: Box, lane: int) -> str:
    level = start.y - _LANE * (lane + 0.8)
    left, right = start.x + start.width * 0.7, end.x + end.width * 0.3
    return f"M{left:.1f},{start.y:g}V{level + 6:.1f}q0,-6 6,-6H{right - 6:.1f}q6,0 6,6V{end.y - 1:g}"


def _down(start: Box, end: Box) -> str:
    return f"M{start.x + start.width / 2:g},{start.y + start.height:g}V{end.y - 1:g}"


def _beside(start: Box, end: Box, lane: int) -> str:
    side = start.x + start.width
    level = side + _LANE * (lane + 0.8)
    top, bottom = start.y + _HEAD * 0.7, end.y + _HEAD * 0.3
    return f"M{side:g},{top:.1f}H{level - 6:.1f}q6,0 6,6V{bottom - 6:.1f}q0,6 -6,6H{side + 1:g}"
