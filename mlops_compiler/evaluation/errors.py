"""Metrics of predicted values, each as its definition; the definitions are scikit-learn's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Values = NDArray[np.float64]

_Number = TypeVar("_Number", float, "NDArray[np.float64]")
_POINTS = 500
_QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
_BINS = 31


def score(y: Values, predicted: Values, names: tuple[str, ...], unit: float | None = None) -> dict[str, float]:
    """Compute the metrics named, in that order.

    Args:
        y: The values that came, shape (rows,), of one row at least.
        predicted: Those predicted, shape (rows,).
        names: Of `FORECASTING_METRICS`.
        unit: By how much seasonal naive forecasts of the training rows err; only ``mase`` needs it.
    """
    return {
        name: scaled(mae(y, predicted), unit) if name == "mase" else float(_ERRORS[name](y, predicted))
        for name in names
    }


def rmse(y: Values, predicted: Values) -> float:
    """Root of the mean squared error, in the unit of the target."""
    return float(np.sqrt(np.mean((predicted - y) ** 2)))


def mae(y: Values, predicted: Values, weights: Values | None = None) -> float:
    """Mean absolute error, in the unit of the target."""
    return float(np.average(np.abs(predicted - y), weights=weights))


def median_absolute_error(y: Values, predicted: Values) -> float:
    """Error that half of the rows keep below, in the unit of the target."""
    return float(np.median(np.abs(predicted - y)))


def mape(y: Values, predicted: Values) -> float:
    """Mean error as a share of what came; huge where that is 0."""
    return float(np.mean(np.abs(predicted - y) / np.maximum(np.abs(y), np.finfo(np.float64).eps)))


def smape(y: Values, predicted: Values, weights: Values | None = None) -> float:
    """Mean error as a share of the mean of what came and what was predicted, from 0 to 2; 0 where both are 0."""
    return float(np.average(smape_of_rows(y, predicted), weights=weights))


def smape_of_rows(y: Values, predicted: Values) -> Values:
    """Give the error of each row as a share of the mean of what came and what was predicted; 0 where both are 0."""
    whole = (np.abs(y) + np.abs(predicted)) / 2
    return np.where(whole > 0, np.abs(predicted - y) / np.where(whole > 0, whole, 1.0), 0.0)


def naive_error(y: Values, said: Values) -> float:
    """Mean absolute error of seasonal naive forecasts, in the unit of the target; of rows that a season came before.

    Args:
        y: The values that came, shape (rows,).
        said: What the forecasts say, shape (rows,); NaN where they say nothing.
    """
    known = np.isfinite(said)
    return float(np.mean(np.abs(said[known] - y[known]))) if known.any() else 0.0


def scaled(error: _Number, unit: float | None) -> _Number:
    """Give a mean absolute error as a share of that of seasonal naive forecasts of the training rows.

    Below 1 is better than those (Hyndman and Koehler, "Another look at measures of forecast accuracy", International
    Journal of Forecasting, 2006); huge where they never err.
    """
    if unit is None:
        raise ValueError("mase is a share of what seasonal naive forecasts err by")
    return error / max(unit, float(np.finfo(np.float64).eps))


def max_error(y: Values, predicted: Values) -> float:
    """Error of the worst row, in the unit of the target."""
    return float(np.max(np.abs(predicted - y)))


def r2(y: Values, predicted: Values) -> float:
    """Share of the variance that is explained; 1 at best, 0 for the mean, and less for worse than that.

    Where all values are equal, 1 for a perfect prediction and 0 else.
    """
    residual, total = float(np.sum((y - predicted) ** 2)), float(np.sum((y - y.mean()) ** 2))
    if total == 0.0:
        return 1.0 if residual == 0.0 else 0.0
    return 1.0 - residual / total


_ERRORS: dict[str, Callable[[Values, Values], float]] = {
    "rmse": rmse,
    "mae": mae,
    "median_absolute_error": median_absolute_error,
    "mape": mape,
    "smape": smape,
    "max_error": max_error,
    "r2": r2,
}


def error_curves(y: Values, predicted: Values) -> dict[str, Any]:
    """Give what people look at: predictions beside what came, and how the errors are distributed.

    Returns:
        ``scatter``: ``predicted`` and ``observed`` of at most 500 rows, evenly taken by prediction; ``errors``:
        ``from``, ``to`` and ``rows`` of bins of predicted less observed, the outermost 1 % in the bins at the ends.
    """
    order = np.argsort(predicted, kind="stable")
    chosen = order[np.unique(np.linspace(0, len(order) - 1, min(len(order), _POINTS)).round().astype(int))]
    return {
        "scatter": {"predicted": predicted[chosen].tolist(), "observed": y[chosen].tolist()},
        "errors": _histogram(predicted - y),
    }


def error_summary(y: Values, predicted: Values) -> dict[str, float]:
    """Sum up predicted less observed: the mean, and quantiles by their names, in the unit of the target."""
    errors = predicted - y
    found = np.quantile(errors, _QUANTILES)
    return {"mean": float(errors.mean())} | {
        f"q{round(100 * share):02d}": float(value) for share, value in zip(_QUANTILES, found, strict=True)
    }


def _histogram(errors: Values) -> dict[str, list[float]]:
    low, high = np.quantile(errors, [0.005, 0.995])
    if low == high:
        return {"from": [float(low)], "to": [float(high)], "rows": [len(errors)]}
    rows, edges = np.histogram(np.clip(errors, low, high), bins=_BINS, range=(low, high))
    return {"from": edges[:-1].tolist(), "to": edges[1:].tolist(), "rows": rows.tolist()}
