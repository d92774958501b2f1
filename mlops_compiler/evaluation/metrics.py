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

    from mlops_compiler.ir.task import Task

BinaryMetric: TypeAlias = Literal[
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
MulticlassMetric: TypeAlias = Literal[
    "log_loss",
    "roc_auc_ovr",
    "accuracy",
    "balanced_accuracy",
    "f1_macro",
    "f1_weighted",
    "mcc",
]
RegressionMetric: TypeAlias = Literal["rmse", "mae", "median_absolute_error", "mape", "max_error", "r2"]
ForecastingMetric: TypeAlias = RegressionMetric | Literal["smape", "mase"]
ClusteringMetric: TypeAlias = Literal["silhouette", "davies_bouldin", "calinski_harabasz", "stability", "coverage"]
AnomalyMetric: TypeAlias = Literal["average_precision", "roc_auc", "precision_at_k", "stability", "flagged"]
MetricName: TypeAlias = BinaryMetric | MulticlassMetric | ForecastingMetric | ClusteringMetric | AnomalyMetric
BINARY_METRICS: tuple[BinaryMetric, ...] = get_args(BinaryMetric)
MULTICLASS_METRICS: tuple[MulticlassMetric, ...] = get_args(MulticlassMetric)
REGRESSION_METRICS: tuple[RegressionMetric, ...] = get_args(RegressionMetric)
FORECASTING_METRICS: tuple[ForecastingMetric, ...] = (*REGRESSION_METRICS, "smape", "mase")
CLUSTERING_METRICS: tuple[ClusteringMetric, ...] = get_args(ClusteringMetric)
ANOMALY_METRICS: tuple[AnomalyMetric, ...] = get_args(AnomalyMetric)
NEED_LABELS: frozenset[str] = frozenset({"average_precision", "roc_auc", "precision_at_k"})
"""Metrics of anomalies that ask which rows are some; the others do without a target."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """What is known of a metric before it is computed.

    Attributes:
        greater_is_better: Whether a search maximises it.
        title: Its name for people.
    """

    greater_is_better: bool
    title: str


def _gain(title: str) -> Metric:
    return Metric(greater_is_better=True, title=title)


def _loss(title: str) -> Metric:
    return Metric(greater_is_better=False, title=title)


METRICS: Mapping[str, Metric] = MappingProxyType(
    {
        "roc_auc": _gain("ROC AUC"),
        "average_precision": _gain("Average precision"),
        "log_loss": _loss("Log loss"),
        "brier": _loss("Brier score"),
        "accuracy": _gain("Accuracy"),
        "balanced_accuracy": _gain("Balanced accuracy"),
        "f1": _gain("F1"),
        "precision": _gain("Precision"),
        "recall": _gain("Recall"),
        "mcc": _gain("Matthews correlation"),
        "roc_auc_ovr": _gain("ROC AUC, one class against the rest"),
        "f1_macro": _gain("F1, mean of the classes"),
        "f1_weighted": _gain("F1, mean of the rows"),
        "rmse": _loss("Root mean squared error"),
        "mae": _loss("Mean absolute error"),
        "median_absolute_error": _loss("Median absolute error"),
        "mape": _loss("Mean absolute percentage error"),
        "max_error": _loss("Largest error"),
        "r2": _gain("R²"),
        "smape": _loss("Symmetric mean absolute percentage error"),
        "mase": _loss("Mean absolute scaled error"),
        "silhouette": _gain("Silhouette"),
        "davies_bouldin": _loss("Davies-Bouldin index"),
        "calinski_harabasz": _gain("Calinski-Harabasz index"),
        "stability": _gain("Stability"),
        "coverage": _gain("Share of rows in a cluster"),
        "precision_at_k": _gain("Precision of the rows that score highest"),
        "flagged": _loss("Share of rows that are flagged"),
    }
)
_OF_TASK: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "binary_classification": BINARY_METRICS,
        "multiclass_classification": MULTICLASS_METRICS,
        "regression": REGRESSION_METRICS,
        "forecasting": FORECASTING_METRICS,
        "clustering": CLUSTERING_METRICS,
        "anomaly_detection": ANOMALY_METRICS,
    }
)


def metric_names(task: Task | Literal["forecasting"]) -> tuple[str, ...]:
    """Name all metrics of a task, in their order."""
    return _OF_TASK[task]


def ordered(names: Iterable[str]) -> list[str]:
    """Put metrics in order: those first that say most of a task, and those last that are not known."""
    places = {name: place for place, name in enumerate(METRICS)}
    return sorted(names, key=lambda name: places.get(name, len(places)))


def score_all(  # noqa: PLR0913, PLR0917 - what is scored, how, and what rows count
    task: Task,
    y: NDArray[np.generic],
    predicted: NDArray[np.float64],
    threshold: float | None = None,
    names: Iterable[str] | None = None,
    unit: float | None = None,
    weights: NDArray[np.float64] | None = None,
) -> dict[str, float]:
    """Compute metrics of predictions of a target.

    Args:
        task: What was predicted; of a task without a target, see `evaluation.clusters`.
        y: What came: the number of each row's class, or its value; shape (rows,).
        predicted: Of a binary task the probability of class 1, shape (rows,); of one with more classes the
            probability of each, shape (rows, classes); of a regression the value, shape (rows,).
        threshold: A row of a binary task is decided positive where its probability is at least this; 0.5 by default.
        names: The metrics to compute; all of the task's by default.
        unit: Of a forecast, by how much seasonal naive ones of the training rows err: ``mase`` needs it, and all
            metrics of forecasts are then computed by default.
        weights: What each row weighs, shape (rows,); None where all weigh the same. The metrics are then those of
            scikit-learn with `sample_weight`; the largest error is that of any row.

    Raises:
        DataError: The rows are all of one class: half of the metrics have no meaning then.
    """
    known = metric_names(task) if unit is None else FORECASTING_METRICS
    wanted = known if names is None else tuple(names)
    if weights is not None:
        from mlops_compiler.evaluation.weighted import score_weighted

        return score_weighted(task, y, predicted, threshold, weights, wanted, unit)
    if task == "regression":
        from mlops_compiler.evaluation.errors import score as score_values

        return score_values(y.astype(float), predicted, wanted, unit)
    labels = y.astype(int)
    if task == "multiclass_classification":
        from mlops_compiler.evaluation.multiclass import score as score_classes

        return score_classes(labels, predicted, wanted)
    from mlops_compiler.evaluation.scores import score

    return score(labels, predicted, 0.5 if threshold is None else threshold, wanted)
