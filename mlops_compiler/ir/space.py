"""What of a preparation is still open: choices, which make variants of it, and ranges, which leave holes in them.

A point decides all of it, and is written as a tuple beside the dimensions: of a choice the number of the alternative,
of a range the number itself, and None of what lies inside an alternative that is not taken.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from mlops_compiler.ir.domain import DOMAINS, Choice, grid

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from mlops_compiler.diagnostics import Span
    from mlops_compiler.ir.domain import Domain
    from mlops_compiler.ir.ops.features import CheckFeatures
    from mlops_compiler.ir.ops.preparation import NamedStep

Point: TypeAlias = tuple[int | float | None, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Dimension:
    """One thing that the search decides about the preparation.

    Attributes:
        name: The key that it stands for, as in an override: ``prepare.scale.op``. Domains in different alternatives
            of one choice may have the same name: no point has both.
        domain: A choice among values, lists or whole steps, as the recipe writes them, or a range of numbers.
        base: What the first trials take: the first alternative, or a number of the range.
        given: Where it stands inside alternatives: the dimension and the alternative of each, outermost first.
        span: Where the recipe writes it.
    """

    name: str
    domain: Domain
    base: int | float
    given: tuple[tuple[int, int], ...] = ()
    span: Span | None = None

    def stands(self, point: Sequence[int | float | None]) -> bool:
        """Say whether a point that decides what comes before has to decide this, too."""
        return all(point[at] == alternative for at, alternative in self.given)

    def shown(self, value: float) -> Any:
        """Give a value as people know it: an alternative as the recipe writes it, a whole step by its op."""
        if not isinstance(self.domain, Choice):
            return value
        return _short(self.domain.values[int(value)], self.domain.values)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hole:
    """A number of an op that a range decides.

    Attributes:
        dimension: The number of the dimension.
        step: The name of the step.
        place: The field of the op, and the way into it where it is a list.
        complement: Whether the op has 1 - x where the recipe says x.
    """

    dimension: int
    step: str
    place: tuple[str | int, ...]
    complement: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """What the preparation is where each choice is made.

    Attributes:
        picks: The point, with the ranges at their base.
        steps: The steps, as analysed, in the order of the recipe.
        holes: What the ranges fill.
        checked: The contract of the features that it makes, where the recipe has one.
    """

    picks: Point
    steps: tuple[NamedStep, ...]
    holes: tuple[Hole, ...] = ()
    checked: CheckFeatures | None = None


def base_point(dimensions: Sequence[Dimension]) -> Point:
    """Give the point that the first trial of each model takes."""
    return completed(dimensions, tuple(item.base for item in dimensions))


def completed(dimensions: Sequence[Dimension], wanted: Sequence[int | float | None]) -> Point:
    """Make a point of a wish for every dimension: those that do not stand get None."""
    point: list[int | float | None] = []
    for item, value in zip(dimensions, wanted, strict=True):
        point.append(value if item.stands(point) else None)
    return tuple(point)


def combinations(dimensions: Sequence[Dimension], most: int) -> list[Point] | None:
    """List all combinations of choices, ranges at their base; the base comes first. None where they are too many."""
    found: list[Point] = [()]
    for item in dimensions:
        found = [(*point, value) for point in found for value in (_picks(item) if item.stands(point) else (None,))]
        if len(found) > most:
            return None
    return sorted(found, key=lambda point: _differences(point, dimensions))


def _picks(item: Dimension) -> Sequence[int | float]:
    return range(len(item.domain.values)) if isinstance(item.domain, Choice) else (item.base,)


def _differences(point: Point, dimensions: Sequence[Dimension]) -> int:
    return sum(bool(value) and isinstance(item.domain, Choice) for value, item in zip(point, dimensions, strict=True))


def grid_points(dimensions: Sequence[Dimension]) -> list[Point]:
    """List the points that a grid search tries."""
    found: list[Point] = [()]
    for item in dimensions:
        axis = _picks(item) if isinstance(item.domain, Choice) else grid(item.domain)
        found = [(*point, value) for point in found for value in (axis if item.stands(point) else (None,))]
    return found


def count(dimensions: Sequence[Dimension], size: Callable[[Domain], float]) -> float:
    """Count the points, where `size` counts those of one domain; infinite where one is."""
    counted: dict[Point, float] = {(): 1.0}
    for item in dimensions:
        grown: dict[Point, float] = {}
        for point, number in counted.items():
            if not item.stands(point):
                grown[(*point, None)] = number
            elif isinstance(item.domain, Choice):
                grown |= {(*point, value): number for value in _picks(item)}
            else:
                grown[(*point, item.base)] = number * size(item.domain)
        counted = grown
    return math.fsum(counted.values()) if math.inf not in counted.values() else math.inf


def written(dimensions: Sequence[Dimension], point: Sequence[int | float | None]) -> dict[str, Any]:
    """Write a point for people: the name of each dimension that stands, with its value."""
    return {item.name: item.shown(value) for item, value in zip(dimensions, point, strict=True) if value is not None}


def _short(value: Any, among: Sequence[Any]) -> Any:
    if not isinstance(value, dict):
        return value
    if len(value) == 1 and (kind := next(iter(value))) in DOMAINS:
        return kind
    op = value.get("op")
    same = [other for other in among if isinstance(other, dict) and other.get("op") == op]
    return op if isinstance(op, str) and len(same) == 1 else shown_value(value)


def shown_value(value: Any) -> str:
    """Write a value of a point as text, as a recipe would: ``null`` for nothing, ``[a, b]`` for a list."""
    if isinstance(value, dict):
        return f"{{{', '.join(f'{key}: {shown_value(item)}' for key, item in value.items())}}}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(shown_value, value))}]"
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def shown_point(told: dict[str, Any]) -> Iterator[str]:
    """Write what `written` gives as overrides are written: ``prepare.scale.op=robust_scale``."""
    return (f"{name}={shown_value(value)}" for name, value in told.items())
