"""Logistic regression with a penalty: the first model to try, and often the last one needed."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field

from mlops_compiler.ir.domain import LogUniform
from mlops_compiler.models.kind import FitOptions, FittedModel, ModelKind
from mlops_compiler.models.parameters import Parameters, Tunable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlops_compiler.ir.domain import Scalar
    from mlops_compiler.models.kind import Explanation, Matrix, Target


class LogisticRegressionParameters(Parameters):
    """Penalised logistic regression; give it standardized columns.

    The range of ``C`` is that of scikit-learn's ``LogisticRegressionCV``, 1e-4 to 1e4, less its last decade:
    there the penalty no longer matters, and the solver takes its time.
    """

    C: Tunable[Annotated[float, Field(gt=0, le=1e10)]] = LogUniform(low=1e-4, high=1e3)
    """Inverse strength of the penalty: smaller is simpler."""
    l1_ratio: Tunable[Annotated[float, Field(ge=0, le=1)]] = 0.0
    """The share of an L1 penalty, under which some weights become zero: 1 is the lasso, between is the elastic net.
    Above 0 the fit takes longer."""
    class_weight: Tunable[Literal["balanced"] | None] = None
    """``balanced`` weighs each row by the inverse frequency of its class; probabilities are then no
    longer calibrated."""


class LogisticRegression(ModelKind):
    """Linear log-odds."""

    name = "logistic_regression"
    tasks = ("binary_classification", "multiclass_classification")
    parameters = LogisticRegressionParameters
    defaults: ClassVar[Mapping[str, Scalar]] = MappingProxyType({"C": 1.0, "l1_ratio": 0.0, "class_weight": None})
    complexity = 10
    explains: ClassVar[frozenset[Explanation]] = frozenset({"coefficients"})
    seconds_per_cell = 1.5e-7

    def fit(self, X: Matrix, y: Target, *, parameters: Mapping[str, Scalar], options: FitOptions) -> FittedModel:
        """Minimise the penalised log loss."""
        from mlops_compiler.models.adapters.logistic import fit_logistic

        return fit_logistic(X, y, parameters, options)

    def load(self, files: Mapping[str, bytes]) -> FittedModel:
        """Read the coefficients; needs numpy only."""
        from mlops_compiler.models.adapters.logistic import load_logistic

        return load_logistic(files)
