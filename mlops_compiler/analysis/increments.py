"""Intake by pieces, before data: the columns of the watermark and of the key must be there, and one must grow."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_compiler.analysis import wording_data
from mlops_compiler.recipe.intake import ByWatermark

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlops_compiler.diagnostics import Sink
    from mlops_compiler.frontend.provenance import Provenance
    from mlops_compiler.recipe.recipe import Recipe

MARKS = ("int", "float", "date", "datetime")
"""The types of the recipe language that have an order in time."""


def key_columns(recipe: Recipe) -> tuple[str, ...]:
    """Name the columns by which rows that come again are known; none where all columns are."""
    key = recipe.data.intake.key if recipe.data.intake is not None else ()
    named = (key,) if isinstance(key, str) else key
    return named or ((recipe.data.key,) if recipe.data.key is not None else ())


def marks_exist(recipe: Recipe, found: Mapping[str, str], places: Provenance, sink: Sink) -> None:
    """Check what `data.intake` names against the columns of the source.

    Args:
        recipe: The recipe.
        found: The columns of the source, with their types.
        places: Where the recipe says what.
        sink: Collects the findings.
    """
    intake = recipe.data.intake
    if intake is None:
        return
    path = recipe.data.source.path
    for index, name in enumerate(key_columns(recipe) if intake.key else ()):
        if name not in found:
            place = ("data", "intake", "key", *((index,) if isinstance(intake.key, tuple) else ()))
            sink.add(wording_data.unknown_source_column(name, found, path, places.value_span(place)))
    if not isinstance(intake, ByWatermark):
        return
    span = places.value_span(("data", "intake", "column"))
    if intake.column not in found:
        sink.add(wording_data.unknown_source_column(intake.column, found, path, span))
    elif found[intake.column] not in MARKS:
        kind = found[intake.column]
        sink.add(
            wording_data.contract_conflict(
                intake.column, f"is the watermark of intake, and is {kind}: it takes a number or a time", span
            )
        )
