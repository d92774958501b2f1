"""The lifecycle of a recipe for a drawing: the stages of its plan, and what it declares of the time after them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlops_compiler.ir.ops import preparation

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlops_compiler.plan.stages import Plan
    from mlops_compiler.recipe.recipe import Recipe


def parts(plan: Plan, recipe: Recipe) -> tuple[dict[str, Any], ...]:
    """List the parts of a lifecycle in order.

    Returns:
        Of each part ``stage`` (its name), ``action`` (what a run would do to it; ``declared`` where no run does
        anything), ``parents`` (what it reads), ``note`` (a few words on it) and ``inside`` (what it is made of).
    """
    program = plan.program
    stages = [
        {
            "stage": action.stage.name,
            "action": action.action,
            "parents": list(action.stage.parents),
            "note": _note(action.stage.name, recipe, program.the(preparation.Matrix)[1]),
            "inside": _inside(action.stage.name, recipe),
        }
        for action in plan.actions
    ]
    return (*stages, *_declared(recipe))


def _note(stage: str, recipe: Recipe, matrix: preparation.Matrix) -> str:  # noqa: PLR0911 - one note a stage
    objective, validation, search = recipe.objective, recipe.validate_, recipe.search
    match stage:
        case "snapshot":
            return recipe.data.source.path
        case "split":
            times = f", {validation.folds.repeats} times" if validation.folds.repeats > 1 else ""
            held = f"{validation.holdout.fraction:.0%} {validation.holdout.kind} holdout"
            return f"{held}, {validation.folds.k} folds{times}"
        case "prepare":
            return f"{len(matrix.features)} features"
        case "search":
            return f"at most {search.trials} trials for {objective.metric}"
        case "nested":
            return f"{validation.nested.k} outer folds, each with a search" if validation.nested else ""
        case "select":
            return recipe.select.rule
        case "explain":
            return ", ".join(_explained(recipe))
        case "release":
            return f"if {', '.join(objective.accept)} hold" if objective.accept else "without a criterion"
        case _:
            return ""


def _explained(recipe: Recipe) -> Iterator[str]:
    asked = recipe.explain
    if recipe.objective.target is None:
        return
    if asked.importance != "none":
        yield "importance"
    if asked.shap:
        yield "contributions"
    if asked.partial_dependence:
        yield "dependence"
    if asked.slices or asked.find_slices:
        yield "slices"


def _inside(stage: str, recipe: Recipe) -> list[str]:
    if stage == "snapshot":
        below = [f"{name}: stack {stack.source.path}" for name, stack in recipe.data.stack.items()]
        beside = [f"{name}: join {join.source.path}" for name, join in recipe.data.join.items()]
        return [*below, *beside, *(f"{name}: in {it.source.path}" for name, it in recipe.data.references.items())]
    if stage == "prepare":
        return [f"{name}: {step.op}" for name, step in recipe.prepare.items()]
    if stage == "search":
        return [f"{name}: {model.kind}" for name, model in recipe.models.items()]
    return []


def _declared(recipe: Recipe) -> Iterator[dict[str, Any]]:
    """What no run does: `deploy` does it, or a later version will."""
    yield _part("deploy", "release", recipe.deploy.route or f"/{recipe.name}")
    if recipe.monitor is not None:
        often = f"cron {recipe.monitor.cron}" if recipe.monitor.cron else f"every {recipe.monitor.every:g} s"
        yield _part("monitor", "deploy", often)
    if recipe.feedback is not None:
        above = "monitor" if recipe.monitor is not None else "deploy"
        again = recipe.feedback.retrain.cron if recipe.feedback.retrain else None
        yield _part("feedback", above, "labels back to the data" + (f", retrains {again}" if again else ""))


def _part(name: str, parent: str, note: str) -> dict[str, Any]:
    return {"stage": name, "action": "declared", "parents": [parent], "note": note, "inside": []}
