"""Linear least squares with both penalties: weights shrink, and some become zero."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field

from mlops_compiler.ir.domain import LogUniform, Uniform
from mlops_compiler.models.kind import FitOptions, FittedModel, ModelKind
from mlops_compiler.models.parameters import Parameters, Tunable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlops_compiler.ir.domain import Scalar
    from mlops_compiler.models.kind import Explanation, Matrix, Target


class ElasticNetParameters(Parameters):
    """Least squares with an L1 and an L2 penalty; give it standardized columns.

    The target is scaled to a standard deviation of 1 for the fit. Of standardized columns ``alpha`` of 1 then leaves no
    weight at all under an L1 penalty, and four decades down it is the path of glmnet (Friedman, Hastie and Tibshirani,
    "Regularization Paths for Generalized Linear Models via Coordinate Descent", 2010, 2.5).
    """

    alpha: Tunable[Annotated[float, Field(gt=0, le=1e10)]] = LogUniform(low=1e-4, high=1.0)
    """Strength of both penalties, for a target of standard deviation 1: larger is simpler."""
    l1_ratio: Tunable[Annotated[float, Field(ge=0, le=1)]] = Uniform(low=0.05, high=1.0)
    """The share of the L1 penalty: 1 is the lasso, and 0 ridge."""


class ElasticNet(ModelKind):
    """A sparse linear model of the value."""

    name = "elastic_net"
    tasks = ("regression",)
    parameters = ElasticNetParameters
    defaults: ClassVar[Mapping[str, Scalar]] = MappingProxyType({"alpha": 1e-3, "l1_ratio": 0.5})
    complexity = 10
    explains: ClassVar[frozenset[Explanation]] = frozenset({"coefficients"})
    seconds_per_cell = 2e-7

    def fit(self, X: Matrix, y: Target, *, parameters: Mapping[str, Scalar], options: FitOptions) -> FittedModel:
        """Descend, one weight after the other."""
        from mlops_compiler.models.adapters.elastic_net import fit_elastic_net

        return fit_elastic_net(X, y, parameters, options)

    def load(self, files: Mapping[str, bytes]) -> FittedModel:
        """Read the coefficients; needs numpy only."""
        from mlops_compiler.models.adapters.linear import FittedElasticNet, load_linear

        return load_linear(files, FittedElasticNet)
