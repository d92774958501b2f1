"""A metric is a number about predictions; each says which direction is better and what it looks at.

Names and directions are known without numpy, which computes the values.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal, TypeAlias, get_args

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import numpy as np
    from numpy.typing import NDArray

MetricName: TypeAlias = Literal[
    "roc_auc",
    "average_precision",
    "log_loss",
    "brier",
    "accuracy",
    "balanced_accuracy",
    "f1",
    "precision",
    "recall",
    "mcc",
]
METRIC_NAMES: tuple[MetricName, ...] = get_args(MetricName)


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """What is known of a metric before it is computed.

    Attributes:
        greater_is_better: Whether a search maximises it.
        uses: Whether it judges the probability itself, or the decision at a threshold.
        title: Its name for people.
    """

    greater_is_better: bool
    uses: Literal["probability", "decision"]
    title: str


def _ranking(title: str) -> Metric:
    return Metric(greater_is_better=True, uses="probability", title=title)


def _loss(title: str) -> Metric:
    return Metric(greater_is_better=False, uses="probability", title=title)


def _decision(title: str) -> Metric:
    return Metric(greater_is_better=True, uses="decision", title=title)


METRICS: Mapping[MetricName, Metric] = MappingProxyType(
    {
        "roc_auc": _ranking("ROC AUC"),
        "average_precision": _ranking("Average precision"),
        "log_loss": _loss("Log loss"),
        "brier": _loss("Brier score"),
        "accuracy": _decision("Accuracy"),
        "balanced_accuracy": _decision("Balanced accuracy"),
        "f1": _decision("F1"),
        "precision": _decision("Precision"),
        "recall": _decision("Recall"),
        "mcc": _decision("Matthews correlation"),
    }
)


def score_all(
    y: NDArray[np.integer],
    probability: NDArray[np.float64],
    threshold: float = 0.5,
    names: Iterable[MetricName] = METRIC_NAMES,
) -> dict[str, float]:
    """Compute metrics of predictions.

    Args:
        y: Labels 0 and 1, shape (rows,).
        probability: Of class 1, shape (rows,).
        threshold: A row is decided positive where its probability is at least this.
        names: The metrics to compute.

    Raises:
        DataError: The rows are all of one class: half of the metrics have no meaning then.
    """
    from mlops_compiler.evaluation.scores import score

    return score(y, probability, threshold, tuple(names))
