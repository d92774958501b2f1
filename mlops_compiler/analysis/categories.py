"""Features that are still categories after the last step are numbered for the models; each sees them as it can."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from mlops_compiler.analysis import wording_features
from mlops_compiler.ir.domain import is_domain
from mlops_compiler.ir.ops.levels import Categories
from mlops_compiler.ir.ops.preparation import Prepare, Vary
from mlops_compiler.ir.ops.search import Search
from mlops_compiler.ir.program import Node
from mlops_compiler.ir.schema import Known
from mlops_compiler.ir.task import learns_from_target
from mlops_compiler.models.registry import MODELS
from mlops_compiler.tables.infer import infer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlops_compiler.diagnostics import Sink
    from mlops_compiler.frontend.provenance import Provenance
    from mlops_compiler.ir.ops.search import Candidate
    from mlops_compiler.ir.program import Program
    from mlops_compiler.ir.schema import Schema
    from mlops_compiler.recipe.recipe import Recipe

NAME = "(categories)"
"""The step's name; no recipe can write one like it."""
MAX_LEVELS = 254
"""With a number for all others, as many as scikit-learn's histogram boosting tells apart: 255."""


def with_categories(
    recipe: Recipe, nodes: tuple[Node, ...], source: Schema, places: Provenance, sink: Sink
) -> tuple[Node, ...]:
    """Add the step that numbers levels, where texts are left.

    Args:
        recipe: The recipe.
        nodes: Its steps.
        source: The columns that reach the first of them.
        places: Where it says what.
        sink: Collects the finding: the task has models that take numbers only.
    """
    schema = (nodes[-1].schema if nodes else None) or source
    # One that is known only after the outcome is a leak, and told as one.
    found = [item for item in schema.features if item.is_categorical and item.known is not Known.AFTER_OUTCOME]
    if not found:
        return nodes
    kinds = {name: MODELS[model.kind] for name, model in recipe.models.items()}
    unable = [name for name, kind in kinds.items() if not (kind.takes_categories or kind.is_baseline)]
    if unable and not learns_from_target(recipe.task):  # models that are judged by the distances between rows
        span = places.key_span(("data", "columns", found[0].name))
        sink.add(wording_features.not_taken(found, unable, span))
        return nodes
    step = Categories(columns=tuple(item.name for item in found), max_levels=MAX_LEVELS)
    inputs = (nodes[-1].name,) if nodes else ("snapshot", "split")
    op = Prepare(step=step, because="the models take categories as they are")
    span = places.key_span(("models",))
    return (*nodes, Node(name=f"prepare.{NAME}", op=op, inputs=inputs, schema=infer(step, schema), span=span))


def settled(program: Program) -> Program:
    """Search no parameter that says what becomes of categories where no model ever sees one."""
    steps = [node.op for node in program]
    found = [op.step for op in steps if isinstance(op, Prepare)]
    found += [named.step for _, vary in program.of(Vary) for item in vary.variants for named in item.steps]
    if any(isinstance(step, Categories) for step in found):
        return program
    return program.with_nodes(
        replace(node, op=replace(node.op, candidates=tuple(map(_settled, node.op.candidates))))
        if isinstance(node.op, Search)
        else node
        for node in program
    )


def _settled(candidate: Candidate) -> Candidate:
    kind = MODELS[candidate.kind]
    parameters = (
        (name, kind.defaults[name] if name in kind.of_categories and is_domain(value) else value)
        for name, value in candidate.parameters
    )
    return replace(candidate, parameters=tuple(parameters))


def numbered(nodes: Sequence[Node]) -> frozenset[str]:
    """Name the features whose numbers stand for levels."""
    last = nodes[-1].op if nodes else None
    found = last.step if isinstance(last, Prepare) else None
    return frozenset(found.columns if isinstance(found, Categories) else ())
