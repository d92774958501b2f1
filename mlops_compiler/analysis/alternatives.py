"""Each combination of a preparation's choices is analysed as a recipe of its own: selectors, types, leaks.

What is wrong with an alternative is told at the alternative. Of a range both ends are analysed, and what differs
between the two says which numbers of which op it decides.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, is_dataclass, replace
from itertools import permutations
from typing import TYPE_CHECKING, Any

from mlops_compiler.analysis.build import matrix_schema, prepare_nodes
from mlops_compiler.analysis.categories import with_categories
from mlops_compiler.analysis.features import Prepared, check_of
from mlops_compiler.analysis.leaks import find_leaks
from mlops_compiler.diagnostics import Diagnostic, Note, RecipeError, Sink
from mlops_compiler.frontend.validate import validate
from mlops_compiler.ir.domain import Choice
from mlops_compiler.ir.ops.features import CheckFeatures
from mlops_compiler.ir.ops.intake import Join
from mlops_compiler.ir.ops.preparation import NamedStep, Prepare, Vary
from mlops_compiler.ir.ops.search import Search
from mlops_compiler.ir.program import Node
from mlops_compiler.ir.schema import Schema
from mlops_compiler.ir.space import Hole, Variant, shown_point
from mlops_compiler.models.registry import MODELS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from mlops_compiler.frontend.alternatives import Alternatives
    from mlops_compiler.ir.program import Program
    from mlops_compiler.ir.space import Dimension, Point
    from mlops_compiler.recipe.recipe import Recipe


def with_alternatives(program: Program, recipe: Recipe, found: Alternatives) -> Program:
    """Add to a program what the search may change of its preparation.

    Args:
        program: That of the base.
        recipe: The base.
        found: What its preparation leaves open.

    Raises:
        RecipeError: An alternative, or the end of a range, does not fit; tells all that differ in as few choices.
    """
    if not found.dimensions:
        return program
    schema = program["snapshot"].schema or Schema(())
    analysis = _Analysis(recipe=recipe, found=found, schema=schema, joined=_joined(program), told={})
    variants: list[Variant] = []
    differing = 0
    for point in found.points:
        if (count := len(found.told(point))) > differing:
            analysis.raise_errors()
            differing = count
        variants.append(analysis.variant(point))
    analysis.raise_errors()
    vary = Vary(dimensions=found.dimensions, variants=tuple(variants))
    return program.with_nodes(_placed(program, vary))


def _joined(program: Program) -> dict[str, str]:
    return {ours: node.name.removeprefix("join.") for node, join in program.of(Join) for ours in join.types}


def _placed(program: Program, vary: Vary) -> Iterator[Node]:
    for node in program:
        if isinstance(node.op, Search):
            yield Node(name="vary", op=vary, inputs=("snapshot", "split"))
            candidates = tuple(
                item if MODELS[item.kind].is_baseline else replace(item, preparation=vary.dimensions)
                for item in node.op.candidates
            )
            yield replace(node, op=replace(node.op, candidates=candidates), inputs=(*node.inputs, "vary"))
        else:
            yield node


@dataclass(frozen=True, slots=True, kw_only=True)
class _Analysis:
    """Analyses points of a preparation.

    Attributes:
        recipe: The base.
        found: What its preparation leaves open.
        schema: The columns that reach the first step.
        joined: Columns that joins add, each with the name of its join.
        told: What was found, each thing once, however many points have it.
    """

    recipe: Recipe
    found: Alternatives
    schema: Schema
    joined: Mapping[str, str]
    told: dict[tuple[Any, ...], Diagnostic]

    def raise_errors(self) -> None:
        """Raise what was found."""
        sink = Sink()
        for finding in self.told.values():
            sink.add(finding)
        sink.raise_errors(RecipeError)

    def variant(self, point: Point) -> Variant:
        """Analyse a combination of choices, and the ends of its ranges."""
        nodes = self._nodes(point)
        holes: list[Hole] = []
        for at, item in enumerate(self.found.dimensions):
            if point[at] is not None and not isinstance(item.domain, Choice):
                low, high = (_with(point, {at: _end(item, end)}) for end in ("low", "high"))
                holes += self._holes(at, item, low, high)
        for corner in self._corners(point):
            self._valid(corner)
        checked = next((node.op for node in nodes if isinstance(node.op, CheckFeatures)), None)
        return Variant(picks=point, steps=_steps(nodes), holes=tuple(holes), checked=checked)

    def _holes(self, at: int, item: Dimension, low: Point, high: Point) -> Iterator[Hole]:
        before, after = _steps(self._nodes(low)), _steps(self._nodes(high))
        if low[at] == high[at] or len(before) != len(after):
            return
        for old, new in zip(before, after, strict=True):
            for place, first, second in _differences(old.step, new.step):
                if (first, second) == (low[at], high[at]):
                    yield Hole(dimension=at, step=old.name, place=place)
                elif (first, second) == (1 - low[at], 1 - high[at]):  # type: ignore[operator]
                    yield Hole(dimension=at, step=old.name, place=place, complement=True)
                else:
                    self._tell(_no_range(item), low)

    def _corners(self, point: Point) -> Iterator[Point]:
        """Pair the ends of ranges: a step may ask that one number is less than another."""
        ranges = [
            at
            for at, item in enumerate(self.found.dimensions)
            if point[at] is not None and not isinstance(item.domain, Choice)
        ]
        for lower, upper in permutations(ranges, 2):
            names = (self.found.dimensions[at].name.split(".")[1] for at in (lower, upper))
            if len(set(names)) == 1:
                ends = {at: _end(self.found.dimensions[at], "low") for at in ranges}
                yield _with(point, ends | {upper: _end(self.found.dimensions[upper], "high")})

    def _valid(self, point: Point) -> Recipe | None:
        try:
            return validate(self.found.at(point))
        except RecipeError as error:
            for finding in error.diagnostics:
                self._tell(finding, point)
        return None

    def _nodes(self, point: Point) -> tuple[Node, ...]:
        """Analyse a point; tells what is wrong with it."""
        if (valid := self._valid(point)) is None:
            return ()
        recipe, sink = self.recipe.model_copy(update={"prepare": valid.prepare}), Sink()
        places = self.found.at(point).provenance
        nodes = with_categories(recipe, prepare_nodes(recipe, places, self.schema, sink), self.schema, places, sink)
        features = matrix_schema(places, (nodes[-1].schema if nodes else None) or self.schema, sink)
        find_leaks(nodes, self.schema, features, self.joined, places, sink)
        checked = check_of(recipe, Prepared(features=features, steps=nodes), places, sink)
        for finding in sink.errors:
            self._tell(finding, point)
        return (*nodes, Node(name="features", op=checked)) if checked is not None else nodes

    def _tell(self, finding: Diagnostic, point: Point) -> None:
        choices = ", ".join(shown_point(self.found.told(point)))
        note = (Note(text=f"with {choices}"),) if choices else ()
        key = (finding.code, finding.headline, finding.span)
        self.told.setdefault(key, replace(finding, notes=(*finding.notes, *note)))


def _steps(nodes: Sequence[Node]) -> tuple[NamedStep, ...]:
    return tuple(
        NamedStep(name=node.name.removeprefix("prepare."), step=node.op.step, because=node.op.because, span=node.span)
        for node in nodes
        if isinstance(node.op, Prepare)
    )


def _with(point: Point, values: Mapping[int, int | float]) -> Point:
    return tuple(values.get(at, value) for at, value in enumerate(point))


def _end(item: Dimension, end: str) -> int | float:
    number: int | float = getattr(item.domain, end)
    return float(number) if isinstance(item.base, float) else number


def _differences(
    old: Any, new: Any, place: tuple[str | int, ...] = ()
) -> Iterator[tuple[tuple[str | int, ...], Any, Any]]:
    if is_dataclass(old) and type(old) is type(new):
        for field in fields(old):
            yield from _differences(getattr(old, field.name), getattr(new, field.name), (*place, field.name))
    elif isinstance(old, tuple) and isinstance(new, tuple) and len(old) == len(new):
        for index, (first, second) in enumerate(zip(old, new, strict=True)):
            yield from _differences(first, second, (*place, index))
    elif old != new:
        yield place, old, new


def _no_range(item: Dimension) -> Diagnostic:
    return Diagnostic(
        code="invalid-value",
        headline=f"`{item.name}` cannot be searched in a range: it decides more than a number",
        span=item.span,
        help="write some of its values: `{choice: [...]}`",
    )
