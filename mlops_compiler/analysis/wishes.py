"""What a recipe asks of the fits of a model must be something that its kind, the task and the features can give."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_compiler.diagnostics import Diagnostic, did_you_mean, listing
from mlops_compiler.ir.task import has_classes, learns_from_target
from mlops_compiler.models.registry import MODELS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlops_compiler.diagnostics import Sink
    from mlops_compiler.frontend.provenance import Provenance
    from mlops_compiler.ir.schema import Schema
    from mlops_compiler.recipe.models import Model
    from mlops_compiler.recipe.recipe import Recipe

_HAVE_A_DIRECTION = ("binary_classification", "regression")


def check_wishes(recipe: Recipe, features: Schema, levels: frozenset[str], places: Provenance, sink: Sink) -> None:
    """Tell each wish that cannot be met, at the very word.

    Args:
        recipe: The recipe.
        features: What reaches the models.
        levels: Those of the features that are categories.
        places: Where the recipe says what.
        sink: Collects the findings.
    """
    for finding in _weight(recipe, places):
        sink.add(finding)
    for name, model in recipe.models.items():
        for finding in (*_imbalance(name, model, recipe, places), *_monotone(name, model, recipe, features, places)):
            sink.add(finding)
        for feature in sorted(levels & set(model.monotone)):
            sink.add(_no_order(name, feature, places))


def _weight(recipe: Recipe, places: Provenance) -> Iterator[Diagnostic]:
    if recipe.data.weight is None:
        return
    if not learns_from_target(recipe.task):
        yield Diagnostic(
            code="not-for-task",
            headline=f"`data.weight` weighs rows, and the metrics of {_spoken(recipe.task)} count all alike",
            span=places.key_span(("data", "weight")),
            help="remove `data.weight`, and name the column under `data.ignore`",
        )
        return
    for name, model in recipe.models.items():
        if not MODELS[model.kind].takes_weights:
            yield Diagnostic(
                code="no-weights",
                headline=f"model `{name}` is a `{model.kind}`, which cannot weigh rows by `data.weight`",
                span=places.value_span(("models", name, "kind")),
                help="take another kind, or remove `data.weight`",
            )


def _imbalance(name: str, model: Model, recipe: Recipe, places: Provenance) -> Iterator[Diagnostic]:
    task = recipe.task
    if model.imbalance and not has_classes(task):
        yield Diagnostic(
            code="not-for-task",
            headline=f"model `{name}` sets `imbalance`, and {_spoken(task)} has no classes to balance",
            span=places.key_span(("models", name, "imbalance")),
            help="remove `imbalance`",
        )


def _monotone(name: str, model: Model, recipe: Recipe, features: Schema, places: Provenance) -> Iterator[Diagnostic]:
    if not model.monotone:
        return
    task, kind, span = recipe.task, MODELS[model.kind], places.key_span(("models", name, "monotone"))
    if not kind.takes_monotone:
        able = [other for other in MODELS if MODELS[other].takes_monotone]
        yield Diagnostic(
            code="no-monotone",
            headline=f"model `{name}` is a `{model.kind}`, which cannot be held to `monotone`",
            span=span,
            help=f"kinds that can: {listing(able)}",
        )
    elif task not in _HAVE_A_DIRECTION:
        yield Diagnostic(
            code="no-monotone",
            headline=f"model `{name}` sets `monotone`, and what {_spoken(task)} predicts neither rises nor falls",
            span=span,
            help="remove `monotone`: it is for two classes and for values",
        )
    for feature, direction in model.monotone.items():
        if not _is_there(feature, features):
            yield Diagnostic(
                code="unknown-feature",
                headline=f"model `{name}` holds `{feature}` to be {direction}, and no such feature reaches it",
                span=places.key_span(("models", name, "monotone", feature)),
                help=did_you_mean(feature, features.names, otherwise="features"),
            )


def _no_order(name: str, feature: str, places: Provenance) -> Diagnostic:
    return Diagnostic(
        code="no-monotone",
        headline=f"model `{name}` is to rise or fall with `{feature}`, which is a category: its levels have no order",
        span=places.key_span(("models", name, "monotone", feature)),
        help="give them one with `ordinal`",
    )


def _spoken(task: str) -> str:
    return task.replace("_", " ")


def _is_there(feature: str, features: Schema) -> bool:
    """Say whether a feature is one, or may be one of those that only the data can name."""
    return feature in features or any(item.is_open and feature.startswith(item.name[:-1]) for item in features)
