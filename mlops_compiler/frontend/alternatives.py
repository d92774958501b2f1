"""A recipe whose preparation is searched is many recipes: one for each combination of its choices.

Domains under `prepare` are taken out between composing and validating. What is left is plain, and goes the way of any
recipe; each of its values still knows where it was written, down to the very alternative.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from mlops_compiler.diagnostics import Diagnostic, RecipeError, Sink
from mlops_compiler.frontend.provenance import Provenance
from mlops_compiler.frontend.shape import shape_of
from mlops_compiler.frontend.wording import dotted
from mlops_compiler.ir.domain import DOMAINS, Choice, Uniform, contains, parse_domain
from mlops_compiler.ir.space import Dimension, base_point, combinations, written
from mlops_compiler.recipe.recipe import Recipe

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from mlops_compiler.frontend.composed import Composed
    from mlops_compiler.frontend.yaml_spans import KeyPath
    from mlops_compiler.ir.domain import Domain
    from mlops_compiler.ir.space import Point

MOST = 64
"""Most combinations of choices: each is analysed as a recipe of its own."""
_PREPARE = "prepare"
_STEP = 2
"""How many keys lead to a step."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alternatives:
    """A composed recipe with what its preparation leaves open.

    Attributes:
        composed: The recipe as written.
        dimensions: What is open, in the order written; each after those that it stands inside.
        paths: Where each of them is written.
        points: Every combination of choices, the base first, then by how many choices differ from it.
    """

    composed: Composed
    dimensions: tuple[Dimension, ...]
    paths: Mapping[KeyPath, int]
    points: tuple[Point, ...]

    @property
    def base(self) -> Composed:
        """The recipe that the first trials follow."""
        return self.at(base_point(self.dimensions)) if self.dimensions else self.composed

    def at(self, point: Point) -> Composed:
        """Write a point into the recipe; every value keeps the place where it was written."""
        writer = _Writer(paths=self.paths, dimensions=self.dimensions, point=point, moved={})
        config = {**self.composed.config, _PREPARE: writer.steps(self.composed.config[_PREPARE])}
        return replace(self.composed, config=config, provenance=_moved(self.composed.provenance, writer.moved))

    def told(self, point: Point) -> dict[str, Any]:
        """Say in which choices a point differs from the base."""
        taken, usual = written(self.dimensions, point), written(self.dimensions, base_point(self.dimensions))
        choices = {item.name for item in self.dimensions if isinstance(item.domain, Choice)}
        return {name: value for name, value in taken.items() if name in choices and usual.get(name) != value}


def alternatives(composed: Composed) -> Alternatives:
    """Take the domains out of a recipe's preparation.

    Raises:
        RecipeError: A domain is none, or there are more combinations than can be analysed.
    """
    steps = composed.config.get(_PREPARE)
    sink, finder = Sink(), _Finder(composed=composed, dimensions=[], paths={})
    for finding in finder.walk(steps, (_PREPARE,)) if isinstance(steps, dict) else ():
        sink.add(finding)
    sink.raise_errors(RecipeError)
    dimensions = tuple(finder.dimensions)
    points = combinations(dimensions, MOST)
    if points is None:
        raise RecipeError([_too_many(dimensions)])
    return Alternatives(composed=composed, dimensions=dimensions, paths=finder.paths, points=tuple(points))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Finder:
    """Finds the domains of a preparation, in the order written."""

    composed: Composed
    dimensions: list[Dimension]
    paths: dict[KeyPath, int]

    def walk(self, value: Any, path: KeyPath, given: tuple[tuple[int, int], ...] = ()) -> Iterator[Diagnostic]:
        """File the domains in a value; tells those that are wrong."""
        if _is_domain(value) and len(path) >= _STEP:
            yield from self._domain(value, path, given)
        elif isinstance(value, dict | list):
            for key, item in value.items() if isinstance(value, dict) else enumerate(value):
                yield from self.walk(item, (*path, key), given)

    def _domain(self, value: dict[str, Any], path: KeyPath, given: tuple[tuple[int, int], ...]) -> Iterator[Diagnostic]:
        span = self.composed.provenance.value_span(path)
        try:
            parsed = parse_domain(value)
        except ValueError as error:
            yield Diagnostic(code="invalid-value", headline=f"`{dotted(path)}`: {error}", span=span)
            return
        ((kind, items),) = value.items()
        domain: Domain = Choice(values=tuple(items)) if kind == "choice" else parsed  # type: ignore[assignment]
        at = self.paths[path] = len(self.dimensions)
        base = 0 if isinstance(domain, Choice) else self._base(domain, path)
        self.dimensions.append(Dimension(name=_name(path, kind), domain=domain, base=base, given=given, span=span))
        for index, item in enumerate(items) if isinstance(domain, Choice) else ():
            yield from self.walk(item, (*path, kind, index), (*given, (at, index)))

    def _base(self, domain: Any, path: KeyPath) -> int | float:
        """Take the default of the key where it lies in the range, else the low end."""
        *above, key = path
        step: Any = self.composed.config
        for part in above:
            step = step[part]
        op = step.get("op") if isinstance(step, dict) else None
        if isinstance(op, dict) and _is_domain(op):
            op = next(iter(op.values()))[0]
        found = _default(op, key)
        number = found if isinstance(found, int | float) and contains(domain, found) else domain.low
        return float(number) if isinstance(domain, Uniform) else number


@dataclass(frozen=True, slots=True, kw_only=True)
class _Writer:
    """Writes a point into a preparation, and keeps where each value comes from."""

    paths: Mapping[KeyPath, int]
    dimensions: tuple[Dimension, ...]
    point: Point
    moved: dict[KeyPath, KeyPath]

    def steps(self, steps: Mapping[str, Any]) -> dict[str, Any]:
        """Write the steps; where nothing is chosen, there is no step."""
        made = {name: self._value(step, (_PREPARE, name), (_PREPARE, name)) for name, step in steps.items()}
        return {name: step for name, step in made.items() if step is not None or (_PREPARE, name) not in self.paths}

    def _value(self, value: Any, path: KeyPath, place: KeyPath) -> Any:
        self.moved[place] = path
        if (at := self.paths.get(path)) is not None:
            return self._decided(value, path, place, self.point[at])
        if isinstance(value, dict):
            return {key: self._value(item, (*path, key), (*place, key)) for key, item in value.items()}
        if isinstance(value, list):
            return [self._value(item, (*path, index), (*place, index)) for index, item in enumerate(value)]
        return value

    def _decided(self, value: dict[str, Any], path: KeyPath, place: KeyPath, decided: Any) -> Any:
        ((kind, items),) = value.items()
        if kind == "choice":
            return self._value(items[decided], (*path, kind, decided), place)
        if decided in items:  # an end: it is to blame where it does not fit
            self.moved[place] = (*path, kind, items.index(decided))
        return decided


def _moved(provenance: Provenance, moved: Mapping[KeyPath, KeyPath]) -> Provenance:
    origins = {path: origin for path, origin in provenance.origins.items() if path[:1] != (_PREPARE,)}
    if (whole := provenance.origins.get((_PREPARE,))) is not None:
        origins[_PREPARE,] = whole
    for place, path in moved.items():
        origin = provenance.origins.get(path) or (provenance.origin(path) if path != place else None)
        if origin is not None:
            origins[place] = origin
    return Provenance(origins, provenance.start)


def _is_domain(value: Any) -> bool:
    return isinstance(value, dict) and len(value) == 1 and value.keys() <= DOMAINS.keys() and _takes_list(value)


def _takes_list(value: Mapping[str, Any]) -> bool:
    return isinstance(next(iter(value.values())), list)


def _name(path: KeyPath, kind: str) -> str:
    """Name a dimension by its key, without the numbers of the alternatives that it stands inside."""
    kept: list[str] = []
    at = 0
    while at < len(path):
        if path[at] == "choice" and at + 1 < len(path) and isinstance(path[at + 1], int):
            at += 2
            continue
        kept.append(str(path[at]))
        at += 1
    inside = len(path) > 1 and path[-2] == "choice" and isinstance(path[-1], int)
    return ".".join([*kept, kind] if inside else kept)


def _default(op: Any, key: str | int) -> Any:
    """Find the default of a key of a step; None where it has none."""
    steps = shape_of(Recipe).keys[_PREPARE].child("any")
    section = steps.sections.get(op) if steps is not None and isinstance(op, str) else None
    fields = section.fields if section is not None else {}
    return next((field.default for name, field in fields.items() if key in {name, field.alias}), None)


def _too_many(dimensions: tuple[Dimension, ...]) -> Diagnostic:
    choices = [item for item in dimensions if isinstance(item.domain, Choice)]
    sizes = " x ".join(str(len(item.domain.values)) for item in choices if isinstance(item.domain, Choice))
    return Diagnostic(
        code="too-many-alternatives",
        headline=f"the choices under `prepare` make more than {MOST} preparations ({sizes})",
        span=choices[-1].span,
        help="offer fewer alternatives; ranges of numbers (`uniform`, `int_uniform`, ...) do not count",
    )
