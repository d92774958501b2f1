"""A mixture of Gaussians: fitted by scikit-learn, scored by numpy."""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from mlops_compiler.diagnostics import Diagnostic, EngineError
from mlops_compiler.models.adapters.answers import ScoringModel, affine, softmax
from mlops_compiler.models.adapters.clusters import are_points, by_size, check_rows_to_group
from mlops_compiler.models.adapters.files import corrupt, dump_files, load_files
from mlops_compiler.models.adapters.sklearn_threads import limited_threads

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from mlops_compiler.ir.domain import Scalar
    from mlops_compiler.ir.task import Task
    from mlops_compiler.models.kind import FitOptions, Matrix

_KIND = "gaussian_mixture"
_MAX_ITERATIONS = 200
_STARTS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class FittedMixture(ScoringModel):
    """Gaussians; the one with most training rows first.

    Attributes:
        means: Their centres, shape (components, features).
        whitening: For each, what makes its rows uncorrelated with variance 1, shape (components, features, features).
        log_weights: The logarithm of each one's share, shape (components,).
    """

    kind: ClassVar[str] = _KIND
    task: Task = "clustering"
    means: NDArray[np.float64]
    whitening: NDArray[np.float64]
    log_weights: NDArray[np.float64]
    notes: tuple[str, ...] = ()

    @property
    def features(self) -> int:
        """How many columns it was fitted on."""
        return int(self.means.shape[1])

    def answer(self, X: Matrix) -> Matrix:
        """Give the most probable component, how far its centre is in its own deviations, and its probability."""
        squared = np.empty((len(X), len(self.means)))
        margins = np.empty_like(squared)
        for place, (mean, whitening) in enumerate(zip(self.means, self.whitening, strict=True)):
            squared[:, place] = _squares(X, mean, whitening)
            scale = np.log(np.diagonal(whitening)).sum() + self.log_weights[place]
            margins[:, place] = scale - 0.5 * squared[:, place] - 0.5 * self.features * math.log(2 * math.pi)
        rows, found = np.arange(len(X)), margins.argmax(axis=1)
        return np.column_stack([found, np.sqrt(squared[rows, found]), softmax(margins)[rows, found]])

    def dump(self) -> dict[str, bytes]:
        """Write the Gaussians."""
        arrays = {"means": self.means, "whitening": self.whitening, "log_weights": self.log_weights}
        return dump_files(_KIND, arrays)


def _squares(X: Matrix, mean: NDArray[np.float64], whitening: Matrix) -> NDArray[np.float64]:
    """Compute squared Mahalanobis distances, column after column; shape (rows,)."""
    with np.errstate(over="ignore", invalid="ignore"):
        white = affine(X - mean, whitening, np.zeros(len(mean)))
        total = np.zeros(len(X))
        for column in white.T:
            total += column * column
    return total


def fit_mixture(X: Matrix, parameters: Mapping[str, Scalar], options: FitOptions) -> FittedMixture:
    """Maximise the likelihood by expectation-maximisation, from three starts by k-means; one thread only.

    Raises:
        EngineError: A covariance fell together.
    """
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.mixture import GaussianMixture

    components = int(parameters["n_components"])  # type: ignore[arg-type]
    check_rows_to_group(X, kind=_KIND, fewest=components)
    estimator = GaussianMixture(
        n_components=components,
        covariance_type=parameters["covariance_type"],
        reg_covar=parameters["reg_covar"],
        n_init=_STARTS,
        max_iter=_MAX_ITERATIONS,
        random_state=options.seed,
    )
    try:
        with warnings.catch_warnings(record=True) as caught, limited_threads(1):
            warnings.simplefilter("always", ConvergenceWarning)
            labels = estimator.fit_predict(np.ascontiguousarray(X))
    except ValueError as error:  # a covariance that is no longer positive definite
        headline = f"the {_KIND} fell together: {error}"
        help_ = "raise reg_covar, take fewer components, or a simpler covariance_type"
        raise EngineError([Diagnostic(code="fit-diverged", headline=headline, help=help_)]) from error
    order = by_size(labels.astype(np.int64), estimator.means_)
    return FittedMixture(
        means=np.ascontiguousarray(estimator.means_[order]),
        whitening=np.ascontiguousarray(_whitening(estimator, X.shape[1])[order]),
        log_weights=np.ascontiguousarray(np.log(estimator.weights_[order])),
        notes=tuple(f"{_KIND}: {str(item.message).splitlines()[0]}" for item in caught),
    )


def _whitening(estimator: Any, features: int) -> NDArray[np.float64]:
    """Write every type of covariance as a matrix for each component."""
    found, count = np.asarray(estimator.precisions_cholesky_, dtype=np.float64), estimator.n_components
    match estimator.covariance_type:
        case "full":
            return found
        case "tied":
            return np.broadcast_to(found, (count, features, features)).copy()
        case "diag":
            return found[:, :, None] * np.eye(features)
        case _:
            return found[:, None, None] * np.eye(features)


def load_mixture(files: Mapping[str, bytes]) -> FittedMixture:
    """Read the Gaussians.

    Raises:
        EngineError: The files are no such model.
    """
    arrays, _ = load_files(_KIND, files, dict.fromkeys(("means", "whitening", "log_weights"), np.float64))
    means, whitening, weights = arrays["means"], arrays["whitening"], arrays["log_weights"]
    if not are_points(means) or weights.shape != means.shape[:1] or whitening.shape != (*means.shape, means.shape[1]):
        raise corrupt(_KIND, "its arrays do not fit together")
    finite = np.isfinite(whitening).all() and not np.isnan(weights).any() and (weights <= 0).all()
    if not finite or not (np.diagonal(whitening, axis1=1, axis2=2) > 0).all():
        raise corrupt(_KIND, "its numbers are those of no mixture")
    return FittedMixture(means=means, whitening=whitening, log_weights=weights)
