"""What anomaly detection is evaluated by: a twin, scores at random, and what sets the flagged rows apart."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from mlops_compiler.backends.search.proposals import seed_of
from mlops_compiler.backends.search.trial import beside, predicted
from mlops_compiler.backends.search.twin import Oddness, score_beside_twin
from mlops_compiler.backends.stages.evaluate_clusters import twin_of
from mlops_compiler.backends.stages.folds import prepared
from mlops_compiler.evaluation.anomalies import flagged, histogram
from mlops_compiler.evaluation.curves import precision_recall, roc
from mlops_compiler.evaluation.profiles import profiles
from mlops_compiler.evaluation.threshold import value_curve, value_summary
from mlops_compiler.ir.ops.lifecycle import Evaluate
from mlops_compiler.models.kind import FitOptions
from mlops_compiler.models.registry import MODELS
from mlops_compiler.tables.steps import LABEL

if TYPE_CHECKING:
    import polars as pl
    from numpy.typing import NDArray

    from mlops_compiler.backends.stages.context import Context
    from mlops_compiler.backends.stages.rows import Rows
    from mlops_compiler.models.kind import FittedModel

    Matrix = NDArray[np.float64]

_BASELINE = "random_score"


def evaluate_anomalies(
    context: Context, manifest: dict[str, Any], model: FittedModel, read: Rows
) -> tuple[dict[str, Any], pl.DataFrame]:
    """Score a detector on the holdout.

    Returns:
        The evaluation: beside what every task has, ``flagged`` (see `evaluation.anomalies`) with the ``traits`` of the
        flagged rows; and the score of each row of the holdout, by its place in the snapshot.
    """
    op = context.op(Evaluate)
    entry = {"preparation": manifest["preparation"], "features": manifest["features"]}
    of_holdout = read.frame.filter(read.judges())
    held = prepared(entry, of_holdout, "scoring")
    labels = held.y.astype(np.int64) if manifest["classes"] else None
    odd = Oddness(threshold=manifest["threshold"], contamination=op.contamination or 0.0, labels=labels)
    answers, twins = (predicted(op.task, item, held.X) for item in (model, twin_of(context, manifest)))
    evaluation = {
        "task": op.task,
        "rows": len(held.X),
        "metric": op.metric,
        "reported": list(op.metrics),
        "metrics": score_beside_twin(held.X, answers, twins, odd),
        "baseline": _baseline(held.X, odd),
        "threshold": odd.threshold,
        "flagged": _flagged(of_holdout[held.kept], manifest, answers, odd),
        "intervals": {},
        "interval": {},
        "against": {},
        **_details(op, answers, odd),
    }
    places = read.judges().arg_true().gather(held.kept).alias("row")
    return evaluation, beside(op.task, held.y, answers).insert_column(0, places)


def _baseline(X: Matrix, odd: Oddness) -> dict[str, float]:
    """Judge scores at random, of which as large a share is flagged."""
    y = np.zeros(len(X), dtype=np.int64)
    answers = [
        MODELS[_BASELINE].fit(X, y, parameters={}, options=FitOptions(seed=seed_of(0, name))).predict(X)[:, 0]
        for name in ("baseline", "twin")
    ]
    at = Oddness(threshold=1 - odd.contamination, contamination=odd.contamination, labels=odd.labels)
    return score_beside_twin(X, answers[0], answers[1], at)


def _flagged(rows: pl.DataFrame, manifest: dict[str, Any], answers: Matrix, odd: Oddness) -> dict[str, Any]:
    """Count the flagged rows, and tell what sets them apart in the columns of the source."""
    source = rows.drop(LABEL, *filter(None, [manifest["key"]]))
    told = profiles(source, (answers >= odd.threshold).astype(np.int64))
    traits: list[Any] = next((item["traits"] for item in told if item["cluster"] == 1), [])
    return {**flagged(answers, odd.labels, odd.threshold), "traits": traits}


def _details(op: Evaluate, answers: Matrix, odd: Oddness) -> dict[str, Any]:
    curves: dict[str, Any] = {"scores": histogram(answers)}
    if odd.labels is None:
        return {"curves": curves}
    curves |= {"roc": roc(odd.labels, answers), "precision_recall": precision_recall(odd.labels, answers)}
    found = {"positive_rows": int(odd.labels.sum()), "curves": curves}
    if op.value is None:
        return found
    curves["value"] = value_curve(odd.labels, answers, op.value)
    return {**found, "value": value_summary(odd.labels, answers, odd.threshold, op.value)}
