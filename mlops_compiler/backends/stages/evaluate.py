"""Evaluate: score the trained model on the holdout, once, beside the baseline that looks at no feature."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from mlops_compiler.backends.search.proposals import seed_of
from mlops_compiler.backends.search.trial import beside, predicted
from mlops_compiler.backends.stages.context import Outcome
from mlops_compiler.backends.stages.evaluate_anomalies import evaluate_anomalies
from mlops_compiler.backends.stages.evaluate_clusters import evaluate_clusters
from mlops_compiler.backends.stages.evaluate_forecast import naive_forecast
from mlops_compiler.backends.stages.expected_error import expected_errors
from mlops_compiler.backends.stages.folds import Prepared, prepared
from mlops_compiler.backends.stages.rows import Rows, read_rows
from mlops_compiler.backends.stages.units import units_of
from mlops_compiler.evaluation.confusion import confusion
from mlops_compiler.evaluation.curves import calibration, precision_recall, roc
from mlops_compiler.evaluation.errors import error_curves, error_summary
from mlops_compiler.evaluation.intervals import Answers, differences, replicate
from mlops_compiler.evaluation.metrics import score_all
from mlops_compiler.evaluation.multiclass import by_class, confusion_counts
from mlops_compiler.evaluation.threshold import value_curve, value_summary
from mlops_compiler.ir.ops.lifecycle import Evaluate, Split
from mlops_compiler.models.composed import is_calibrated, load_described
from mlops_compiler.monitoring.expected import COLUMN, FILES
from mlops_compiler.tables.steps import LABEL, SAMPLE_WEIGHT

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mlops_compiler.backends.stages.context import Context
    from mlops_compiler.backends.stages.rows import Rows
    from mlops_compiler.evaluation.intervals import Replicates
    from mlops_compiler.ir.task import Task
    from mlops_compiler.models.kind import FittedModel

    Values = NDArray[np.float64]


_EVALUATE = {"clustering": evaluate_clusters, "anomaly_detection": evaluate_anomalies}
"""Tasks that learn from no target."""


def evaluate_model(context: Context) -> Outcome:
    """Run the stage."""
    op = context.op(Evaluate)
    manifest, read = context.read_json("train", "manifest"), read_rows(context, None)
    model = load_described(manifest["model"], context.store.objects.get)
    learned: dict[str, str] = {}
    if op.task in _EVALUATE:
        evaluation, predictions = _EVALUATE[op.task](context, manifest, model, read)
    else:
        evaluation, predictions, learned = _evaluate(context, manifest, model, read)
    summary = {name: evaluation[name] for name in ("metrics", "baseline", "rows", "intervals", "interval", "against")}
    outputs = {"evaluation": context.put_json(evaluation), "predictions": context.put_table(predictions), **learned}
    return Outcome(outputs=outputs, summary=summary)


def _evaluate(
    context: Context, manifest: dict[str, Any], model: FittedModel, read: Rows
) -> tuple[dict[str, Any], pl.DataFrame, dict[str, str]]:
    """Score a model that learned from a target.

    Returns:
        The evaluation, what was predicted beside what came, and the files of what was learned of its errors.
    """
    op = context.op(Evaluate)
    entry = {"preparation": manifest["preparation"], "features": manifest["features"]}
    of_holdout = read.frame.filter(read.judges())
    held = prepared(entry, of_holdout, "scoring")
    answers = predicted(op.task, model, held.X)
    base = _baseline(op.task, read.frame.filter(read.learns()), answers)
    if op.naive is not None:
        base = naive_forecast(of_holdout[held.kept], op.naive, base)
    threshold, unit = manifest["threshold"], read.naive_error()
    evaluation = {
        "task": op.task,
        "rows": len(held.y),
        "metric": op.metric,
        "reported": list(op.metrics),
        "metrics": score_all(op.task, held.y, answers, threshold, unit=unit, weights=held.counts),
        "baseline": score_all(op.task, held.y, base, threshold, unit=unit, weights=held.counts),
        "threshold": threshold,
        **_details(op, held, answers, manifest),
        **_weighed(context.op(Split).weight, held.counts),
    }
    if op.naive is not None:
        evaluation["naive"] = op.naive
    sides = {
        "model": Answers(predicted=answers, threshold=threshold),
        "baseline": Answers(predicted=base, threshold=threshold),
    }
    if is_calibrated(manifest["model"]):
        raw = predicted(op.task, load_described(manifest["model"], context.store.objects.get, raw=True), held.X)
        evaluation["uncalibrated"] = _uncalibrated(op, held, raw)
    units = units_of(context.op(Split), of_holdout[held.kept], held.y)
    samples = replicate(op.task, held.y, sides, units, seed_of(op.seed, "evaluate"), unit, held.counts)
    evaluation |= _certainty(evaluation, samples)
    told = beside(op.task, held.y, answers, weights=held.counts).insert_column(0, _places(read, held))
    if op.task != "regression" or (found := expected_errors(held, answers, seed_of(op.seed, "errors"))) is None:
        return evaluation, told, {}
    learned = {f"{FILES}{name}": context.store.objects.put(content) for name, content in sorted(found.files.items())}
    return evaluation, told.with_columns(pl.Series(COLUMN, found.sizes)), learned


def _weighed(column: str | None, weights: Values | None) -> dict[str, Any]:
    """Say which column the rows weigh by, and what those of the holdout weigh together; nothing where none does."""
    return {} if weights is None or column is None else {"weight": {"column": column, "total": float(weights.sum())}}


def _uncalibrated(op: Evaluate, held: Prepared, raw: Values) -> dict[str, Any]:
    """Say what the model would score without its calibration."""
    y = held.y
    names = ("log_loss", "brier") if op.task == "binary_classification" else ("log_loss",)
    curve = {"curve": calibration(y.astype(np.int64), raw, held.counts)} if op.task == "binary_classification" else {}
    return {"metrics": score_all(op.task, y, raw, names=names, weights=held.counts), **curve}


def _places(read: Rows, held: Prepared) -> pl.Series:
    """Give the place of each row in the snapshot."""
    return read.judges().arg_true().gather(held.kept).alias("row")


def _certainty(evaluation: dict[str, Any], found: Replicates) -> dict[str, Any]:
    """Say how sure each metric is, and whether the model is better than the baseline by more than chance."""
    gains = differences(found, "model", "baseline", evaluation["metrics"], evaluation["baseline"])
    return {"intervals": found.intervals("model"), "interval": found.about(), "against": {"baseline": gains}}


def _baseline(task: Task, rows: pl.DataFrame, like: Values) -> Values:
    """Answer each row of the holdout alike: by the frequencies of the training rows' classes, or by their mean."""
    labels, weights = rows[LABEL], rows[SAMPLE_WEIGHT].to_numpy() if SAMPLE_WEIGHT in rows.columns else None
    if task != "multiclass_classification":
        if weights is not None:
            return np.full(len(like), np.average(labels.to_numpy(), weights=weights))
        return np.full(len(like), float(labels.mean() or 0.0))  # type: ignore[arg-type]
    counts = np.bincount(labels.to_numpy(), weights=weights, minlength=like.shape[1])
    return np.tile(counts / counts.sum(), (len(like), 1))


def _details(op: Evaluate, held: Prepared, answers: Values, manifest: dict[str, Any]) -> dict[str, Any]:
    """Give what only this task has."""
    y = held.y
    if op.task == "regression":
        values = y.astype(np.float64)
        return {"errors": error_summary(values, answers), "curves": error_curves(values, answers)}
    labels = y.astype(np.int64)
    if op.task == "multiclass_classification":
        counts = confusion_counts(labels, answers)
        classes = [{"value": value, **told} for value, told in zip(manifest["classes"], by_class(counts), strict=True)]
        return {"classes": classes, "confused": counts.tolist(), "curves": {}}
    return _two_classes(op, labels, answers, manifest["threshold"], held.counts)


def _two_classes(
    op: Evaluate, y: NDArray[np.int64], probability: Values, threshold: float, weights: Values | None
) -> dict[str, Any]:
    curves: dict[str, Any] = {
        "roc": roc(y, probability, weights),
        "precision_recall": precision_recall(y, probability, weights),
        "calibration": calibration(y, probability, weights),
    }
    if op.value is not None:
        curves["value"] = value_curve(y, probability, op.value, weights)
    return {
        "positive_rows": int(y.sum()),
        "confusion": confusion(y, probability, threshold).to_json(),
        "value": None if op.value is None else value_summary(y, probability, threshold, op.value, weights),
        "curves": curves,
    }
