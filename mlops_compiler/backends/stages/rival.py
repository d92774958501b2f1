"""The release in place answers the very rows that the new model was scored on, and both are compared as pairs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from mlops_compiler.backends.search.proposals import seed_of
from mlops_compiler.backends.stages.out_of_fold import read_answers
from mlops_compiler.backends.stages.rows import read_rows
from mlops_compiler.backends.stages.units import units_of
from mlops_compiler.diagnostics import MlopsError
from mlops_compiler.evaluation.intervals import Answers, differences, replicate
from mlops_compiler.evaluation.metrics import score_all
from mlops_compiler.ir.ops.lifecycle import Split
from mlops_compiler.ir.schema import DTYPES
from mlops_compiler.ir.task import learns_from_target
from mlops_compiler.plan.rival import in_place

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from mlops_compiler.backends.stages.context import Context
    from mlops_compiler.ir.task import Task
    from mlops_compiler.serving.predictor import Predictor
    from mlops_compiler.store.records import Release

    Values = NDArray[np.float64]
_SAME = ("task", "target", "positive", "classes")


def compare_with_rival(context: Context, manifest: Mapping[str, Any], metrics: Mapping[str, float]) -> Any:
    """Compare the new model with the release in place.

    Args:
        context: The stage `release`.
        manifest: Of the new model.
        metrics: What it scored on the holdout.

    Returns:
        ``release``, its number; ``metrics``, what it scores on the same rows; ``gains``, by how much the new model is
        better; and ``fair``, whether neither saw these rows in training. Where they cannot be compared ``why_not``
        stands in place of these. None where no other release is in place.
    """
    found = in_place(context.task.recipe, context.store)
    if not learns_from_target(context.op(Split).task):
        return None
    if found is None or found.fingerprint == context.task.stage.fingerprint:
        return None
    if found.manifest == context.inputs["train"].outputs["manifest"]:
        return {"release": found.number, "why_not": "it is the same model"}
    try:
        return {"release": found.number, "fair": _fair(found, context), **_compared(found, context, manifest, metrics)}
    except MlopsError as error:
        return {"release": found.number, "why_not": error.diagnostics[0].headline}
    except pl.exceptions.PolarsError as error:
        return {"release": found.number, "why_not": f"it cannot read these rows: {str(error).splitlines()[0]}"}


def _fair(found: Release, context: Context) -> bool:
    """Whether the holdout is untouched for both: it was made with the same split, or with one whose sides were kept."""
    run = context.store.run(found.run_id)
    seals = {item["stage"]: item["fingerprint"] for item in run.plan} if run is not None else {}
    if seals.get("split") == context.inputs["split"].fingerprint:
        return True
    kept = context.op(Split).frozen
    records = (context.store.stage_record(str(seals[name])) for name in ("split", "feedback") if name in seals)
    return kept is not None and any(kept[2] == record.outputs.get("split") for record in records if record is not None)


def _compared(
    found: Release, context: Context, manifest: Mapping[str, Any], metrics: Mapping[str, float]
) -> dict[str, Any]:
    from mlops_compiler.serving.predictor import Predictor

    split, ours = context.op(Split), context.read_table("evaluate", "predictions")
    if not learns_from_target(split.task):
        return {"why_not": "no target says which is better"}
    predictor = Predictor.load(context.store, found.manifest)
    if other := [name for name in _SAME if predictor.manifest.get(name) != manifest.get(name)]:
        return {"why_not": f"its {' and '.join(other)} is another"}
    fields = [field for field in predictor.manifest["request"] if field["name"] != predictor.manifest.get("key")]
    snapshot = context.read_table("snapshot", "snapshot")[ours["row"].to_numpy()]
    if lacking := [field["name"] for field in fields if field["name"] not in snapshot.columns]:
        return {"why_not": f"it asks for `{lacking[0]}`, which these rows do not have"}
    typed = snapshot.select(pl.col(field["name"]).cast(DTYPES[field["type"]]) for field in fields)
    theirs = answers_of(split.task, predictor, typed)
    y, weights = ours["label"].to_numpy(), ours["weight"].to_numpy() if "weight" in ours.columns else None
    sides = {
        "model": Answers(predicted=read_answers(split.task, ours), threshold=manifest["threshold"]),
        "release": Answers(predicted=theirs, threshold=predictor.manifest["threshold"]),
    }
    unit = None if split.naive is None else read_rows(context, [split.naive]).naive_error()
    seed = seed_of(split.seed, "release")
    samples = replicate(split.task, y, sides, units_of(split, snapshot, y), seed, unit, weights)
    scored = score_all(split.task, y, theirs, predictor.manifest["threshold"], unit=unit, weights=weights)
    return {"metrics": scored, "gains": differences(samples, "model", "release", metrics, scored)}


def answers_of(task: Task, predictor: Predictor, rows: pl.DataFrame) -> Values:
    """Let a release answer rows, as `predicted` gives answers."""
    scored = predictor.predict(rows)
    if task == "multiclass_classification":
        return scored["probabilities"].struct.unnest().to_numpy(order="c")
    name = "probability" if task == "binary_classification" else "prediction"
    return scored[name].to_numpy().astype(np.float64)
