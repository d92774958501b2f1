"""Evaluate: score the trained model on the holdout, once, beside the baseline that looks at no feature."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from mlops_compiler.backends.stages.context import Outcome
from mlops_compiler.backends.stages.deal import HOLDOUT
from mlops_compiler.backends.stages.folds import prepared
from mlops_compiler.backends.stages.rows import read_rows
from mlops_compiler.evaluation.confusion import confusion
from mlops_compiler.evaluation.curves import calibration, precision_recall, roc
from mlops_compiler.evaluation.metrics import METRIC_NAMES, score_all
from mlops_compiler.evaluation.threshold import value_curve, value_summary
from mlops_compiler.ir.ops.lifecycle import Evaluate
from mlops_compiler.models.registry import MODELS
from mlops_compiler.tables.steps import LABEL

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mlops_compiler.backends.stages.context import Context

    Labels = NDArray[np.int64]
    Probabilities = NDArray[np.float64]


def evaluate_model(context: Context) -> Outcome:
    """Run the stage."""
    op = context.op(Evaluate)
    manifest = context.read_json("train", "manifest")
    read = read_rows(context, None)
    rows, parts = read.frame, read.parts
    entry = {"preparation": manifest["preparation"], "features": manifest["features"]}
    held = prepared(entry, rows.filter(parts == HOLDOUT), "scoring")
    files = {name: context.store.objects.get(digest) for name, digest in manifest["model"]["files"].items()}
    probability = MODELS[manifest["model"]["kind"]].load(files).predict_proba(held.X)[:, 1]
    share = float(rows.filter(parts != HOLDOUT)[LABEL].mean() or 0.0)  # type: ignore[arg-type]
    evaluation = _evaluation(op, held.y, probability, manifest["threshold"], share)
    summary = {
        "metrics": evaluation["metrics"],
        "baseline": evaluation["baseline"],
        "rows": evaluation["rows"],
    }
    return Outcome(outputs={"evaluation": context.put_json(evaluation)}, summary=summary)


def _evaluation(op: Evaluate, y: Labels, probability: Probabilities, threshold: float, share: float) -> dict[str, Any]:
    value = None if op.value is None else value_summary(y, probability, threshold, op.value)
    base = np.full(len(y), share)
    return {
        "rows": len(y),
        "positive_rows": int(y.sum()),
        "metric": op.metric,
        "reported": list(op.metrics),
        "metrics": score_all(y, probability, threshold, METRIC_NAMES),
        "baseline": score_all(y, base, threshold, METRIC_NAMES),
        "threshold": threshold,
        "confusion": confusion(y, probability, threshold).to_json(),
        "value": value,
        "curves": _curves(op, y, probability),
    }


def _curves(op: Evaluate, y: Labels, probability: Probabilities) -> dict[str, Any]:
    curves: dict[str, Any] = {
        "roc": roc(y, probability),
        "precision_recall": precision_recall(y, probability),
        "calibration": calibration(y, probability),
    }
    if op.value is not None:
        curves["value"] = value_curve(y, probability, op.value)
    return curves
