"""The rows that a recipe is about, and a target that it computes: expressions over the columns of the source."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from mlops_compiler.analysis import wording_data
from mlops_compiler.diagnostics import did_you_mean
from mlops_compiler.frontend.provenance import within
from mlops_compiler.ir.ops.intake import Population
from mlops_compiler.ir.schema import DTYPES, dtype_name
from mlops_compiler.tables.expressions import NotRowWiseError, infer_expression, parse_expression

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlops_compiler.diagnostics import Sink
    from mlops_compiler.frontend.provenance import Provenance
    from mlops_compiler.recipe.recipe import Recipe


UNTYPED = "untyped"
"""The type of a target whose expression is wrong; that is told, and what follows from it is not."""


def computed_target(recipe: Recipe, found: Mapping[str, str], places: Provenance, sink: Sink) -> str | None:
    """Check the expressions of a recipe on its source; return the type of the target that one makes, if it does.

    Args:
        recipe: The recipe.
        found: The columns of the source, and of what is joined to it, with their types.
        places: Where the recipe says what.
        sink: Collects the findings.
    """
    objective = recipe.objective
    if recipe.data.where is not None:
        kind = _infer(recipe.data.where, "data.where", found, recipe, places, sink)
        if kind not in (None, "bool"):
            reason = f"it needs true or false for each row; this gives {kind}"
            span = places.value_span(("data", "where"))
            sink.add(wording_data.bad_source_expression("data.where", recipe.data.where, reason, span))
    if objective.target_is is None or objective.target is None:
        return None
    if objective.target in found and objective.target not in recipe.data.ignore:
        span = places.value_span(("objective", "target"))
        sink.add(
            wording_data.contract_conflict(objective.target, "is computed by `target_is`, and the source has it", span)
        )
    return _infer(objective.target_is, "objective.target_is", found, recipe, places, sink) or UNTYPED


def population_of(recipe: Recipe) -> Population | None:
    """Make the op that selects rows and computes the target; None where the recipe asks for neither."""
    objective = recipe.objective
    target = None
    if objective.target is not None and objective.target_is is not None:
        target = (objective.target, objective.target_is)
    if recipe.data.where is None and target is None:
        return None
    return Population(where=recipe.data.where, target=target)


def _infer(text: str, key: str, found: Mapping[str, str], recipe: Recipe, places: Provenance, sink: Sink) -> str | None:
    span = places.value_span(tuple(key.split(".")))
    kept = {name: kind for name, kind in found.items() if name not in recipe.data.ignore}
    try:
        _, roots = parse_expression(text)
        missing = [name for name in roots if name not in kept]
        for name in missing:
            help_ = did_you_mean(name, list(kept), otherwise="its columns are")
            word = within(span, name) if span else None
            sink.add(wording_data.unknown_in_source_expression(key, name, help_, word))
        if missing:
            return None
        dtypes: dict[str, pl.DataType] = {name: DTYPES.get(kind, pl.String()) for name, kind in kept.items()}
        return dtype_name(infer_expression(text, dtypes))
    except NotRowWiseError:
        sink.add(wording_data.bad_source_expression(key, text, "it looks at more than one row", span))
    except pl.exceptions.PolarsError as error:
        sink.add(wording_data.bad_source_expression(key, text, str(error).strip().split("\n", 1)[0], span))
    return None
