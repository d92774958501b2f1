"""What clusterings have in common: how their clusters are numbered, and how far a row is from one.

Distances are added up one column after the other, so that a row gets the same bits whatever rows surround it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from mlops_compiler.diagnostics import DataError, Diagnostic
from mlops_compiler.models.adapters.checks import check_values

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mlops_compiler.models.kind import Matrix

    Labels = NDArray[np.int64]

_CELLS = 1 << 20
"""Most distances that are held at once."""


def by_size(labels: Labels, centers: Matrix) -> Labels:
    """Order clusters by their rows, the largest first; of equals, the one whose centre is smaller column by column.

    Args:
        labels: The cluster of each training row, shape (rows,); -1 for none.
        centers: The centre of each cluster, shape (clusters, features).

    Returns:
        The clusters in their new order, shape (clusters,): it does not depend on the order that a fit found them in.
    """
    rows = np.bincount(labels[labels >= 0], minlength=len(centers))
    return np.lexsort((*centers.T[::-1], -rows)).astype(np.int64)


def nearest(X: Matrix, points: Matrix) -> tuple[Labels, NDArray[np.float64]]:
    """Find the nearest point of each row, of equals the first.

    Args:
        X: Shape (rows, features).
        points: Shape (points, features), of one point at least.

    Returns:
        The number of the point and the Euclidean distance to it, both of shape (rows,).
    """
    step = max(1, _CELLS // len(points))
    found, squared = np.empty(len(X), dtype=np.int64), np.empty(len(X))
    for start in range(0, len(X), step):
        part = squared_distances(X[start : start + step], points)
        place = part.argmin(axis=1)
        found[start : start + step] = place
        squared[start : start + step] = part[np.arange(len(part)), place]
    return found, np.sqrt(squared)


def squared_distances(X: Matrix, points: Matrix) -> Matrix:
    """Compute squared Euclidean distances, shape (rows, points)."""
    total = np.zeros((len(X), len(points)))
    with np.errstate(over="ignore", invalid="ignore"):
        for column, values in zip(X.T, points.T, strict=True):
            apart = column[:, None] - values
            total += apart * apart
    return total


def check_rows_to_group(X: Matrix, *, kind: str, fewest: int) -> None:
    """Refuse rows that no clusters can be made of.

    Raises:
        DataError: There is no column, a value is missing or infinite, or there are fewer different rows than clusters.
    """
    if X.shape[1] == 0:
        headline = f"the design matrix has no column: {kind} has nothing to learn from"
        raise DataError([Diagnostic(code="no-features", headline=headline)])
    check_values(X, kind=kind, accepts_missing=False)
    if len(X) < fewest or len(np.unique(X, axis=0)) < fewest:
        headline = f"there are fewer than {fewest} different rows: {kind} cannot make {fewest} clusters of them"
        raise DataError([Diagnostic(code="too-few-rows", headline=headline)])


def are_points(points: NDArray[Any]) -> bool:
    """Say whether a stored array is of finite points, of one at least."""
    return points.ndim == 2 and min(points.shape) > 0 and bool(np.isfinite(points).all())  # noqa: PLR2004 - a matrix
