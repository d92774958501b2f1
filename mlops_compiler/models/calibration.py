"""Calibration: a probability of 30 % shall mean 30 %. What was learned is a few numbers, kept as data.

Isotonic regression (Zadrozny and Elkan, "Transforming classifier scores into accurate multiclass probability
estimates", KDD 2002) takes any rising curve; a sigmoid of the log-odds (Platt, "Probabilistic outputs for support
vector machines", 1999, with his targets) takes two numbers and does with few rows. Several classes are calibrated one
against the rest, and made to add up to 1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np

from mlops_compiler.models.adapters.answers import sigmoid

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Values = NDArray[np.float64]

Method: TypeAlias = Literal["isotonic", "sigmoid"]
_LEAST = 1e-12


def fit_calibration(
    method: Method, y: NDArray[np.int64], probability: Values, weights: Values | None = None
) -> dict[str, Any]:
    """Learn from answers to rows that a model did not learn from.

    Args:
        method: How.
        y: The number of each row's class; shape (rows,).
        probability: Of class 1, shape (rows,); of several classes, shape (rows, classes).
        weights: What each row weighs, shape (rows,); None where all weigh the same.

    Returns:
        What `calibrated` needs, as JSON.
    """
    fit = _fit_isotonic if method == "isotonic" else _fit_sigmoid
    columns = probability[:, None] if probability.ndim == 1 else probability
    of_class = (y[:, None] == (1 if probability.ndim == 1 else np.arange(columns.shape[1]))).astype(np.float64)
    each = np.ones(len(y)) if weights is None else weights
    curves = [fit(came, column, each) for came, column in zip(of_class.T, columns.T, strict=True)]
    return {"method": method, "curves": curves}


def calibrated(calibration: dict[str, Any], probability: Values) -> Values:
    """Calibrate answers, each row alone; of the shape that was given."""
    apply = _isotonic if calibration["method"] == "isotonic" else _sigmoid
    if probability.ndim == 1:
        return apply(calibration["curves"][0], probability)
    columns = [apply(curve, column) for curve, column in zip(calibration["curves"], probability.T, strict=True)]
    total = np.zeros(len(probability))
    for column in columns:
        total += column
    return np.column_stack([column / total for column in columns])


def _fit_isotonic(came: Values, probability: Values, weights: Values) -> dict[str, Any]:
    """Fit a curve that rises, kept away from 0 and 1 by what so many rows can tell (Laplace's rule)."""
    from sklearn.isotonic import IsotonicRegression

    least = 1 / (float(weights.sum()) + 2)
    curve = IsotonicRegression(y_min=least, y_max=1 - least, out_of_bounds="clip")
    curve.fit(probability, came, sample_weight=weights)
    return {"x": curve.X_thresholds_.tolist(), "y": curve.y_thresholds_.tolist()}


def _isotonic(curve: dict[str, Any], probability: Values) -> Values:
    x, y = np.array(curve["x"]), np.array(curve["y"])
    if len(x) == 1:
        return np.full(len(probability), y[0])
    inside = np.clip(probability, x[0], x[-1])
    after = np.clip(np.searchsorted(x, inside, side="left"), 1, len(x) - 1)
    share = (inside - x[after - 1]) / (x[after] - x[after - 1])
    found: Values = y[after - 1] + share * (y[after] - y[after - 1])
    return found


def _fit_sigmoid(came: Values, probability: Values, weights: Values) -> dict[str, Any]:
    from sklearn.linear_model import LogisticRegression

    positives, rows = came @ weights, weights.sum()
    target = np.where(came == 1, (positives + 1) / (positives + 2), 1 / (rows - positives + 2))
    margin = _log_odds(probability)[:, None]
    labels = np.repeat([1, 0], len(came))
    curve = LogisticRegression(C=1e10, tol=1e-10, max_iter=1000)
    curve.fit(
        np.vstack([margin, margin]), labels, sample_weight=np.concatenate([target, 1 - target]) * np.tile(weights, 2)
    )
    return {"slope": float(curve.coef_[0, 0]), "intercept": float(curve.intercept_[0])}


def _sigmoid(curve: dict[str, Any], probability: Values) -> Values:
    return sigmoid(curve["slope"] * _log_odds(probability) + curve["intercept"])


def _log_odds(probability: Values) -> Values:
    kept = np.clip(probability, _LEAST, 1 - _LEAST)
    found: Values = np.log(kept) - np.log1p(-kept)
    return found
