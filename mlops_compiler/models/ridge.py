"""Ridge regression: linear least squares with an L2 penalty, the first model of a regression to try."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field

from mlops_compiler.ir.domain import LogUniform
from mlops_compiler.models.kind import FitOptions, FittedModel, ModelKind
from mlops_compiler.models.parameters import Parameters, Tunable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlops_compiler.ir.domain import Scalar
    from mlops_compiler.models.kind import Explanation, Matrix, Target


class RidgeParameters(Parameters):
    """L2-penalised least squares; give it standardized columns.

    The range of ``alpha`` reaches from none to speak of to one that leaves little but the mean: Hastie, Tibshirani and
    Friedman, The Elements of Statistical Learning (2009, 3.4.1), draw the path by its effective degrees of freedom,
    which for standardized columns fall to nothing as alpha passes the number of rows.
    """

    alpha: Tunable[Annotated[float, Field(ge=0, le=1e10)]] = LogUniform(low=1e-3, high=1e4)
    """Strength of the penalty: larger is simpler, and 0 is plain least squares."""


class Ridge(ModelKind):
    """A linear model of the value."""

    name = "ridge"
    tasks = ("regression",)
    parameters = RidgeParameters
    defaults: ClassVar[Mapping[str, Scalar]] = MappingProxyType({"alpha": 1.0})
    complexity = 10
    explains: ClassVar[frozenset[Explanation]] = frozenset({"coefficients"})
    seconds_per_cell = 5e-8

    def fit(self, X: Matrix, y: Target, *, parameters: Mapping[str, Scalar], options: FitOptions) -> FittedModel:
        """Solve the normal equations."""
        from mlops_compiler.models.adapters.ridge import fit_ridge

        return fit_ridge(X, y, parameters, options)

    def load(self, files: Mapping[str, bytes]) -> FittedModel:
        """Read the coefficients; needs numpy only."""
        from mlops_compiler.models.adapters.linear import FittedRidge, load_linear

        return load_linear(files, FittedRidge)
