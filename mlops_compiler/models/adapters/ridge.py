"""Ridge regression: fitted by scikit-learn."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mlops_compiler.models.adapters.checks import check_training_rows
from mlops_compiler.models.adapters.linear import FittedRidge
from mlops_compiler.models.adapters.sklearn_threads import limited_threads

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlops_compiler.ir.domain import Scalar
    from mlops_compiler.models.kind import FitOptions, Matrix, Target


def fit_ridge(X: Matrix, y: Target, parameters: Mapping[str, Scalar], options: FitOptions) -> FittedRidge:
    """Solve the normal equations by Cholesky; where they are singular, by the decomposition that scikit-learn takes.

    BLAS keeps to one thread: with more, it sums in another order, and the model would depend on their number.
    """
    from sklearn.linear_model import Ridge

    check_training_rows(X, y, kind=FittedRidge.kind, options=options)
    estimator = Ridge(alpha=parameters["alpha"], solver="cholesky")
    with limited_threads(1):
        estimator.fit(X, y, sample_weight=options.weights)
    weights = np.ascontiguousarray(estimator.coef_.reshape(-1, 1), dtype=np.float64)
    return FittedRidge(weights=weights, intercept=np.array([float(estimator.intercept_)]))
