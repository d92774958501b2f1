"""K-means: fitted by scikit-learn, scored by numpy."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from mlops_compiler.models.adapters.answers import ScoringModel
from mlops_compiler.models.adapters.clusters import are_points, by_size, check_rows_to_group, nearest
from mlops_compiler.models.adapters.files import corrupt, dump_files, load_files
from mlops_compiler.models.adapters.sklearn_threads import limited_threads

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlops_compiler.ir.domain import Scalar
    from mlops_compiler.ir.task import Task
    from mlops_compiler.models.kind import FitOptions, Matrix

_KIND = "k_means"
_MAX_ITERATIONS = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class FittedKMeans(ScoringModel):
    """Centres, shape (clusters, features); that of the largest cluster first."""

    kind: ClassVar[str] = _KIND
    task: Task = "clustering"
    centers: Matrix
    notes: tuple[str, ...] = ()

    @property
    def features(self) -> int:
        """How many columns it was fitted on."""
        return int(self.centers.shape[1])

    def answer(self, X: Matrix) -> Matrix:
        """Give the nearest centre and how far it is."""
        return np.column_stack(nearest(X, self.centers)).astype(np.float64)

    def dump(self) -> dict[str, bytes]:
        """Write the centres."""
        return dump_files(_KIND, {"centers": self.centers})


def fit_k_means(X: Matrix, parameters: Mapping[str, Scalar], options: FitOptions) -> FittedKMeans:
    """Move the centres (Lloyd) until they stay, from several starts; the start with the least squares is kept.

    One thread only: with more, the sums over rows are added up in another order.
    """
    from sklearn.cluster import KMeans
    from sklearn.exceptions import ConvergenceWarning

    clusters = int(parameters["n_clusters"])  # type: ignore[arg-type]
    check_rows_to_group(X, kind=_KIND, fewest=clusters)
    estimator = KMeans(
        n_clusters=clusters,
        n_init=parameters["n_init"],
        max_iter=_MAX_ITERATIONS,
        random_state=options.seed,
        algorithm="lloyd",
    )
    with warnings.catch_warnings(record=True) as caught, limited_threads(1):
        warnings.simplefilter("always", ConvergenceWarning)
        estimator.fit(np.ascontiguousarray(X), sample_weight=options.weights)
    found = np.asarray(estimator.cluster_centers_, dtype=np.float64)
    order = by_size(estimator.labels_.astype(np.int64), found)
    notes = tuple(f"{_KIND}: {item.message}" for item in caught)
    return FittedKMeans(centers=np.ascontiguousarray(found[order]), notes=notes)


def load_k_means(files: Mapping[str, bytes]) -> FittedKMeans:
    """Read the centres.

    Raises:
        EngineError: The files are no such model.
    """
    arrays, _ = load_files(_KIND, files, {"centers": np.float64})
    if not are_points(arrays["centers"]):
        raise corrupt(_KIND, "its centres are no finite points")
    return FittedKMeans(centers=arrays["centers"])
