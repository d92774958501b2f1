"""The local outlier factor: how much less dense it is around a row than around its neighbours.

The training rows are kept, with the density around each. A row's factor is added up one neighbour after the other, so
that it gets the same bits whatever rows surround it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from mlops_compiler.models.adapters.answers import ScoringModel
from mlops_compiler.models.adapters.clusters import are_points, check_rows_to_group, squared_distances
from mlops_compiler.models.adapters.files import corrupt, dump_files, load_files
from mlops_compiler.models.adapters.sklearn_threads import limited_threads

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from mlops_compiler.ir.domain import Scalar
    from mlops_compiler.ir.task import Task
    from mlops_compiler.models.kind import FitOptions, Matrix

    Vector = NDArray[np.float64]

_KIND = "local_outlier_factor"
_CELLS = 1 << 21
_SMALL = 1e-10
"""What keeps the density around equal rows finite; scikit-learn's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FittedFactor(ScoringModel):
    """Rows, and how dense it is around them.

    Attributes:
        points: The kept rows, shape (points, features).
        radius: How far the last neighbour of each is, shape (points,).
        density: The local reachability density of each, shape (points,).
        neighbours: How many neighbours count.
    """

    kind: ClassVar[str] = _KIND
    task: Task = "anomaly_detection"
    points: Matrix
    radius: Vector
    density: Vector
    neighbours: int

    @property
    def features(self) -> int:
        """How many columns it was fitted on."""
        return int(self.points.shape[1])

    def answer(self, X: Matrix) -> Matrix:
        """Give the factor as a share of itself and 1: one half for a row among its like, near 1 for one far off."""
        factors = np.empty(len(X))
        step = max(1, _CELLS // len(self.points))
        for start in range(0, len(X), step):
            factors[start : start + step] = self._factors(X[start : start + step])
        return np.column_stack([1.0 - 1.0 / (1.0 + factors)])  # of a row that is infinitely far, 1

    def _factors(self, X: Matrix) -> Vector:
        distances = np.sqrt(squared_distances(X, self.points))
        nearest = np.argpartition(distances, self.neighbours - 1, axis=1)[:, : self.neighbours]
        reached, densities, rows = np.zeros(len(X)), np.zeros(len(X)), np.arange(len(X))
        for place in nearest.T:
            reached += np.maximum(distances[rows, place], self.radius[place])
            densities += self.density[place]
        factors: Vector = densities / self.neighbours * (reached / self.neighbours + _SMALL)
        return factors

    def dump(self) -> dict[str, bytes]:
        """Write the rows."""
        arrays = {"points": self.points, "radius": self.radius, "density": self.density}
        return dump_files(_KIND, {**arrays, "neighbours": np.array([self.neighbours])})


def fit_factor(X: Matrix, parameters: Mapping[str, Scalar], options: FitOptions) -> FittedFactor:
    """Find the neighbours of each row; of more rows than `max_rows`, of some that are drawn."""
    from sklearn.neighbors import NearestNeighbors

    neighbours, most = int(parameters["n_neighbors"]), int(parameters["max_rows"])  # type: ignore[arg-type]
    check_rows_to_group(X, kind=_KIND, fewest=neighbours + 1)
    if len(X) > most:
        X = X[np.sort(np.random.default_rng(options.seed).permutation(len(X))[:most])]
    points = np.ascontiguousarray(X)
    with limited_threads(1):
        finder = NearestNeighbors(n_neighbors=neighbours, algorithm="kd_tree", n_jobs=options.threads).fit(points)
        distances, places = finder.kneighbors()
    radius = np.ascontiguousarray(distances[:, -1])
    density = 1.0 / (np.maximum(distances, radius[places]).mean(axis=1) + _SMALL)
    return FittedFactor(points=points, radius=radius, density=density, neighbours=neighbours)


def load_factor(files: Mapping[str, bytes]) -> FittedFactor:
    """Read the rows.

    Raises:
        EngineError: The files are no such model.
    """
    dtypes: dict[str, type[np.generic]] = dict.fromkeys(("points", "radius", "density"), np.float64)
    arrays, _ = load_files(_KIND, files, {**dtypes, "neighbours": np.int64})
    points, radius, density, count = (arrays[name] for name in ("points", "radius", "density", "neighbours"))
    if not are_points(points) or radius.shape != points.shape[:1] or density.shape != points.shape[:1]:
        raise corrupt(_KIND, "its arrays do not fit together")
    if count.shape != (1,) or not 1 <= count[0] <= len(points):
        raise corrupt(_KIND, "it has no number of neighbours")
    if not (np.isfinite(radius) & (radius >= 0) & np.isfinite(density) & (density > 0)).all():
        raise corrupt(_KIND, "its densities are none")
    return FittedFactor(points=points, radius=radius, density=density, neighbours=int(count[0]))
