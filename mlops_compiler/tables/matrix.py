"""The design matrix: what estimators see; numbers only, in the order that the release remembers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from mlops_compiler.diagnostics import DataError, Diagnostic, Note, listing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from mlops_compiler.diagnostics import Span


def design_matrix(frame: pl.DataFrame, features: Sequence[str]) -> NDArray[np.float64]:
    """Make the matrix of `features`; nulls become NaN.

    Returns:
        Float64, C order, shape (rows, features).
    """
    if frame.height == 1 and (row := _one_row(frame, features)) is not None:
        return row
    columns = frame.select(pl.col(name).cast(pl.Float64) for name in features)
    matrix = np.empty((frame.height, len(features)), dtype=np.float64)
    for index, name in enumerate(features):
        matrix[:, index] = columns[name].to_numpy()
    return matrix


def _one_row(frame: pl.DataFrame, features: Sequence[str]) -> NDArray[np.float64] | None:
    """Make the matrix of a single row by way of Python's numbers, which are the same and take a tenth of the time.

    Returns:
        None where a column is neither a number nor a truth value.
    """
    chosen = frame.select(features)
    if not all(dtype.is_numeric() or dtype == pl.Boolean for dtype in chosen.dtypes):
        return None
    return np.array([chosen.row(0)], dtype=np.float64)


def refuse_missing(matrix: NDArray[np.float64], features: Sequence[str], what: str, span: Span | None = None) -> None:
    """Refuse values that an estimator without support for missing values cannot take.

    Args:
        matrix: Shape (rows, features).
        features: The columns' names.
        what: Who refuses, for the message: ``model `logistic```.
        span: Where the recipe names that.

    Raises:
        DataError: A value is missing or not finite; names columns and counts.
    """
    bad = ~np.isfinite(matrix)
    if not bad.any():
        return
    counts = {name: int(count) for name, count in zip(features, bad.sum(axis=0), strict=True) if count}
    raise DataError(
        [
            Diagnostic(
                code="missing-values",
                headline=f"{what} cannot take missing or infinite values; there are some in {listing(counts)}",
                span=span,
                notes=tuple(Note(text=f"`{name}`: {count} of {len(matrix)} rows") for name, count in counts.items()),
                help="add an `impute` step for these columns, or use a model that takes missing values",
            )
        ]
    )
