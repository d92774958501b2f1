"""Explain: what the trained model looks at, what it adds up, and where it is wrong; on the holdout, as data."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import numpy as np

from mlops_compiler.backends.search.proposals import seed_of
from mlops_compiler.backends.stages.context import Outcome
from mlops_compiler.backends.stages.subject import Subject
from mlops_compiler.diagnostics import DataError
from mlops_compiler.evaluation.outlook import threshold_table
from mlops_compiler.evaluation.significance import measure, measured_by
from mlops_compiler.explain.calibration import calibration
from mlops_compiler.explain.conditions import conditions
from mlops_compiler.explain.dependence import dependence
from mlops_compiler.explain.importance import Judge, of_columns, of_features, shuffles
from mlops_compiler.explain.slices import declared, search
from mlops_compiler.explain.summary import contributions_summary
from mlops_compiler.ir.ops.lifecycle import Explain
from mlops_compiler.ir.task import learns_from_target

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from mlops_compiler.backends.stages.context import Context
    from mlops_compiler.explain.importance import Importance

_DEPENDENCE_ROWS = 200


def explain_model(context: Context) -> Outcome:
    """Run the stage.

    A part that cannot be had (all rows of the holdout are of one class) says why, and is no error: the release is what
    it is.
    """
    op = context.op(Explain)
    if not learns_from_target(op.task):
        return Outcome(outputs={"explanation": context.put_json({})}, summary={})
    subject = Subject.of(context)
    told: dict[str, Any] = {"task": op.task, "metric": op.metric, "rows": subject.frame.height}
    seconds: dict[str, float] = {}
    for name, part in (
        ("importance", _importance),
        ("contributions", _contributions),
        ("dependence", _dependence),
        ("slices", _slices),
        ("thresholds", _thresholds),
    ):
        started = time.perf_counter()
        try:
            found = part(op, subject, told)
        except DataError as error:
            found = {"skipped": error.diagnostics[0].headline}
        if found:
            told[name] = found
            seconds[name] = time.perf_counter() - started
    return Outcome(outputs={"explanation": context.put_json(told)}, summary={**brief(told), "seconds": seconds})


def brief(told: dict[str, Any]) -> dict[str, Any]:
    """Say the most important: the columns that matter most, and the slice that is worst."""
    columns = (told.get("importance") or {}).get("columns") or []
    top = [{"name": item["name"], "mean": item["mean"], "std": item["std"]} for item in columns if item["mean"]]
    slices = told.get("slices") or {}
    found = (slices.get("found") or {}).get("worst") or []
    every = [*found, *(item for item in slices.get("declared") or () if item["worse"])]
    worst = next((item for item in every if item["significant"]), None)
    return {"metric": told["metric"], "top": top[:5], "worst": worst, "measure": slices.get("measure")}


def _importance(op: Explain, subject: Subject, _told: dict[str, Any]) -> dict[str, Any]:
    if op.importance == "none":
        return {}
    chosen = subject.sample(op.sample, seed_of(op.seed, "explain", "rows"))
    judge = Judge(task=op.task, metric=op.metric, y=chosen.y, threshold=subject.threshold, unit=subject.unit)
    orders = shuffles(chosen.frame.height, op.repeats, seed_of(op.seed, "explain", "shuffles"))
    columns = of_columns(chosen.frame, subject.columns, subject.answers, judge, orders)
    features: list[Importance] = []
    if subject.scores is not None:
        matrix = subject.explainer.matrix(chosen.frame)
        features = of_features(matrix, subject.explainer.groups, subject.scores, judge, orders)
    return {
        "rows": chosen.frame.height,
        "repeats": op.repeats,
        "base": judge.score(subject.answers(chosen.frame)),
        "columns": [item.to_json() for item in columns],
        "features": [item.to_json() for item in features],
    }


def _contributions(op: Explain, subject: Subject, _told: dict[str, Any]) -> dict[str, Any]:
    if not op.shap:
        return {}
    explainer = subject.explainer
    chosen = subject.sample(explainer.affordable, seed_of(op.seed, "explain", "contributions"))
    found = explainer.contributions(chosen.frame)
    matrix = explainer.matrix(chosen.frame) if found.of == "features" else None
    return contributions_summary(found, chosen.frame, matrix, explainer.groups, subject.classes)


def _dependence(op: Explain, subject: Subject, told: dict[str, Any]) -> list[dict[str, Any]]:
    varied = op.partial_dependence
    if isinstance(varied, int):
        ranked = [item["name"] for item in (told.get("importance") or {}).get("columns") or ()]
        columns: Sequence[str] = (ranked or list(subject.columns))[:varied]
    else:  # a preparation that was searched may do without one
        columns = [name for name in varied if name in subject.columns]
    if not columns:
        return []
    chosen = subject.sample(_DEPENDENCE_ROWS, seed_of(op.seed, "explain", "dependence"))
    found = [dependence(chosen.frame, column, subject.answers) for column in columns]
    return [{**item, "rows": chosen.frame.height} for item in found if item is not None]


def _slices(op: Explain, subject: Subject, _told: dict[str, Any]) -> dict[str, Any]:
    if not op.slices and not op.find_slices:
        return {}
    predicted = subject.answers(subject.frame)
    judged = measure(op.task, op.metric, subject.y, predicted, subject.threshold)

    def calibrate(mask: NDArray[np.bool_]) -> dict[str, float]:
        return calibration(op.task, subject.y[mask], predicted[mask])

    everyone = judged.of(np.ones(len(subject.y), dtype=np.bool_))
    told: dict[str, Any] = {
        "metric": op.metric,
        "measure": measured_by(op.metric),
        "overall": None if everyone is None else everyone.value,
    }
    named = [item for column in op.slices for item in conditions(subject.every[column])]
    if named:
        told["declared"] = declared(named, judged, calibrate)
    if op.find_slices:
        columns = dict.fromkeys((*subject.columns, *op.slices))
        found = [item for column in columns for item in conditions(subject.every[column])]
        told["found"] = search(found, judged, calibrate)
    return told


def _thresholds(op: Explain, subject: Subject, _told: dict[str, Any]) -> list[dict[str, Any]]:
    if op.task != "binary_classification":
        return []
    predicted = subject.answers(subject.frame)
    return threshold_table(subject.y.astype(np.int64), predicted, subject.threshold or 0.0, op.value)
