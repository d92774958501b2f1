"""What a forecast has to beat: the seasonal naive one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Values = NDArray[np.float64]


def naive_forecast(rows: pl.DataFrame, column: str, mean: Values) -> Values:
    """Repeat the value of the last season, and where that is missing the mean; shape (rows,)."""
    found = rows[column].cast(pl.Float64).fill_null(float("nan")).to_numpy()
    return np.where(np.isnan(found), mean, found)
