"""Each metric of many weighted samples at once; with all weights one, the very metric of the rows.

Where a sample lacks what a metric needs (both classes, any row), its metric is not a number.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from mlops_compiler.diagnostics import DataError, Diagnostic
from mlops_compiler.evaluation.errors import scaled, smape_of_rows

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mlops_compiler.evaluation.samples import Weights
    from mlops_compiler.ir.task import Task

    Values = NDArray[np.float64]
    Found = dict[str, Values]


def weighted_scores(
    task: Task,
    y: NDArray[Any],
    predicted: Values,
    threshold: float | None,
    weights: Weights,
    unit: float | None = None,
) -> Found | None:
    """Compute all metrics of a task.

    Args:
        task: What was predicted.
        y: What came, as for `score_all`; shape (rows,).
        predicted: What was predicted, as for `score_all`.
        threshold: From which probability on a row is decided positive; 0.5 by default.
        weights: How often each row counts, or what it weighs, shape (samples, rows).
        unit: As for `score_all`.

    Returns:
        Of each metric its values, shape (samples,); None of a task whose metrics are not weighted here.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        if task == "binary_classification":
            return _binary(y.astype(np.int64), predicted, 0.5 if threshold is None else threshold, weights)
        if task == "multiclass_classification":
            return _multiclass(y.astype(np.int64), predicted, weights)
        return _values(y.astype(np.float64), predicted, weights, unit) if task == "regression" else None


def score_weighted(  # noqa: PLR0913, PLR0917 - those of `score_all`
    task: Task,
    y: NDArray[Any],
    predicted: Values,
    threshold: float | None,
    weights: Values,
    names: tuple[str, ...],
    unit: float | None = None,
) -> dict[str, float]:
    """Compute metrics of rows that weigh differently; arguments as for `score_all`.

    Raises:
        DataError: The rows are all of one class.
    """
    if task != "regression" and (not len(y) or y.min() == y.max()):
        headline = f"the {len(y)} rows to score are all of one class: their metrics have no meaning"
        raise DataError([Diagnostic(code="one-class", headline=headline)])
    found = weighted_scores(task, y, predicted, threshold, weights[None, :], unit)
    if found is None:
        raise ValueError(f"the metrics of {task} are not weighted")
    return {name: float(found[name][0]) for name in names}


def _binary(y: NDArray[np.int64], probability: Values, threshold: float, weights: Weights) -> Found:
    true, false = _cuts(y, probability, weights)
    decided = probability >= threshold
    came = y == 1
    tp, fp, fn, tn = (
        _total(rows.astype(np.float64), weights)
        for rows in (decided & came, decided & ~came, ~decided & came, ~decided & ~came)
    )
    recall, precision = tp / (tp + fn), _ratio(tp, tp + fp)
    of_truth = np.where(came, probability, 1 - probability)
    found = {
        "roc_auc": _roc_auc(true, false),
        "average_precision": _average_precision(true, false),
        "log_loss": _mean(_surprise(of_truth), weights),
        "brier": _mean((probability - y) ** 2, weights),
        "accuracy": (tp + tn) / (tp + fp + fn + tn),
        "balanced_accuracy": (recall + tn / (tn + fp)) / 2,
        "f1": _ratio(2 * tp, 2 * tp + fp + fn),
        "precision": precision,
        "recall": recall,
        "mcc": _ratio(tp * tn - fp * fn, ((tp + fp) * (tp + fn) * (tn + fp) * (tn + fn)) ** 0.5),
    }
    one_class = (tp + fn == 0) | (fp + tn == 0)
    return {name: np.where(one_class, np.nan, values) for name, values in found.items()}


def _multiclass(y: NDArray[np.int64], probability: Values, weights: Weights) -> Found:
    classes = probability.shape[1]
    counts = _table(y * classes + probability.argmax(axis=1), classes, weights)
    right, came, decided = np.einsum("sii->si", counts), counts.sum(axis=2), counts.sum(axis=1)
    rows = came.sum(axis=1)
    f1 = _ratio(2 * right, came + decided)
    recall = np.where(came > 0, right / came, np.nan)
    spread = (rows**2 - (decided**2).sum(axis=1)) * (rows**2 - (came**2).sum(axis=1))
    covariance = right.sum(axis=1) * rows - (came * decided).sum(axis=1)
    areas = [_roc_auc(*_cuts((y == item).astype(np.int64), probability[:, item], weights)) for item in np.unique(y)]
    found = {
        "log_loss": _mean(_surprise(probability[np.arange(len(y)), y]), weights),
        "roc_auc_ovr": _mean_of_known(np.stack(areas, axis=1)),
        "accuracy": right.sum(axis=1) / rows,
        "balanced_accuracy": _mean_of_known(recall),
        "f1_macro": _mean_of_known(np.where(came + decided > 0, f1, np.nan)),
        "f1_weighted": (f1 * came).sum(axis=1) / rows,
        "mcc": _ratio(covariance, np.sqrt(np.maximum(spread, 0))),
    }
    one_class = (came > 0).sum(axis=1) < 2  # noqa: PLR2004 - a choice needs two
    return {name: np.where(one_class, np.nan, values) for name, values in found.items()}


def _values(y: Values, predicted: Values, weights: Weights, unit: float | None) -> Found:
    error, centred = np.abs(predicted - y), y - y.mean()
    mean = _mean(centred, weights)
    squares = weights.sum(axis=1) * (_mean(centred**2, weights) - mean**2)
    residual = weights.sum(axis=1) * _mean(error**2, weights)
    whole = np.where(residual == 0, 1.0, 0.0)
    mae = _mean(error, weights)
    ahead: Found = {}
    if unit is not None:
        ahead = {"smape": _mean(smape_of_rows(y, predicted), weights), "mase": scaled(mae, unit)}
    return {
        "rmse": np.sqrt(_mean(error**2, weights)),
        "mae": mae,
        "median_absolute_error": _median(error, weights),
        "mape": _mean(error / np.maximum(np.abs(y), np.finfo(np.float64).eps), weights),
        "max_error": np.where(weights > 0, error, -np.inf).max(axis=1),
        "r2": np.where(squares > 0, 1 - residual / squares, whole),
        **ahead,
    }


def _cuts(y: NDArray[np.int64], probability: Values, weights: Weights) -> tuple[Values, Values]:
    """Count true and false positives after each cut, as `cut` does; shape (samples, cuts)."""
    order = np.argsort(-probability, kind="stable")
    last = np.flatnonzero(np.diff(probability[order], append=-np.inf))
    ranked = np.take(weights, order, axis=1)
    every = np.cumsum(ranked, axis=1, dtype=weights.dtype)[:, last]
    ranked *= y[order].astype(weights.dtype)
    true = np.cumsum(ranked, axis=1, dtype=weights.dtype)[:, last]
    start = np.zeros((len(weights), 1))
    return np.hstack([start, true]), np.hstack([start, every - true])


def _roc_auc(true: Values, false: Values) -> Values:
    twice = (np.diff(false, axis=1) * (true[:, 1:] + true[:, :-1])).sum(axis=1)
    found: Values = twice / (2 * true[:, -1] * false[:, -1])
    return found


def _average_precision(true: Values, false: Values) -> Values:
    precision = _ratio(true[:, 1:], true[:, 1:] + false[:, 1:])
    found: Values = (np.diff(true, axis=1) * precision).sum(axis=1) / true[:, -1]
    return found


def _table(cell: NDArray[np.int64], classes: int, weights: Weights) -> Values:
    """Count rows by what came (down) and what was decided (across), shape (samples, classes, classes)."""
    order = np.argsort(cell, kind="stable")
    cells, starts = np.unique(cell[order], return_index=True)
    counts = np.zeros((len(weights), classes * classes))
    counts[:, cells] = np.add.reduceat(weights[:, order], starts, axis=1)
    return counts.reshape(-1, classes, classes)


def _mean(values: Values, weights: Weights) -> Values:
    found: Values = _total(values, weights) / weights.sum(axis=1)
    return found


def _total(values: Values, weights: Weights) -> Values:
    """Add up weighed values, shape (samples,); without BLAS, which would round by the number of its threads."""
    found: Values = np.einsum("sr,r->s", weights, values)
    return found


def _median(values: Values, weights: Weights) -> Values:
    """Return what half of the sample keeps below; of two that part it in halves their mean."""
    order = np.argsort(values, kind="stable")
    reached = np.cumsum(np.take(weights, order, axis=1), axis=1, dtype=weights.dtype)
    half = reached[:, -1:] / 2
    lower, upper = (found.argmax(axis=1) for found in (reached >= half, reached > half))
    found: Values = (values[order][lower] + values[order][upper]) / 2
    return found


def _surprise(of_truth: Values) -> Values:
    epsilon = np.finfo(np.float64).eps
    found: Values = -np.log(np.clip(of_truth, epsilon, 1 - epsilon))
    return found


def _ratio(part: Values, whole: Values) -> Values:
    found: Values = np.where(whole > 0, part / np.where(whole > 0, whole, 1), 0.0)
    return found


def _mean_of_known(values: Values) -> Values:
    """Return the mean over the classes that a sample has, shape (samples,)."""
    known = ~np.isnan(values)
    found: Values = np.where(known, values, 0.0).sum(axis=1) / known.sum(axis=1)
    return found
