"""What comes back to training: which predictions count as wrong follows from the task, and some have none."""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

from mlops_compiler.diagnostics import Diagnostic
from mlops_compiler.ir.ops.feedback import Choice, FeedBack, Measure
from mlops_compiler.ir.program import Node
from mlops_compiler.ir.task import has_classes, learns_from_target
from mlops_compiler.models.registry import MODELS
from mlops_compiler.recipe.amounts import parse_comparison

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlops_compiler.diagnostics import Sink
    from mlops_compiler.frontend.provenance import Provenance
    from mlops_compiler.recipe.feedback import Feedback
    from mlops_compiler.recipe.recipe import Recipe

_USUAL: dict[bool, tuple[Measure, str]] = {True: ("probability_error", "> 0.5"), False: ("times_rmse", "> 2")}
"""By whether the task has classes."""


def check_feedback(recipe: Recipe, places: Provenance, sink: Sink) -> None:
    """Tell what of `feedback` the task, or a model, cannot do."""
    if recipe.feedback is not None:
        for finding in _findings(recipe, recipe.feedback, places):
            sink.add(finding)


def feedback_of(recipe: Recipe, places: Provenance) -> tuple[Node, ...]:
    """Make the node that puts rows back; none where the recipe does not ask for it."""
    feedback = recipe.feedback
    if feedback is None:
        return ()
    span = places.key_span(("feedback",))
    op = FeedBack(
        key=recipe.data.key,
        at_most=feedback.at_most,
        share=feedback.quota.share,
        weight=feedback.weight,
        must_beat=feedback.retrain.must_beat,
        metric=recipe.objective.metric,
        choice=_choice(recipe, feedback),
        span=span,
    )
    return (Node(name="feedback", op=op, inputs=("snapshot", "split"), span=span),)


def _choice(recipe: Recipe, feedback: Feedback) -> Choice:
    usual = _USUAL[has_classes(recipe.task)]
    given = next(iter(feedback.wrong.given.items()), usual)
    measure, bound = next(name for name in get_args(Measure) if name == given[0]), parse_comparison(given[1])
    return Choice(
        measure=measure,
        sign=">=" if bound.sign == ">=" else ">",
        limit=bound.limit,
        wait=feedback.wait or 0.0,
        rows=feedback.quota.rows,
        level=feedback.quarantine.level,
        times=feedback.quarantine.times,
        keys=feedback.quarantine.keys,
    )


def _findings(recipe: Recipe, feedback: Feedback, places: Provenance) -> Iterator[Diagnostic]:
    task = recipe.task.replace("_", " ")
    if not learns_from_target(recipe.task):
        yield Diagnostic(
            code="not-for-task",
            headline=f"`feedback` puts wrong predictions back, and {task} has no target to be wrong about",
            span=places.key_span(("feedback",)),
            help="remove `feedback`",
        )
        return
    for name in feedback.wrong.given:
        if (name == "probability_error") != has_classes(recipe.task):
            yield Diagnostic(
                code="not-for-task",
                headline=f"`feedback.wrong.{name}` is not what {task} can be wrong by",
                span=places.key_span(("feedback", "wrong", name)),
                help="of classes write `probability_error`, of values `error` or `times_rmse`",
            )
    for name, model in recipe.models.items():
        if feedback.weight != 1 and not MODELS[model.kind].takes_weights:
            yield Diagnostic(
                code="no-weights",
                headline=f"model `{name}` is a `{model.kind}`, which cannot weigh rows by `feedback.weight`",
                span=places.value_span(("models", name, "kind")),
                help="take another kind, or let `feedback.weight` be 1",
            )
