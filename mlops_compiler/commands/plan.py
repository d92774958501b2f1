"""`plan` says what a run would do, stage by stage; it reads no rows and starts nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlops_compiler.commands.base import DONE
from mlops_compiler.commands.telling import tell_beside
from mlops_compiler.console.plan_view import PlanRow, print_plan
from mlops_compiler.console.streams import results
from mlops_compiler.driver import plan_recipe
from mlops_compiler.ir.ops.lifecycle import Candidate, Matrix, Search
from mlops_compiler.ir.printer import print_value

if TYPE_CHECKING:
    from mlops_compiler.commands.base import Invocation
    from mlops_compiler.frontend.composed import Composed
    from mlops_compiler.plan.stages import Plan, Stage


def plan(composed: Composed, invocation: Invocation) -> int:
    """Print each stage as reuse, rebuild or new, with the reason."""
    planned = plan_recipe(composed)
    tell_beside(planned.compiled.warnings, invocation.style)
    if invocation.as_json:
        invocation.print_json({"recipe": planned.plan.recipe, "stages": plan_data(planned.plan)})
    else:
        print_plan(planned.plan.recipe, plan_rows(planned.plan), results())
    return DONE


def plan_rows(made: Plan) -> list[PlanRow]:
    """The rows of a plan for the console."""
    return [
        PlanRow(
            stage=action.stage.name,
            action=action.action,
            reason=action.reason,
            extra=_extra(action.stage) if action.action != "reuse" else "",
        )
        for action in made.actions
    ]


def plan_data(made: Plan) -> list[dict[str, Any]]:
    """A plan as JSON."""
    return [
        {
            "stage": action.stage.name,
            "action": action.action,
            "reason": action.reason,
            "fingerprint": action.stage.fingerprint,
        }
        for action in made.actions
    ]


def _extra(stage: Stage) -> str:
    """What a stage will do, where its name does not say it."""
    match stage.nodes[-1].op:
        case Matrix(features=features):
            steps = stage.ingredients["prepare.order"]
            return f"{', '.join(steps)} → {len(features)} features" if steps else f"{len(features)} features"
        case Search() as search:
            limit = f"at most {search.trials} trials" + (f" or {search.time:g} s" if search.time else "")
            return "\n".join([f"{limit}, {search.algorithm}, {search.scheduler}", *map(_candidate, search.candidates)])
        case _:
            return ""


def _candidate(item: Candidate) -> str:
    space = ", ".join(f"{name} {print_value(domain)}" for name, domain in item.space.items())
    return f"{item.name}: {item.kind}" + (f" — {space}" if space else "")
