"""The lifecycle and the way of its columns as SVG files that need nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mlops_compiler.report import dag
from mlops_compiler.report.page import environment
from mlops_compiler.report.palette import PALETTE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from mlops_compiler.analysis.lineage import Lineage, Trail

_TOP, _ROW, _STEP, _LETTER = 84, 24, 110, 6.7


def lifecycle_svg(recipe: str, parts: Sequence[Mapping[str, Any]]) -> str:
    """Draw the parts of a lifecycle from left to right, coloured by what happens to them.

    Args:
        recipe: The recipe's name.
        parts: Each with ``stage``, ``action``, ``parents`` and ``inside``, in order.
    """
    template = environment().get_template("graph.svg.j2")
    return template.render(
        title=f"The lifecycle of {recipe}",
        drawing=dag.draw_across(parts, []),
        text=dag.describe(parts),
        palette=PALETTE,
    )


def lineage_svg(recipe: str, found: Lineage) -> str:
    """Draw every column as a line through the steps, with a mark where one touches it."""
    template = environment().get_template("lineage.svg.j2")
    return template.render(title=f"The columns of {recipe}", map=_Map.of(found), palette=PALETTE)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Head:
    x: float
    name: str
    op: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Dot:
    x: float
    y: float
    doing: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Label:
    x: float
    y: float
    text: str
    right: bool = False
    quiet: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class _Map:
    """Where everything goes, in pixels."""

    width: float
    height: float
    heads: tuple[_Head, ...]
    rails: tuple[str, ...]
    arcs: tuple[str, ...]
    dots: tuple[_Dot, ...]
    labels: tuple[_Label, ...]

    @classmethod
    def of(cls, found: Lineage) -> _Map:
        names = max((len(trail.column) for trail in found.trails), default=0) * _LETTER + 24
        features = max((len(trail.feature or trail.role) for trail in found.trails), default=0) * _LETTER + 24
        step = max(_STEP, *(len(name) * _LETTER + 16 for name, _ in found.steps)) if found.steps else _STEP
        first = names + step / 2
        end = names + step * len(found.steps)
        rows = {trail.column: _TOP + _ROW * at + _ROW / 2 for at, trail in enumerate(found.trails)}

        def x(at: int) -> float:
            return first + step * at

        return cls(
            width=end + features + 16,
            height=_TOP + _ROW * len(found.trails) + 16,
            heads=tuple(_Head(x=x(at), name=name, op=op) for at, (name, op) in enumerate(found.steps)),
            rails=tuple(
                f"M{x(trail.first) if trail.is_made else names:g},{rows[trail.column]:g}"
                f"H{x(trail.removed) if trail.removed is not None else end:g}"
                for trail in found.trails
                if trail.touches or trail.feature is not None
            ),
            arcs=tuple(
                f"M{x(touch.step):g},{rows[parent]:g}"
                f"C{x(touch.step) + step / 3:g},{rows[parent]:g} {x(touch.step) + step / 3:g},{rows[trail.column]:g} "
                f"{x(touch.step):g},{rows[trail.column]:g}"
                for trail in found.trails
                for touch in trail.touches
                for parent in touch.parents
                if parent != trail.column and parent in rows
            ),
            dots=tuple(
                _Dot(x=x(touch.step), y=rows[trail.column], doing=touch.doing)
                for trail in found.trails
                for touch in trail.touches
            ),
            labels=tuple(label for trail in found.trails for label in _labels(trail, names, end, rows[trail.column])),
        )


def _labels(trail: Trail, names: float, end: float, y: float) -> Iterator[_Label]:
    yield _Label(x=names - 8, y=y, text=trail.column, right=True)
    if trail.feature is not None:
        yield _Label(x=end + 10, y=y, text=trail.feature)
    elif trail.role != "feature":
        yield _Label(x=names + 4 if not trail.touches else end + 10, y=y, text=trail.role, quiet=True)
