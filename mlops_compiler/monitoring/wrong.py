"""How far off a prediction was, once its outcome is known, and how far off it was to be expected."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from mlops_compiler.ir.task import has_classes
from mlops_compiler.tables.casts import cast_expression

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from mlops_compiler.ir.ops.feedback import Choice

    Values = NDArray[np.float64]


_SURE, _FAR = 0.1, 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """What is known of the release that predicted.

    Attributes:
        manifest: What the release says of itself.
        metrics: What it scored on its holdout.
    """

    manifest: Mapping[str, Any]
    metrics: Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Off:
    """How far off predictions were; shape (rows,) each.

    Attributes:
        distance: By the measure of the choice; NaN where the outcome cannot be read.
        wrong: Whether that is too far.
        expected: How likely it was to be too far, by the prediction itself; 1 of values, which say nothing of that.
        surprise: How surprising the outcome is, beyond what was to be expected of it: the inverse of the probability
            that the class had, a tenth at least; of values the distance, five times the median of all at most.
    """

    distance: Values
    wrong: NDArray[np.bool_]
    expected: Values
    surprise: Values


def off(rows: pl.DataFrame, answered: Answered, choice: Choice) -> Off:
    """Measure predictions of one release.

    Args:
        rows: ``output`` and ``outcome`` among their columns.
        answered: The release.
        choice: The measure and the bound.
    """
    if has_classes(answered.manifest["task"]):
        shares, came = probabilities(rows, answered.manifest), numbers(rows["outcome"], answered.manifest["classes"])
        distance = 1 - np.where(came < 0, np.nan, np.take_along_axis(shares, came[:, None].clip(0), axis=1)[:, 0])
        expected = np.where(beyond(1 - shares, choice), shares, 0.0).sum(axis=1)
        weight = 1 / shares.clip(_SURE, None)
        surprise = 1 / (1 - distance).clip(_SURE, None) - (shares * weight).sum(axis=1)
        return Off(distance=distance, wrong=beyond(distance, choice), expected=expected, surprise=surprise)
    value = rows.select(cast_expression(pl.col("outcome"), "float", strict=False, given=pl.String())).to_series()
    said = rows["output"].struct.field("prediction").cast(pl.Float64)
    away: Values = (said - value).abs().fill_null(float("nan")).to_numpy().astype(np.float64)
    if choice.measure == "times_rmse":
        away = away / (answered.metrics.get("rmse") or np.nan)
    known = away[~np.isnan(away)]
    surprise = np.minimum(away, _FAR * float(np.median(known))) if len(known) else away
    return Off(distance=away, wrong=beyond(away, choice), expected=np.ones(rows.height), surprise=surprise)


def beyond(distance: Values, choice: Choice) -> NDArray[np.bool_]:
    """Say what is too far; what is not known is not."""
    found: NDArray[np.bool_] = distance >= choice.limit if choice.sign == ">=" else distance > choice.limit
    return found


def probabilities(rows: pl.DataFrame, manifest: Mapping[str, Any]) -> Values:
    """Give what each class was given, shape (rows, classes)."""
    if manifest["task"] == "binary_classification":
        positive = rows["output"].struct.field("probability").cast(pl.Float64).to_numpy()
        return np.column_stack([1 - positive, positive])
    shares = rows["output"].struct.field("probabilities")
    return np.column_stack([shares.struct.field(str(name)).cast(pl.Float64).to_numpy() for name in manifest["classes"]])


def numbers(outcomes: pl.Series, classes: list[Any]) -> NDArray[np.int64]:
    """Number outcomes, which are texts, as a release numbers its classes; -1 of what is none of them."""
    kind = {bool: "bool", int: "int", float: "float"}.get(type(classes[0]), "text")
    read = pl.DataFrame({"outcome": outcomes.cast(pl.String)}).select(
        cast_expression(pl.col("outcome"), kind, strict=False, given=pl.String())
    )
    found = read.to_series().replace_strict(classes, list(range(len(classes))), default=-1, return_dtype=pl.Int64)
    return found.fill_null(-1).to_numpy()
