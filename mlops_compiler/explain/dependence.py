"""Partial dependence: the mean answer where a column of the source has one value in every row.

Friedman, "Greedy function approximation" (2001); a line for each of some rows is an individual conditional expectation
(Goldstein et al., 2015). The preparation runs again, so that what is derived from the column moves with it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from mlops_compiler.diagnostics import DataError

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Values = NDArray[np.float64]

_POINTS = 12
_MOST_LEVELS = 12
_LINES = 25
_ENDS = (0.02, 0.98)


def dependence(
    frame: pl.DataFrame, column: str, answers: Callable[[pl.DataFrame], Values], *, lines: bool = True
) -> dict[str, Any] | None:
    """Compute the partial dependence on one column.

    Args:
        frame: Rows of the source.
        column: A column of it.
        answers: Prepares and scores; shape (rows,) or (rows, outputs).
        lines: Whether to keep the lines of some rows.

    Returns:
        ``column``; ``kind``, ``number`` or ``level``; ``values``, the grid; ``mean``, for each output the mean at each
        value; ``lines`` of at most 25 rows likewise, where there is one output. None where the column has one value
        only, or some row cannot have each value.
    """
    values = grid(frame[column])
    if len(values) < 2:  # noqa: PLR2004 - one point makes no line
        return None
    number = frame.schema[column].is_numeric()
    rows = pl.concat(
        [
            frame.with_columns(pl.lit(pl.Series([value]).cast(frame.schema[column])).first().alias(column))
            for value in values.to_list()
        ]
    )
    try:
        scored = answers(rows).reshape(len(values), frame.height, -1)
    except DataError:
        return None
    told = {
        "column": column,
        "kind": "number" if number and len(values) > 2 else "level",  # noqa: PLR2004 - two numbers make no line either
        "values": [_plain(value) for value in values.to_list()],
        "mean": scored.mean(axis=1).T.tolist(),
    }
    if lines and scored.shape[2] == 1:
        some = np.unique(np.linspace(0, frame.height - 1, min(_LINES, frame.height)).round().astype(int))
        told["lines"] = scored[:, some, 0].T.tolist()
    return told


def grid(values: pl.Series) -> pl.Series:
    """Choose the values of a column to ask about: quantiles of a number, the most frequent levels of what is none."""
    known = values.drop_nulls()
    if known.dtype.is_float():
        known = known.drop_nans()
    distinct = known.unique().sort()
    if not values.dtype.is_numeric() and not values.dtype.is_temporal():
        counts = known.value_counts(sort=True).head(_MOST_LEVELS)
        return counts.sort(pl.col(known.name).cast(pl.String))[known.name]
    if len(distinct) <= _POINTS:
        return distinct
    shares = np.linspace(*_ENDS, _POINTS)
    places = np.unique((shares * (len(known) - 1)).round().astype(int))
    return known.sort().gather(places).unique().sort()


def _plain(value: Any) -> Any:
    return value if isinstance(value, bool | int | float | str) else str(value)
