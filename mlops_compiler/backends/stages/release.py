"""Release: check the acceptance criteria on the holdout; where all are met, the model gets a number."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlops_compiler.backends.stages.context import Outcome
from mlops_compiler.backends.stages.rival import compare_with_rival
from mlops_compiler.ir.ops.lifecycle import Release

if TYPE_CHECKING:
    from mlops_compiler.backends.stages.context import Context
    from mlops_compiler.ir.ops.search import Bound


def release_model(context: Context) -> Outcome:
    """Run the stage; a missed criterion is a result, not an error."""
    evaluation, manifest = context.read_json("evaluate", "evaluation"), context.read_json("train", "manifest")
    rival = compare_with_rival(context, manifest, evaluation["metrics"])
    criteria = [_check(bound, evaluation, rival) for bound in context.op(Release).criteria]
    accepted = all(item["met"] for item in criteria)
    digest = context.inputs["train"].outputs["manifest"]
    number = _register(context, digest, evaluation["metrics"]) if accepted else None
    summary = {"criteria": criteria, "accepted": accepted, "release": number, "rival": rival}
    return Outcome(outputs={"manifest": digest}, summary=summary)


def _check(bound: Bound, evaluation: dict[str, Any], rival: dict[str, Any] | None) -> dict[str, Any]:
    value = evaluation["metrics"][bound.metric]
    low_enough = bound.at_most is None or value <= bound.at_most
    high_enough = bound.at_least is None or value >= bound.at_least
    beaten = [_beaten(other, bound, evaluation, rival) for other in bound.beats]
    return {
        "metric": bound.metric,
        "at_least": bound.at_least,
        "at_most": bound.at_most,
        "beats": beaten,
        "value": value,
        "interval": evaluation["intervals"].get(bound.metric),
        "met": low_enough and high_enough and all(item["met"] for item in beaten),
    }


def _beaten(other: str, bound: Bound, evaluation: dict[str, Any], rival: dict[str, Any] | None) -> dict[str, Any]:
    """Say whether another is beaten: where the interval of the gain lies above what is asked."""
    told: dict[str, Any] = {"other": other, "by": bound.by, "met": False, "note": None}
    if other == "release" and rival is None:
        return told | {"met": True, "note": "no other release is in place"}
    if other == "release" and rival is not None:
        told["other"] = f"release {rival['release']}"
        if rival.get("why_not") == "it is the same model":
            return told | {"met": bound.by <= 0, "note": rival["why_not"]}
        gains = rival.get("gains", {})
    else:
        gains = evaluation["against"]["baseline"]
    if (found := gains.get(bound.metric)) is None:
        why = (rival or {}).get("why_not") if other == "release" else None
        return told | {"note": why or "too few rows to tell"}
    return {**told, **found, "met": found["low"] > bound.by}


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
