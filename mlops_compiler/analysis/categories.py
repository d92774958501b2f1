"""Features that are still categories after the last step are numbered for the models, where each of them takes such."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_compiler.analysis import wording_features
from mlops_compiler.ir.ops.levels import Categories
from mlops_compiler.ir.ops.preparation import Prepare
from mlops_compiler.ir.program import Node
from mlops_compiler.ir.schema import Known
from mlops_compiler.models.registry import MODELS
from mlops_compiler.tables.infer import infer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlops_compiler.diagnostics import Sink
    from mlops_compiler.frontend.provenance import Provenance
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
        sink: Collects the finding: a model takes numbers only.
    """
    schema = (nodes[-1].schema if nodes else None) or source
    # One that is known only after the outcome is a leak, and told as one.
    found = [item for item in schema.features if item.is_categorical and item.known is not Known.AFTER_OUTCOME]
    if not found:
        return nodes
    kinds = {name: MODELS[model.kind] for name, model in recipe.models.items()}
    unable = [name for name, kind in kinds.items() if not kind.takes_categories and not kind.is_baseline]
    if unable:
        able = [name for name, kind in kinds.items() if kind.takes_categories]
        span = places.key_span(("data", "columns", found[0].name))
        sink.add(wording_features.not_taken(found, unable, able, span))
        return nodes
    step = Categories(columns=tuple(item.name for item in found), max_levels=MAX_LEVELS)
    inputs = (nodes[-1].name,) if nodes else ("snapshot", "split")
    op = Prepare(step=step, because="the models take categories as they are")
    span = places.key_span(("models",))
    return (*nodes, Node(name=f"prepare.{NAME}", op=op, inputs=inputs, schema=infer(step, schema), span=span))


def numbered(nodes: Sequence[Node]) -> frozenset[str]:
    """Name the features whose numbers stand for levels."""
    last = nodes[-1].op if nodes else None
    found = last.step if isinstance(last, Prepare) else None
    return frozenset(found.columns if isinstance(found, Categories) else ())
