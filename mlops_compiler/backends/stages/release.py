"""Release: check the acceptance criteria on the holdout; where all are met, the model gets a number."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlops_compiler.backends.stages.context import Outcome
from mlops_compiler.ir.ops.lifecycle import Release

if TYPE_CHECKING:
    from mlops_compiler.backends.stages.context import Context
    from mlops_compiler.ir.ops.lifecycle import Bound


def release_model(context: Context) -> Outcome:
    """Run the stage; a missed criterion is a result, not an error."""
    evaluation = context.read_json("evaluate", "evaluation")
    criteria = [_check(bound, evaluation) for bound in context.op(Release).criteria]
    accepted = all(item["met"] for item in criteria)
    manifest = context.inputs["train"].outputs["manifest"]
    number = _register(context, manifest, evaluation["metrics"]) if accepted else None
    summary = {"criteria": criteria, "accepted": accepted, "release": number}
    return Outcome(outputs={"manifest": manifest}, summary=summary)


def _check(bound: Bound, evaluation: dict[str, Any]) -> dict[str, Any]:
    value = evaluation["metrics"][bound.metric]
    low_enough = bound.at_most is None or value <= bound.at_most
    high_enough = bound.at_least is None or value >= bound.at_least
    return {
        "metric": bound.metric,
        "at_least": bound.at_least,
        "at_most": bound.at_most,
        "value": value,
        "interval": evaluation["intervals"].get(bound.metric),
        "met": low_enough and high_enough,
    }


def _register(context: Context, manifest: str, metrics: dict[str, float]) -> int:
    release = context.store.register_release(
        recipe=context.task.recipe,
        fingerprint=context.task.stage.fingerprint,
        manifest=manifest,
        metrics=metrics,
        run_id=context.task.run_id,
        notes=context.task.facts.get("description") or "",
    )
    return release.number
