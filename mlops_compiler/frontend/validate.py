"""A composed recipe becomes a Recipe, or every mistake in it is told at once, each at its narrowest place.

Validation is strict: what is written `"80"` is a text, and no text becomes a number or a truth by itself.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from pydantic import ValidationError

from mlops_compiler.diagnostics import RecipeError, Sink
from mlops_compiler.frontend.alternatives import alternatives
from mlops_compiler.frontend.findings import Findings
from mlops_compiler.frontend.traps import traps
from mlops_compiler.recipe.forecasting import looking_ahead
from mlops_compiler.recipe.recipe import Recipe

if TYPE_CHECKING:
    from mlops_compiler.diagnostics import Diagnostic
    from mlops_compiler.frontend.composed import Composed


def validate(composed: Composed) -> Recipe:
    """Check a composed recipe against the models; of a preparation that is searched, what its first trials follow.

    Raises:
        RecipeError: Everything that is wrong with it, in the order written.
    """
    composed = alternatives(composed).base
    found = list(traps(composed.config, composed.provenance))
    try:
        # JSON's strict mode is the one that takes a list for a tuple, and still no text for a number.
        # Only the recipe's own words are keys: `validate`, and not the field `validate_` that holds it.
        text = json.dumps(composed.config)
        recipe = Recipe.model_validate_json(text, strict=True, by_alias=True, by_name=False)
    except ValidationError as error:
        findings = Findings(config=composed.config, provenance=composed.provenance)
        found += findings.of(error)
        recipe = None
    sink = Sink()
    for finding in sorted(found, key=_as_read):
        sink.add(finding)
    sink.raise_errors(RecipeError)
    assert recipe is not None  # noqa: S101 - an error of Pydantic's always leaves a finding
    return looking_ahead(recipe)


def _as_read(finding: Diagnostic) -> tuple[str, int, int]:
    span = finding.span
    return ("", 0, 0) if span is None else (span.source, span.line, span.column)
