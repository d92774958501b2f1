"""A point makes one preparation of many: its variant, with the holes filled, optimised as if nothing had been open.

The order matters: what the passes may do can depend on a number (two imputations become the same, a step makes another
column), so holes are filled first.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from mlops_compiler.ir.domain import Choice
from mlops_compiler.ir.ops.features import CheckFeatures
from mlops_compiler.ir.ops.intake import Snapshot
from mlops_compiler.ir.ops.lifecycle import Split
from mlops_compiler.ir.ops.preparation import FusedPrepare, Matrix, Prepare, Project, Vary
from mlops_compiler.ir.program import Node, Program
from mlops_compiler.ir.schema import Schema
from mlops_compiler.passes.manager import optimise
from mlops_compiler.tables.infer import infer

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mlops_compiler.ir.ops.preparation import NamedStep
    from mlops_compiler.ir.space import Hole, Point, Variant


def preparation_at(nodes: Iterable[Node], point: Point) -> tuple[Node, ...]:
    """Make the optimised preparation at a point.

    Args:
        nodes: Those of a program, or of a stage; what is varied, the snapshot and the split are among them.
        point: What is decided.

    Returns:
        The nodes that the stage `prepare` would have if the recipe had these values written in.
    """
    listed = list(nodes)
    snapshot = next(node for node in listed if isinstance(node.op, Snapshot))
    split = next(node for node in listed if isinstance(node.op, Split))
    vary = next(node.op for node in listed if isinstance(node.op, Vary))
    made = _nodes(steps_at(vary, point), snapshot.schema or Schema(()))
    checked = variant_at(vary, point).checked
    check = () if checked is None else (Node(name="features", op=checked, inputs=("matrix",)),)
    program = Program(name="preparation", nodes=(replace(snapshot, inputs=()), split, *made, *check))
    kinds = (Project, Prepare, FusedPrepare, CheckFeatures, Matrix)
    return tuple(node for node in optimise(program) if isinstance(node.op, kinds))


def steps_at(vary: Vary, point: Point) -> tuple[NamedStep, ...]:
    """Give the steps at a point, before any pass."""
    variant = variant_at(vary, point)
    steps = {named.name: named for named in variant.steps}
    for hole in variant.holes:
        named = steps[hole.step]
        steps[hole.step] = replace(named, step=_filled(named.step, hole.place, _number(hole, point)))
    return tuple(steps.values())


def variant_at(vary: Vary, point: Point) -> Variant:
    """Find the variant that makes the choices of a point."""
    choices = [at for at, item in enumerate(vary.dimensions) if isinstance(item.domain, Choice)]
    return next(item for item in vary.variants if all(item.picks[at] == point[at] for at in choices))


def _number(hole: Hole, point: Point) -> int | float:
    number = point[hole.dimension]
    if number is None:
        raise ValueError(f"the point {point} leaves out what step {hole.step!r} needs")
    return 1 - number if hole.complement else number


def _filled(value: Any, place: tuple[str | int, ...], number: float) -> Any:
    """Put a number into an op; it takes the type of the one that it replaces."""
    if not place:
        return float(number) if isinstance(value, float) else number
    head, *rest = place
    if isinstance(head, int):
        return (*value[:head], _filled(value[head], tuple(rest), number), *value[head + 1 :])
    return replace(value, **{head: _filled(getattr(value, head), tuple(rest), number)})


def _nodes(steps: Iterable[NamedStep], schema: Schema) -> tuple[Node, ...]:
    made: list[Node] = []
    for named in steps:
        schema = infer(named.step, schema)
        op = Prepare(step=named.step, because=named.because)
        inputs = (made[-1].name,) if made else ("snapshot", "split")
        made.append(Node(name=f"prepare.{named.name}", op=op, inputs=inputs, schema=schema, span=named.span))
    features = schema.select(column.name for column in schema.features)
    last = (made[-1].name,) if made else ("snapshot", "split")
    return (*made, Node(name="matrix", op=Matrix(features=features.names), inputs=last, schema=features))
