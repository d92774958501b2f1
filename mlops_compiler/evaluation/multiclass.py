"""Metrics of several classes, from one table of what was decided and what came; the definitions are scikit-learn's.

A class that no row of those judged has counts in no mean of classes: rare classes may be absent from a fold.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from mlops_compiler.diagnostics import DataError, Diagnostic
from mlops_compiler.evaluation.cuts import cut
from mlops_compiler.evaluation.scores import roc_auc

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Labels = NDArray[np.integer]
    Probabilities = NDArray[np.float64]
    Counts = NDArray[np.int64]


def score(y: Labels, probability: Probabilities, names: tuple[str, ...]) -> dict[str, float]:
    """Compute the metrics named, in that order.

    Args:
        y: The number of each row's class, shape (rows,).
        probability: Of each class, shape (rows, classes).
        names: Of `MULTICLASS_METRICS`.

    Raises:
        DataError: The rows are all of one class.
    """
    if not len(y) or y.min() == y.max():
        headline = f"the {len(y)} rows to score are all of one class: their metrics have no meaning"
        raise DataError([Diagnostic(code="one-class", headline=headline)])
    counts = confusion_counts(y, probability)
    return {
        name: _BY_COUNTS[name](counts) if name in _BY_COUNTS else _BY_PROBABILITY[name](y, probability)
        for name in names
    }


def decisions(probability: Probabilities) -> NDArray[np.int64]:
    """Decide each row: the most probable class, of equals the first; shape (rows,)."""
    decided: NDArray[np.int64] = probability.argmax(axis=1)
    return decided


def confusion_counts(y: Labels, probability: Probabilities) -> Counts:
    """Count rows by what came (down) and what was decided (across), shape (classes, classes)."""
    classes = probability.shape[1]
    cells = np.bincount(y * classes + decisions(probability), minlength=classes * classes)
    counts: Counts = cells.reshape(classes, classes).astype(np.int64)
    return counts


def by_class(counts: Counts) -> list[dict[str, float]]:
    """Give rows, precision, recall and F1 of each class."""
    right, came, decided = np.diag(counts), counts.sum(axis=1), counts.sum(axis=0)
    return [
        {
            "rows": int(came[item]),
            "precision": _ratio(right[item], decided[item]),
            "recall": _ratio(right[item], came[item]),
            "f1": _ratio(2 * right[item], came[item] + decided[item]),
        }
        for item in range(len(counts))
    ]


def log_loss(y: Labels, probability: Probabilities) -> float:
    """Mean surprise, in nats, at the classes that came."""
    epsilon = np.finfo(np.float64).eps
    of_truth = probability[np.arange(len(y)), y]
    return float(-np.mean(np.log(np.clip(of_truth, epsilon, 1 - epsilon))))


def roc_auc_ovr(y: Labels, probability: Probabilities) -> float:
    """Mean of the ROC AUC of each class against the rest, over the classes that came."""
    found = [roc_auc(cut((y == item).astype(np.int64), probability[:, item])) for item in np.unique(y)]
    return float(np.mean(found))


def accuracy(counts: Counts) -> float:
    """Share of decisions that are right."""
    return _ratio(np.trace(counts), counts.sum())


def balanced_accuracy(counts: Counts) -> float:
    """Mean of the shares of each class that are decided right, over the classes that came."""
    came = counts.sum(axis=1)
    return float(np.mean(np.diag(counts)[came > 0] / came[came > 0]))


def f1_macro(counts: Counts) -> float:
    """Mean of the classes' F1, over those that came or were decided."""
    seen = (counts.sum(axis=0) + counts.sum(axis=1)) > 0
    return float(np.mean(_f1(counts)[seen]))


def f1_weighted(counts: Counts) -> float:
    """Mean of the classes' F1, each weighing as its rows."""
    return float(np.average(_f1(counts), weights=counts.sum(axis=1)))


def mcc(counts: Counts) -> float:
    """Correlation of decision and truth (Gorodkin, 2004, for several classes); 0 where either is constant."""
    came, decided = counts.sum(axis=1).astype(float), counts.sum(axis=0).astype(float)
    rows = float(counts.sum())
    covariance = float(np.trace(counts)) * rows - float(came @ decided)
    spread = (rows**2 - float(decided @ decided)) * (rows**2 - float(came @ came))
    return covariance / spread**0.5 if spread > 0 else 0.0


def _f1(counts: Counts) -> NDArray[np.float64]:
    whole = counts.sum(axis=0) + counts.sum(axis=1)
    found: NDArray[np.float64] = 2 * np.diag(counts) / np.maximum(whole, 1)
    return found


def _ratio(part: Any, whole: Any) -> float:
    return float(part) / float(whole) if whole else 0.0


_BY_PROBABILITY: dict[str, Callable[[Labels, Probabilities], float]] = {
    "log_loss": log_loss,
    "roc_auc_ovr": roc_auc_ovr,
}
_BY_COUNTS: dict[str, Callable[[Counts], float]] = {
    "accuracy": accuracy,
    "balanced_accuracy": balanced_accuracy,
    "f1_macro": f1_macro,
    "f1_weighted": f1_weighted,
    "mcc": mcc,
}
