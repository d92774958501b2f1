"""The elastic net: fitted by scikit-learn's coordinate descent, on a target of standard deviation 1."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mlops_compiler.models.adapters.checks import check_training_rows
from mlops_compiler.models.adapters.convergence import converges
from mlops_compiler.models.adapters.linear import FittedElasticNet
from mlops_compiler.models.adapters.sklearn_threads import limited_threads

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlops_compiler.ir.domain import Scalar
    from mlops_compiler.models.kind import FitOptions, Matrix, Target

_MAX_ITERATIONS = 2000


def fit_elastic_net(X: Matrix, y: Target, parameters: Mapping[str, Scalar], options: FitOptions) -> FittedElasticNet:
    """Descend; weights and intercept are then put back into the unit of the target."""
    from sklearn.linear_model import ElasticNet

    kind = FittedElasticNet.kind
    check_training_rows(X, y, kind=kind, options=options)
    middle, spread = float(y.mean()), float(y.std()) or 1.0
    estimator = ElasticNet(alpha=parameters["alpha"], l1_ratio=parameters["l1_ratio"], max_iter=_MAX_ITERATIONS)
    scaled = (y - middle) / spread
    with limited_threads(1):  # with more, BLAS sums in another order
        ended = converges(lambda: estimator.fit(X, scaled, sample_weight=options.weights))
    advice = f"{kind} did not converge in {_MAX_ITERATIONS} passes: standardize the columns, or raise alpha"
    return FittedElasticNet(
        weights=np.ascontiguousarray(estimator.coef_.reshape(-1, 1) * spread, dtype=np.float64),
        intercept=np.array([float(estimator.intercept_) * spread + middle]),
        notes=() if ended else (advice,),
    )
