"""How right a service was about rows whose outcome is known, all together and over time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from mlops_compiler.diagnostics import DataError
from mlops_compiler.evaluation.metrics import score_all

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from mlops_compiler.serving.replay import Held

_PERIODS = (("1h", 2), ("1d", 62), ("1mo", 1100), ("1y", 10**9))
"""How long a period is for rows that span so many days."""
_SECONDS_OF_A_DAY = 86_400
_JUDGED = ("binary_classification", "multiclass_classification", "regression")


def outcomes(target: pl.Series, manifest: Mapping[str, Any]) -> NDArray[np.float64]:
    """Read what came of rows: the number of each one's class or its value, NaN where that is none; shape (rows,)."""
    classes = manifest.get("classes")
    if classes is None:
        values = target.cast(pl.Float64, strict=False)
    else:
        named = {str(label): float(number) for number, label in enumerate(classes)}
        values = target.cast(pl.String).replace_strict(named, default=None, return_dtype=pl.Float64)
    return values.fill_null(float("nan")).to_numpy()


def correctness(held: Held, answers: Sequence[Any], manifest: Mapping[str, Any], metric: str) -> dict[str, Any] | None:
    """Score the answers to rows whose outcome is known.

    Args:
        held: The rows.
        answers: What was answered to each.
        manifest: That of the release.
        metric: What to score by.

    Returns:
        ``metric``; ``rows`` that it is of; its ``value``, None where it has no meaning; and ``over_time`` the same by
        period, with the ``period``'s beginning. None where no outcome is known.
    """
    if held.outcome is None or manifest["task"] not in _JUDGED:
        return None
    known = np.array([isinstance(answer, dict) for answer in answers]) & ~np.isnan(held.outcome)
    if not known.any():
        return None
    y = held.outcome[known]
    predicted = np.array([_numbers(answer, manifest) for answer, taken in zip(answers, known, strict=True) if taken])
    found = {"metric": metric, "rows": len(y), "value": _score(y, predicted, manifest, metric), "over_time": []}
    if held.time is not None and held.time.dtype.is_temporal():
        found["over_time"] = _over_time(held.time.filter(pl.Series(known)), y, predicted, manifest, metric)
    return found


def _over_time(
    times: pl.Series, y: NDArray[np.float64], predicted: NDArray[np.float64], manifest: Mapping[str, Any], metric: str
) -> list[dict[str, Any]]:
    stamps = times.cast(pl.Datetime("us"))
    seconds = stamps.dt.epoch("s")
    days = (int(seconds.max() or 0) - int(seconds.min() or 0)) / _SECONDS_OF_A_DAY  # type: ignore[arg-type]
    every = next(length for length, most in _PERIODS if days <= most)
    periods = stamps.dt.truncate(every)
    told = []
    for period in periods.drop_nulls().unique().sort():
        here = (periods == period).fill_null(value=False).to_numpy()
        value = _score(y[here], predicted[here], manifest, metric)
        told.append({"period": period.isoformat(), "rows": int(here.sum()), "value": value})
    return told


def _numbers(answer: Mapping[str, Any], manifest: Mapping[str, Any]) -> Any:
    match manifest["task"]:
        case "binary_classification":
            return answer["probability"]
        case "multiclass_classification":
            return [answer["probabilities"][str(label)] for label in manifest["classes"]]
        case _:
            return answer["prediction"]


def _score(
    y: NDArray[np.float64], predicted: NDArray[np.float64], manifest: Mapping[str, Any], metric: str
) -> float | None:
    """Score rows; None where the metric has no meaning for them, as where all are of one class."""
    try:
        return score_all(manifest["task"], y, predicted, manifest.get("threshold"), names=(metric,))[metric]
    except DataError:
        return None
