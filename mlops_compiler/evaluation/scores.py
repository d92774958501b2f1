"""Each metric as its definition, over counts that all of them share: ten metrics cost one sort.

The definitions are scikit-learn's, edge cases included: a ratio of nothing to nothing is 0, and the log loss
keeps probabilities one rounding error away from 0 and 1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mlops_compiler.diagnostics import DataError, Diagnostic
from mlops_compiler.evaluation.confusion import Confusion, confusion
from mlops_compiler.evaluation.cuts import Cuts, cut

if TYPE_CHECKING:
    from collections.abc import Callable

    from mlops_compiler.evaluation.cuts import Labels, Probabilities


def score(y: Labels, probability: Probabilities, threshold: float, names: tuple[str, ...]) -> dict[str, float]:
    """Compute the metrics named, in that order.

    Raises:
        DataError: The rows are all of one class.
    """
    positives = int(np.count_nonzero(y))
    if positives in {0, len(y)}:
        headline = f"the {len(y)} rows to score are all of one class: their metrics have no meaning"
        raise DataError([Diagnostic(code="one-class", headline=headline)])
    cuts = cut(y, probability) if _BY_RANK.keys() & set(names) else None
    decided = confusion(y, probability, threshold)
    return {name: _one(name, y, probability, cuts, decided) for name in names}


def _one(name: str, y: Labels, probability: Probabilities, cuts: Cuts | None, decided: Confusion) -> float:
    if cuts is not None and name in _BY_RANK:
        return _BY_RANK[name](cuts)
    if name in _BY_PROBABILITY:
        return _BY_PROBABILITY[name](y, probability)
    return _BY_DECISION[name](decided)


def roc_auc(cuts: Cuts) -> float:
    """Share of pairs of a positive and a negative row that are in order; ties count half."""
    heights = cuts.true_positive[1:] + cuts.true_positive[:-1]
    twice = int(np.sum(np.diff(cuts.false_positive) * heights))
    return twice / (2 * cuts.positives * cuts.negatives)


def average_precision(cuts: Cuts) -> float:
    """Precision at each cut, weighed by the recall that it adds."""
    decided_positive = cuts.true_positive[1:] + cuts.false_positive[1:]
    precision = cuts.true_positive[1:] / decided_positive
    return float(np.sum(np.diff(cuts.true_positive) * precision) / cuts.positives)


def log_loss(y: Labels, probability: Probabilities) -> float:
    """Mean surprise, in nats, at the classes that came."""
    epsilon = np.finfo(np.float64).eps
    of_truth = np.where(y == 1, probability, 1 - probability)
    return float(-np.mean(np.log(np.clip(of_truth, epsilon, 1 - epsilon))))


def brier(y: Labels, probability: Probabilities) -> float:
    """Mean squared distance of the probability from what came."""
    return float(np.mean((probability - y) ** 2))


def accuracy(decided: Confusion) -> float:
    """Share of decisions that are right."""
    return _ratio(decided.true_positive + decided.true_negative, decided.rows)


def balanced_accuracy(decided: Confusion) -> float:
    """Mean of the shares of each class that are decided right."""
    specificity = _ratio(decided.true_negative, decided.true_negative + decided.false_positive)
    return (recall(decided) + specificity) / 2


def f1(decided: Confusion) -> float:
    """Harmonic mean of precision and recall."""
    twice = 2 * decided.true_positive
    return _ratio(twice, twice + decided.false_positive + decided.false_negative)


def precision(decided: Confusion) -> float:
    """Share of positive decisions that are right; 0 where there are none."""
    return _ratio(decided.true_positive, decided.true_positive + decided.false_positive)


def recall(decided: Confusion) -> float:
    """Share of positive rows that are decided positive."""
    return _ratio(decided.true_positive, decided.true_positive + decided.false_negative)


def mcc(decided: Confusion) -> float:
    """Correlation of decision and truth (Matthews, 1975); 0 where either is constant."""
    tp, fp, fn, tn = (
        decided.true_positive,
        decided.false_positive,
        decided.false_negative,
        decided.true_negative,
    )
    square = (tp + fp) * (tp + fn) * (tn + fp) * (tn + fn)
    return _ratio(tp * tn - fp * fn, square**0.5)


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else 0.0


_BY_RANK: dict[str, Callable[[Cuts], float]] = {"roc_auc": roc_auc, "average_precision": average_precision}
_BY_PROBABILITY: dict[str, Callable[[Labels, Probabilities], float]] = {"log_loss": log_loss, "brier": brier}
_BY_DECISION: dict[str, Callable[[Confusion], float]] = {
    "accuracy": accuracy,
    "balanced_accuracy": balanced_accuracy,
    "f1": f1,
    "precision": precision,
    "recall": recall,
    "mcc": mcc,
}
