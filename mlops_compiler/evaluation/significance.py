"""How much of a metric's difference between groups of rows is more than chance.

A measure is a metric that comes with the standard error of its value: the mean of a loss, or an area under the ROC
curve with the variance of DeLong et al. (1988). Two disjoint groups of rows are then compared by Welch's test, with a
normal distribution, as groups of fewer than `FEWEST` rows are not compared at all.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from mlops_compiler.evaluation.errors import smape_of_rows

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from mlops_compiler.ir.task import Task

    Values = NDArray[np.float64]

FEWEST = 30
"""Rows of the smallest group that is compared."""
_FEWEST_OF_A_CLASS = 10
_Z95 = 1.959963984540054
_STANDS_FOR: Mapping[str, str] = MappingProxyType(
    {
        "average_precision": "roc_auc",
        "balanced_accuracy": "log_loss",
        "f1": "log_loss",
        "precision": "log_loss",
        "recall": "log_loss",
        "mcc": "log_loss",
        "roc_auc_ovr": "log_loss",
        "f1_macro": "log_loss",
        "f1_weighted": "log_loss",
        "median_absolute_error": "mae",
        "max_error": "mae",
        "mase": "mae",
        "r2": "rmse",
    }
)
"""What stands for a metric whose value has no simple standard error."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A measure of some rows, and the standard error of it."""

    value: float
    error: float
    rows: int

    def interval(self) -> tuple[float, float]:
        """Give the 95 % confidence interval, by a normal distribution."""
        return self.value - _Z95 * self.error, self.value + _Z95 * self.error


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """A metric with a standard error, ready for the rows of one table.

    Attributes:
        name: Of `METRICS`.
        of: Computes it for the rows that a mask chooses; None where they are too few to tell.
    """

    name: str
    of: Callable[[NDArray[np.bool_]], Estimate | None]


def measured_by(metric: str) -> str:
    """Name the measure that stands for a metric: itself, where its value has a simple standard error."""
    return _STANDS_FOR.get(metric, metric)


def measure(task: Task, metric: str, y: NDArray[np.generic], predicted: Values, threshold: float | None) -> Measure:
    """Make the measure that stands for a metric.

    Args:
        task: What was predicted.
        metric: One of the task's.
        y: What came, shape (rows,).
        predicted: As `score_all` takes it.
        threshold: Decides a binary task; 0.5 by default.
    """
    name = measured_by(metric)
    if name == "roc_auc":
        labels = y.astype(np.int64)
        return Measure(name=name, of=lambda chosen: _area(labels[chosen], predicted[chosen]))
    losses = _losses(task, name, y, predicted, 0.5 if threshold is None else threshold)
    root = name == "rmse"
    return Measure(name=name, of=lambda chosen: _mean(losses[chosen], root=root))


def p_value(first: Estimate, second: Estimate) -> float:
    """Test whether two disjoint groups of rows differ, two-sided."""
    spread = math.hypot(first.error, second.error)
    if spread == 0.0:
        return 1.0 if first.value == second.value else 0.0
    return math.erfc(abs(first.value - second.value) / spread / math.sqrt(2))


def adjusted(p_values: Sequence[float]) -> list[float]:
    """Adjust p-values for their number: the false discovery rate at which each is just significant.

    The step-up procedure of Benjamini and Hochberg, "Controlling the false discovery rate" (1995); it holds for tests
    that depend on each other positively (Benjamini and Yekutieli, 2001), as those of overlapping slices do.
    """
    if not p_values:
        return []
    p = np.asarray(p_values, dtype=np.float64)
    order = np.argsort(-p, kind="stable")
    scaled = p[order] * len(p) / np.arange(len(p), 0, -1)
    found = np.empty_like(p)
    found[order] = np.minimum(np.minimum.accumulate(scaled), 1.0)
    return [float(item) for item in found]


def _losses(task: Task, name: str, y: NDArray[np.generic], predicted: Values, threshold: float) -> Values:
    if task == "regression":
        error: Values = np.abs(predicted - y.astype(np.float64))
        if name == "rmse":
            squared: Values = error**2
            return squared
        if name == "smape":
            return smape_of_rows(y.astype(np.float64), predicted)
        if name == "mape":
            error /= np.maximum(np.abs(y.astype(np.float64)), np.finfo(np.float64).eps)
        return error
    labels = y.astype(np.int64)
    of_classes = np.column_stack([1 - predicted, predicted]) if predicted.ndim == 1 else predicted
    of_truth = of_classes[np.arange(len(labels)), labels]
    if name == "brier":
        missed: Values = (1 - of_truth) ** 2
        return missed
    if name == "accuracy":
        decided = predicted.argmax(axis=1) if predicted.ndim > 1 else predicted >= threshold
        right: Values = (decided == labels).astype(np.float64)
        return right
    epsilon = np.finfo(np.float64).eps
    surprise: Values = -np.log(np.clip(of_truth, epsilon, 1 - epsilon))
    return surprise


def _mean(losses: Values, *, root: bool) -> Estimate | None:
    rows = len(losses)
    if rows < FEWEST:
        return None
    mean, error = float(losses.mean()), float(losses.std(ddof=1)) / math.sqrt(rows)
    if not root:
        return Estimate(value=mean, error=error, rows=rows)
    value = math.sqrt(mean)  # and its error by the delta method
    return Estimate(value=value, error=error / (2 * value) if value else 0.0, rows=rows)


def _area(y: NDArray[np.int64], probability: Values) -> Estimate | None:
    """Compute the area under the ROC curve and its variance.

    DeLong, DeLong and Clarke-Pearson (1988), by ranks as in Sun and Xu, "Fast implementation of DeLong's algorithm"
    (2014).
    """
    positive = y == 1
    positives, negatives = int(positive.sum()), int(len(y) - positive.sum())
    if len(y) < FEWEST or min(positives, negatives) < _FEWEST_OF_A_CLASS:
        return None
    ranks = _midranks(probability)
    above = (ranks[positive] - _midranks(probability[positive])) / negatives
    below = 1 - (ranks[~positive] - _midranks(probability[~positive])) / positives
    variance = above.var(ddof=1) / positives + below.var(ddof=1) / negatives
    return Estimate(value=float(above.mean()), error=math.sqrt(float(variance)), rows=len(y))


def _midranks(values: Values) -> Values:
    """Rank values from 1; equal ones share the mean of their ranks."""
    _, place, count = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(count)
    ranks: Values = (last - (count - 1) / 2)[place]
    return ranks
