"""HDBSCAN: fitted by scikit-learn, which scores no new row; scored here by the nearest row of a cluster.

A new row belongs to the cluster of the nearest kept row, if it is no further from that than any row of the cluster was
from its nearest: by single linkage it would have joined. Else it belongs to none. Of the rows of the clusters at most a
thousand are kept, taken evenly from each cluster by its share; an answer is as approximate as that.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from mlops_compiler.diagnostics import DataError, Diagnostic
from mlops_compiler.models.adapters.answers import ScoringModel
from mlops_compiler.models.adapters.clusters import are_points, by_size, check_rows_to_group, nearest, squared_distances
from mlops_compiler.models.adapters.files import corrupt, dump_files, load_files
from mlops_compiler.models.adapters.sklearn_threads import limited_threads

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from mlops_compiler.ir.domain import Scalar
    from mlops_compiler.ir.task import Task
    from mlops_compiler.models.kind import FitOptions, Matrix

_KIND = "hdbscan"
_MOST_KEPT = 1000
_FEWEST_OF_A_CLUSTER = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class FittedDensity(ScoringModel):
    """Rows of the clusters, and how far each cluster reaches.

    Attributes:
        points: The kept rows, shape (points, features).
        clusters: The cluster of each, shape (points,); the largest cluster is number 0.
        reach: How far from a kept row a row of each cluster may be, shape (clusters,).
    """

    kind: ClassVar[str] = _KIND
    task: Task = "clustering"
    points: NDArray[np.float64]
    clusters: NDArray[np.int64]
    reach: NDArray[np.float64]

    @property
    def features(self) -> int:
        """How many columns it was fitted on."""
        return int(self.points.shape[1])

    def answer(self, X: Matrix) -> Matrix:
        """Give the cluster of the nearest kept row, or -1, and how far that row is."""
        place, distance = nearest(X, self.points)
        cluster = self.clusters[place]
        return np.column_stack([np.where(distance <= self.reach[cluster], cluster, -1), distance]).astype(np.float64)

    def dump(self) -> dict[str, bytes]:
        """Write the kept rows."""
        return dump_files(_KIND, {"points": self.points, "clusters": self.clusters, "reach": self.reach})


def fit_density(X: Matrix, parameters: Mapping[str, Scalar], options: FitOptions) -> FittedDensity:
    """Cut the hierarchy of densities where clusters last longest.

    Raises:
        DataError: There is no cluster.
    """
    from sklearn.cluster import HDBSCAN

    size = int(parameters["min_cluster_size"])  # type: ignore[arg-type]
    neighbours = int(parameters["min_samples"])  # type: ignore[arg-type]
    check_rows_to_group(X, kind=_KIND, fewest=max(size, neighbours))
    estimator = HDBSCAN(
        min_cluster_size=size,
        min_samples=neighbours,
        cluster_selection_method=parameters["cluster_selection_method"],
        n_jobs=options.threads,
        copy=True,
    )
    with limited_threads(1):
        labels = estimator.fit(np.ascontiguousarray(X)).labels_.astype(np.int64)
    count = int(labels.max(initial=-1)) + 1
    if count == 0:
        headline = f"{_KIND} finds no cluster of {size} rows: every row is noise to it"
        raise DataError(
            [Diagnostic(code="one-cluster", headline=headline, help="lower min_cluster_size, or min_samples")]
        )
    order = by_size(labels, np.array([X[labels == item].mean(axis=0) for item in range(count)]))
    rows = [np.flatnonzero(labels == item) for item in order]
    kept = [_some(members, len(members) / sum(map(len, rows))) for members in rows]
    return FittedDensity(
        points=np.ascontiguousarray(np.concatenate([X[places] for places in kept])),
        clusters=np.repeat(np.arange(count), [len(places) for places in kept]),
        reach=np.array([_reach(X[members], X[places]) for members, places in zip(rows, kept, strict=True)]),
    )


def _some(members: NDArray[np.intp], share: float) -> NDArray[np.intp]:
    """Keep some rows of a cluster, evenly taken in their order."""
    most = max(_FEWEST_OF_A_CLUSTER, int(_MOST_KEPT * share))
    return members[np.unique(np.linspace(0, len(members) - 1, min(most, len(members))).round().astype(np.intp))]


def _reach(members: Matrix, kept: Matrix) -> float:
    """Find how far a row of a cluster is at most from the nearest kept one, other than itself."""
    furthest = 0.0
    for start in range(0, len(members), _MOST_KEPT):
        squared = squared_distances(members[start : start + _MOST_KEPT], kept)
        squared[squared == 0.0] = np.inf
        nearest_others = squared.min(axis=1)
        furthest = max(furthest, float(nearest_others[np.isfinite(nearest_others)].max(initial=0.0)))
    return float(np.sqrt(furthest))


def load_density(files: Mapping[str, bytes]) -> FittedDensity:
    """Read the kept rows.

    Raises:
        EngineError: The files are no such model.
    """
    dtypes: dict[str, type[np.generic]] = {"points": np.float64, "clusters": np.int64, "reach": np.float64}
    arrays, _ = load_files(_KIND, files, dtypes)
    points, clusters, reach = arrays["points"], arrays["clusters"], arrays["reach"]
    if not are_points(points) or clusters.shape != points.shape[:1] or reach.ndim != 1 or not len(reach):
        raise corrupt(_KIND, "its arrays do not fit together")
    if clusters.min() < 0 or clusters.max() >= len(reach) or not (np.isfinite(reach) & (reach >= 0)).all():
        raise corrupt(_KIND, "its rows are of no cluster")
    return FittedDensity(points=points, clusters=clusters, reach=reach)
