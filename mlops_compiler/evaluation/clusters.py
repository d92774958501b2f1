"""Metrics of clusters, from the rows that were held out and the cluster that each was given; they need no target.

A row of no cluster (-1) counts as apart from all others: 0 in the silhouette (Rousseeuw, 1987, on single rows). The two
indices are those of the rows in clusters; `coverage` says how many that are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mlops_compiler.diagnostics import DataError, Diagnostic

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Matrix = NDArray[np.float64]
    Labels = NDArray[np.int64]

NONE = -1
_MOST_COMPARED = 2000
"""Rows that the silhouette compares, each with each."""


def score(X: Matrix, clusters: Labels, others: Labels, names: tuple[str, ...]) -> dict[str, float]:
    """Compute the metrics named, in that order.

    Args:
        X: What the models see of the rows held out, shape (rows, features).
        clusters: The cluster of each, -1 for none; shape (rows,).
        others: The cluster that a model fitted on other rows gives each; shape (rows,).
        names: Of `CLUSTERING_METRICS`.

    Raises:
        DataError: All rows are in one cluster, or each in one of its own.
    """
    from threadpoolctl import threadpool_limits

    inside = clusters >= 0
    found = len(np.unique(clusters[inside]))
    if not 1 < found < inside.sum():
        headline = f"the {len(clusters)} rows to score are in {_counted(found)}: their metrics have no meaning"
        raise DataError([Diagnostic(code="one-cluster", headline=headline)])
    with threadpool_limits(1):  # sums over rows must not depend on the number of cores
        return {name: _score(name, X, clusters, others) for name in names}


def _counted(clusters: int) -> str:
    return {0: "no cluster", 1: "one cluster"}.get(clusters, f"{clusters} clusters, each with one of them")


def _score(name: str, X: Matrix, clusters: Labels, others: Labels) -> float:
    from sklearn.metrics import adjusted_rand_score, calinski_harabasz_score, davies_bouldin_score

    inside = clusters >= 0
    match name:
        case "silhouette":
            return silhouette(X, clusters)
        case "davies_bouldin":
            return float(davies_bouldin_score(X[inside], clusters[inside]))
        case "calinski_harabasz":
            return float(calinski_harabasz_score(X[inside], clusters[inside]))
        case "stability":
            return float(adjusted_rand_score(clusters, others))
        case _:
            return float(inside.mean())


def silhouette(X: Matrix, clusters: Labels) -> float:
    """Average how much nearer a row's own cluster is than the next one, from -1 to 1; rows of none count 0.

    Of more than 2,000 rows that many are compared, evenly taken in their order.
    """
    from sklearn.metrics import silhouette_samples

    chosen = evenly(len(X), _MOST_COMPARED)
    labels = clusters[chosen]
    inside = labels >= 0
    if not 1 < len(np.unique(labels[inside])) < inside.sum():
        return 0.0
    return float(silhouette_samples(X[chosen][inside], labels[inside]).sum() / len(chosen))


def evenly(rows: int, most: int) -> NDArray[np.intp]:
    """Choose at most so many rows, evenly in their order."""
    return np.unique(np.linspace(0, rows - 1, min(rows, most)).round().astype(np.intp))
