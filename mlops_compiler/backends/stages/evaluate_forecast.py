"""What only a forecast is evaluated by: the seasonal naive one, and errors as shares of what that one errs by."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from mlops_compiler.evaluation.errors import mae, smape
from mlops_compiler.tables.steps import LABEL

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from mlops_compiler.backends.stages.rows import Rows
    from mlops_compiler.models.kind import Target

    Values = NDArray[np.float64]


def naive_forecast(rows: pl.DataFrame, column: str, mean: Values) -> Values:
    """Repeat the value of the last season, and where that is missing the mean; shape (rows,)."""
    found = rows[column].cast(pl.Float64).fill_null(float("nan")).to_numpy()
    return np.where(np.isnan(found), mean, found)


def scaled(
    evaluation: Mapping[str, Any], y: Target, sides: Mapping[str, Values], read: Rows, naive: str
) -> dict[str, Any]:
    """Add to the metrics of each side those of forecasts, and say what the naive one repeats.

    ``mase`` is the mean absolute error as a share of that of seasonal naive forecasts of the training rows (Hyndman and
    Koehler, 2006): below 1 is better than those; it is left out where they never err. ``smape`` is from 0 to 2.
    """
    learned = read.frame.filter(read.learns()).select(LABEL, pl.col(naive).cast(pl.Float64).alias("naive"))
    unit = learned.select((pl.col(LABEL) - pl.col("naive")).abs().mean()).item()
    values, found = y.astype(np.float64), dict[str, Any](naive=naive)
    for side, answers in sides.items():
        found[side] = {**evaluation[side], "smape": smape(values, answers)}
        if unit:
            found[side]["mase"] = mae(values, answers) / float(unit)
    return found
