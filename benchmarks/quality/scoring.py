"""Scores of predictions on a holdout, the same code for every system."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    import polars as pl
    from numpy.typing import NDArray

TASKS = ("binary_classification", "multiclass_classification", "regression")
CLASSES = TASKS[:2]


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric: of which tasks, whether more is better, and how it is computed."""

    tasks: tuple[str, ...]
    greater_is_better: bool
    score: Callable[[NDArray[np.generic], NDArray[np.float64]], float]


class WrongPredictionsError(ValueError):
    """A system gave no answer to each row."""


def score(predictions: pl.DataFrame, truth: pl.Series, task: str, metric: str) -> float:
    """Score predictions.

    Args:
        predictions: A row for each row of the holdout, in order: a column ``value``, or for each class a column of
            probabilities that is named as the class.
        truth: What came.
        task: What was predicted.
        metric: One of `METRICS`.

    Raises:
        WrongPredictionsError: Rows or classes are missing, or an answer is no number.
    """
    if predictions.height != truth.len():
        raise WrongPredictionsError(f"{predictions.height} answers to {truth.len()} rows")
    if task == "regression":
        answers, labels = predictions["value"].to_numpy().astype(np.float64), truth.to_numpy().astype(np.float64)
    else:
        classes = sorted(truth.unique().to_list() + [name for name in predictions.columns if name not in set(truth)])
        if missing := [name for name in classes if name not in predictions.columns]:
            raise WrongPredictionsError(f"no probability of {', '.join(missing)}")
        answers = predictions.select(classes).to_numpy().astype(np.float64)
        labels = np.searchsorted(np.array(classes), truth.to_numpy())
    if not np.isfinite(answers).all():
        raise WrongPredictionsError("an answer is no number")
    return float(METRICS[metric].score(labels, answers))


def _roc_auc(labels: NDArray[np.generic], answers: NDArray[np.float64]) -> float:
    from sklearn.metrics import roc_auc_score

    return float(roc_auc_score(labels, answers[:, 1]))


def _log_loss(labels: NDArray[np.generic], answers: NDArray[np.float64]) -> float:
    chosen = np.clip(answers, 1e-6, 1.0)
    chosen /= chosen.sum(axis=1, keepdims=True)
    return float(-np.log(chosen[np.arange(len(labels)), labels.astype(np.int64)]).mean())


def _balanced_accuracy(labels: NDArray[np.generic], answers: NDArray[np.float64]) -> float:
    guessed = answers.argmax(axis=1)
    return float(np.mean([(guessed[labels == label] == label).mean() for label in np.unique(labels)]))


def _rmse(labels: NDArray[np.generic], answers: NDArray[np.float64]) -> float:
    return float(np.sqrt(np.mean((labels.astype(np.float64) - answers) ** 2)))


def _mae(labels: NDArray[np.generic], answers: NDArray[np.float64]) -> float:
    return float(np.mean(np.abs(labels.astype(np.float64) - answers)))


METRICS = {
    "roc_auc": Metric((CLASSES[0],), greater_is_better=True, score=_roc_auc),
    "log_loss": Metric(CLASSES, greater_is_better=False, score=_log_loss),
    "balanced_accuracy": Metric(CLASSES, greater_is_better=True, score=_balanced_accuracy),
    "rmse": Metric((TASKS[2],), greater_is_better=False, score=_rmse),
    "mae": Metric((TASKS[2],), greater_is_better=False, score=_mae),
}
