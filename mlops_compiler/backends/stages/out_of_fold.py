"""What each trial answered to rows that it did not learn from, read from the folds that the search recorded.

A trial whose model is calibrated is scored anew here, at no new fit: the answers of each fold are calibrated by what
the other folds of the same repeat teach, or, in order of time, the folds before it.
"""

from __future__ import annotations

import io
import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from mlops_compiler.evaluation.metrics import score_all
from mlops_compiler.models.calibration import calibrated, fit_calibration

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from mlops_compiler.ir.task import Task
    from mlops_compiler.models.calibration import Method
    from mlops_compiler.store.reader import StoreReader

    Values = NDArray[np.float64]
    Row = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class OutOfFold:
    """Labels, answers and unit of each fold, as `score_all` takes them."""

    labels: tuple[NDArray[Any], ...]
    answers: tuple[Values, ...]
    units: tuple[float | None, ...] = ()
    weights: tuple[Values, ...] = ()
    """What each row weighs, of each fold; none where all weigh the same."""

    def scores(self, task: Task, names: tuple[str, ...] | None = None) -> list[dict[str, float]]:
        """Score each fold by the metrics named, by all where none are."""
        units = self.units or (None,) * len(self.labels)
        return [
            score_all(task, y, answers, names=names, unit=unit, weights=weights)
            for (y, answers, weights), unit in zip(self.parts(), units, strict=True)
        ]

    def joined(self) -> tuple[NDArray[Any], Values, Values | None]:
        """Put the folds below each other: labels, answers and weights."""
        weights = np.concatenate(self.weights) if self.weights else None
        return np.concatenate(self.labels), np.concatenate(self.answers), weights

    def parts(self) -> Iterator[tuple[NDArray[Any], Values, Values | None]]:
        """Give labels, answers and weights, fold by fold."""
        weights = self.weights or (None,) * len(self.labels)
        yield from zip(self.labels, self.answers, weights, strict=True)


def read_answers(task: Task, predictions: pl.DataFrame) -> Values:
    """Read what `beside` wrote."""
    if task == "multiclass_classification":
        return predictions.select(pl.col(r"^probability_\d+$")).to_numpy(order="c")
    name = "probability" if task == "binary_classification" else "value"
    return predictions[name].to_numpy().astype(np.float64)


def out_of_fold(task: Task, row: Row, store: StoreReader) -> OutOfFold:
    """Read the recorded predictions of a trial."""
    tables = [pl.read_parquet(io.BytesIO(store.objects.get(digest))) for digest in row["predictions"]]
    labels = tuple(table["label"].to_numpy() for table in tables)
    units = tuple(table["unit"][0] if "unit" in table.columns else None for table in tables)
    weights = tuple(table["weight"].to_numpy() for table in tables if "weight" in table.columns)
    answers = tuple(read_answers(task, table) for table in tables)
    return OutOfFold(labels=labels, answers=answers, units=units, weights=weights)


def cross_calibrated(found: OutOfFold, method: Method, k: int, *, ordered: bool) -> OutOfFold:
    """Calibrate each fold by others.

    Args:
        found: The answers.
        method: How.
        k: Folds of one repeat: rows come again in other repeats, and must not teach about themselves.
        ordered: Whether folds are in order of time; the first is then left as it is.
    """
    answers = []
    for fold, given in enumerate(found.answers):
        start = fold - fold % k
        others = range(start, fold) if ordered else [other for other in range(start, start + k) if other != fold]
        answers.append(given if not others else calibrated(_learn(found, others, method), given))
    return replace(found, answers=tuple(answers))


def _learn(found: OutOfFold, folds: Any, method: Method) -> dict[str, Any]:
    labels = np.concatenate([found.labels[fold] for fold in folds]).astype(np.int64)
    weights = np.concatenate([found.weights[fold] for fold in folds]) if found.weights else None
    return fit_calibration(method, labels, np.concatenate([found.answers[fold] for fold in folds]), weights)


def rescored(task: Task, metric: str, row: Row, found: OutOfFold) -> Row:
    """Score a trial, or what is made of several, by its answers."""
    folds = found.scores(task)
    values = {name: [fold[name] for fold in folds] for name in folds[0]}
    spread = {name: _std(scores) for name, scores in values.items()}
    return {
        **row,
        "mean": math.fsum(values[metric]) / len(folds),
        "std": spread[metric],
        "scores": values[metric],
        "metrics": {name: math.fsum(scores) / len(folds) for name, scores in values.items()},
        "spread": spread,
    }


def _std(scores: list[float]) -> float | None:
    return float(np.std(scores, ddof=1)) if len(scores) > 1 else None
