"""Ridge regression: fitted by scikit-learn, scored by numpy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from mlops_compiler.models.adapters.answers import ScoringModel, affine, answers_task
from mlops_compiler.models.adapters.checks import check_training_rows
from mlops_compiler.models.adapters.files import corrupt, dump_files, load_files
from mlops_compiler.models.adapters.sklearn_threads import limited_threads

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from mlops_compiler.ir.domain import Scalar
    from mlops_compiler.ir.task import Task
    from mlops_compiler.models.kind import FitOptions, Matrix, Target

_KIND = "ridge"


@dataclass(frozen=True, slots=True, kw_only=True)
class FittedRidge(ScoringModel):
    """Weights, shape (features, 1), and an intercept, shape (1,)."""

    kind: ClassVar[str] = _KIND
    task: Task = "regression"
    weights: NDArray[np.float64]
    intercept: NDArray[np.float64]

    @property
    def features(self) -> int:
        """How many columns it was fitted on."""
        return len(self.weights)

    def answer(self, X: Matrix) -> Matrix:
        """Add up what the features weigh."""
        return affine(X, self.weights, self.intercept)

    def dump(self) -> dict[str, bytes]:
        """Write weights and intercept."""
        return dump_files(_KIND, {"weights": self.weights, "intercept": self.intercept})


def fit_ridge(X: Matrix, y: Target, parameters: Mapping[str, Scalar], options: FitOptions) -> FittedRidge:
    """Solve the normal equations by Cholesky; where they are singular, by the decomposition that scikit-learn takes.

    BLAS keeps to one thread: with more, it sums in another order, and the model would depend on their number.
    """
    from sklearn.linear_model import Ridge

    check_training_rows(X, y, kind=_KIND, options=options)
    estimator = Ridge(alpha=parameters["alpha"], solver="cholesky")
    with limited_threads(1):
        estimator.fit(X, y, sample_weight=options.weights)
    weights = np.ascontiguousarray(estimator.coef_.reshape(-1, 1), dtype=np.float64)
    return FittedRidge(weights=weights, intercept=np.array([float(estimator.intercept_)]))


def load_ridge(files: Mapping[str, bytes]) -> FittedRidge:
    """Read weights and intercept.

    Raises:
        EngineError: The files are no such model.
    """
    arrays, _ = load_files(_KIND, files, {"weights": np.float64, "intercept": np.float64})
    weights, intercept = arrays["weights"], arrays["intercept"]
    if not answers_task("regression", weights, intercept):
        raise corrupt(_KIND, "its weights have the wrong shape")
    if not (np.isfinite(weights).all() and np.isfinite(intercept).all()):
        raise corrupt(_KIND, "its weights are not all finite")
    return FittedRidge(weights=weights, intercept=intercept)
