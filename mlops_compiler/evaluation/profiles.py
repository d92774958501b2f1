"""What the rows of a cluster are like, in the columns that people know: beside all rows, the most telling first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from mlops_compiler.evaluation.clusters import evenly

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

_MOST_LEVELS = 30
_MOST_TOLD = 60
_POINTS = 600


def profiles(rows: pl.DataFrame, clusters: NDArray[np.int64]) -> list[dict[str, Any]]:
    """Tell what each cluster is like.

    Args:
        rows: The columns to tell of, as the source has them.
        clusters: The cluster of each row, -1 for none; shape (rows,).

    Returns:
        Of each cluster, that of none last: ``cluster``, ``rows``, ``share`` of all rows, and ``traits``. A trait is a
        number's mean or a level's share: ``column``, ``level`` (None of a number), ``value``, ``overall``, and
        ``distance``, how many standard deviations of all rows lie between them; the furthest first, 60 at most.
    """
    columns = [(name, level, values) for name in rows.columns for level, values in _numbers(rows[name])]
    numbered = sorted(np.unique(clusters).tolist(), key=lambda cluster: (cluster < 0, cluster))
    return [_profile(cluster, clusters == cluster, columns) for cluster in numbered]


def _numbers(column: pl.Series) -> Iterator[tuple[str | None, NDArray[np.float64]]]:
    """Give a column of numbers as it is, NaN where it is missing, and one of few levels as an indicator of each."""
    dtype = column.dtype
    if dtype.is_numeric() or dtype == pl.Boolean:
        yield None, column.cast(pl.Float64).fill_null(float("nan")).to_numpy()
    elif dtype == pl.String or isinstance(dtype, pl.Categorical | pl.Enum):
        levels = column.cast(pl.String).drop_nulls().unique().sort().to_list()
        if len(levels) <= _MOST_LEVELS:
            for level in levels[1:] if len(levels) == 2 else levels:  # noqa: PLR2004 - the other says the same
                found = column.cast(pl.String) == level
                yield level, found.fill_null(value=False).cast(pl.Float64).to_numpy()


def _profile(
    cluster: int, members: NDArray[np.bool_], columns: list[tuple[str, str | None, NDArray[np.float64]]]
) -> dict[str, Any]:
    traits = [trait for name, level, values in columns if (trait := _trait(name, level, values, members))]
    traits.sort(key=lambda trait: (-abs(trait["distance"]), trait["column"], trait["level"] or ""))
    count = int(members.sum())
    return {"cluster": cluster, "rows": count, "share": count / len(members), "traits": traits[:_MOST_TOLD]}


def _trait(
    name: str, level: str | None, values: NDArray[np.float64], members: NDArray[np.bool_]
) -> dict[str, Any] | None:
    known = np.isfinite(values)
    if not (known & members).any() or (spread := float(values[known].std())) == 0.0:
        return None
    overall, value = float(values[known].mean()), float(values[known & members].mean())
    distance = (value - overall) / spread
    return {"column": name, "level": level, "value": value, "overall": overall, "distance": distance}


def projection(X: NDArray[np.float64], clusters: NDArray[np.int64]) -> dict[str, Any]:
    """Project rows on the plane that keeps most of their variance (principal components).

    Returns:
        ``x``, ``y`` and ``cluster`` of at most 600 rows, and ``kept``, the share of the variance that each axis keeps.
    """
    centred = X - X.mean(axis=0)
    _, sizes, axes = np.linalg.svd(centred, full_matrices=False)
    axes = axes[:2] * np.sign(axes[:2][np.arange(len(axes[:2])), np.abs(axes[:2]).argmax(axis=1)])[:, None]
    chosen, total = evenly(len(X), _POINTS), float((sizes**2).sum())
    plane = centred[chosen] @ axes.T
    kept = [float(size**2) / total if total else 0.0 for size in sizes[:2]]
    second = plane[:, 1] if plane.shape[1] > 1 else np.zeros(len(plane))
    return {
        "x": plane[:, 0].tolist(),
        "y": second.tolist(),
        "cluster": clusters[chosen].tolist(),
        "kept": [*kept, 0.0][:2],
    }
