"""The contract after preparation, against the features that the steps leave: names, types, how many."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mlops_compiler.analysis import wording_features
from mlops_compiler.analysis.categories import numbered
from mlops_compiler.analysis.contract import bounds_of
from mlops_compiler.analysis.selectors import GROUPS, is_pattern
from mlops_compiler.ir.ops.features import CheckFeatures, FeatureCheck
from mlops_compiler.ir.ops.preparation import Prepare
from mlops_compiler.ir.ops.prepare import Selection
from mlops_compiler.ir.schema import dtype_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlops_compiler.diagnostics import Sink, Span
    from mlops_compiler.frontend.provenance import Provenance
    from mlops_compiler.ir.program import Node
    from mlops_compiler.ir.schema import Column, Schema
    from mlops_compiler.recipe.recipe import Recipe

_KEEP = ("cast", "filter", "deduplicate")
"""Operations that refuse by themselves what they may not lose."""
_PLACE = ("features", "columns")
_OF_NUMBERS = ("type", "range", "missing", "mean", "std", "quantiles")
"""What a contract may ask of numbers only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """What the preparation leaves.

    Attributes:
        features: The columns that reach the models.
        steps: The nodes of the steps.
    """

    features: Schema
    steps: Sequence[Node]


def check_of(recipe: Recipe, prepared: Prepared, places: Provenance, sink: Sink) -> CheckFeatures | None:
    """Resolve the contract of the features; None where the recipe has none.

    Args:
        recipe: The recipe.
        prepared: What its steps leave.
        places: Where it says what.
        sink: Collects the findings: features that there are not, or of another type, or too many.
    """
    said = recipe.features
    losses = _losses(recipe)
    if said.at_most is None and not said.columns and not losses:
        return None
    if said.severity == "error":
        _within_budget(said.at_most, prepared, places, sink)
    checks = []
    for key, contract in said.columns.items():
        span = places.key_span((*_PLACE, key))
        found = _matching(key, prepared, span, sink)
        asked = [name for name in _OF_NUMBERS if getattr(contract, name) is not None]
        if asked and (named := [column.name for column in found if column.name in numbered(prepared.steps)]):
            sink.add(wording_features.no_numbers(named, asked, span))
        for column in found:
            if contract.type is not None and (kind := dtype_name(column.dtype)) != contract.type:
                type_span = places.value_span((*_PLACE, key, "type"))
                sink.add(wording_features.feature_type(column.name, kind, contract.type, type_span))
        checks.append(
            FeatureCheck(
                key=key,
                features=(key,) if _is_level(key, prepared.features) else tuple(column.name for column in found),
                range=contract.range,
                missing=contract.missing,
                mean=contract.mean,
                std=contract.std,
                quantiles=bounds_of(contract.quantiles),
                severity=contract.severity,
                span=span,
            )
        )
    budget = places.value_span(("features", "at_most")) if said.at_most is not None else None
    return CheckFeatures(checks=tuple(checks), at_most=said.at_most, severity=said.severity, losses=losses, span=budget)


def _losses(recipe: Recipe) -> tuple[tuple[str, float], ...]:
    """List the limits of steps that do not keep one themselves."""
    said = ((name, getattr(step, "max_loss", None)) for name, step in recipe.prepare.items() if step.op not in _KEEP)
    return tuple((name, most) for name, most in said if isinstance(most, float))


def _within_budget(most: int | None, prepared: Prepared, places: Provenance, sink: Sink) -> None:
    """Count the features that there are for certain: no selection may remove them, and open ones are not counted."""
    chosen = any(isinstance(node.op, Prepare) and isinstance(node.op.step, Selection) for node in prepared.steps)
    certain = 0 if chosen else sum(not column.is_open for column in prepared.features)
    if most is not None and certain > most:
        sink.add(wording_features.too_many(certain, most, places.value_span(("features", "at_most"))))


def _matching(key: str, prepared: Prepared, span: Span | None, sink: Sink) -> tuple[Column, ...]:
    features = prepared.features
    if key in features:
        return (features[key],)
    if key in GROUPS:
        found = tuple(column for column in features if GROUPS[key](column))
    elif is_pattern(key):
        try:
            pattern = re.compile(key[1:-1])
        except re.error as error:
            sink.add(wording_features.bad_pattern(key, str(error), span))
            return ()
        found = tuple(column for column in features if pattern.search(column.name))
    else:
        found = tuple(column for column in features if column.is_open and key.startswith(column.name[:-1]))
    if not found:
        earlier = {column.name for node in prepared.steps for column in node.schema or ()}
        sink.add(wording_features.unknown_feature(key, features.names, span, was_there=key in earlier))
    return found


def _is_level(key: str, features: Schema) -> bool:
    """Whether a key names one of the indicators that only the data name."""
    return (
        key not in features
        and key not in GROUPS
        and not is_pattern(key)
        and any(column.is_open and key.startswith(column.name[:-1]) for column in features)
    )
