"""How one trial is chosen: the rule, what a trial must keep to be chosen at all, and what its kind must do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_compiler.diagnostics import Diagnostic, listing
from mlops_compiler.ir.ops import search as finding
from mlops_compiler.ir.task import has_classes, learns_from_target
from mlops_compiler.models.registry import MODELS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mlops_compiler.diagnostics import Sink, Span
    from mlops_compiler.frontend.provenance import Provenance
    from mlops_compiler.recipe.recipe import Recipe


def select_of(recipe: Recipe, value: finding.ValueMatrix | None, places: Provenance) -> finding.Select:
    """Make the selection of a recipe."""
    constraints = tuple(
        finding.Bound(
            metric=name,
            at_least=bound.at_least,
            at_most=bound.at_most,
            span=places.key_span(("select", "constraints", name)),
        )
        for name, bound in recipe.select.constraints.items()
    )
    calibrate = tuple((name, model.calibrate) for name, model in recipe.models.items() if model.calibrate)
    return finding.Select(
        task=recipe.task,
        rule=recipe.select.rule,
        value=value,
        contamination=getattr(recipe.objective, "contamination", None),
        constraints=constraints,
        max_overfit=recipe.search.max_overfit,
        explanation=recipe.select.require.explanation,
        ensemble=recipe.select.ensemble,
        calibrate=calibrate,
        ordered=bool(calibrate) and recipe.validate_.folds.kind == "time_ordered",
        k=recipe.validate_.folds.k if recipe.validate_.folds.repeats > 1 else None,
    )


def check_explanations(recipe: Recipe, places: Provenance, sink: Sink) -> None:
    """Refuse a recipe none of whose models can be explained as it asks."""
    wanted = set(recipe.select.require.explanation)
    kinds = {model.kind for model in recipe.models.values()}
    if wanted and not any(wanted & MODELS[kind].explains for kind in kinds if not MODELS[kind].is_baseline):
        fitting = [kind for kind in MODELS if wanted & MODELS[kind].explains]
        span = places.value_span(("select", "require", "explanation"))
        sink.add(_unexplained(sorted(wanted), fitting, span))


def check_composition(recipe: Recipe, places: Provenance, sink: Sink) -> None:
    """Refuse to calibrate what gives no probabilities, and to average what is no number."""
    task = recipe.task
    for name, model in recipe.models.items():
        if model.calibrate and not has_classes(task):
            span = places.value_span(("models", name, "calibrate"))
            sink.add(_not_of_task(f"`models.{name}.calibrate` is of probabilities", task, span))
    if recipe.select.ensemble and not learns_from_target(task):
        span = places.value_span(("select", "ensemble"))
        sink.add(_not_of_task("`select.ensemble` is a mean of answers to one question", task, span))


def _not_of_task(what: str, task: str, span: Span | None) -> Diagnostic:
    return Diagnostic(
        code="not-of-this-task",
        headline=f"{what}, and the task is {task.replace('_', ' ')}",
        span=span,
        help="remove it",
    )


def _unexplained(wanted: Iterable[str], fitting: Iterable[str], span: Span | None) -> Diagnostic:
    return Diagnostic(
        code="no-explainable-model",
        headline=f"none of the models can be explained by {listing(wanted)}",
        span=span,
        help=f"kinds that can: {listing(fitting)}",
    )
