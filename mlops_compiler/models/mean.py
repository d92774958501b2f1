"""The baseline of a regression: every row gets the mean of the training rows; no features are looked at."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, ClassVar

from mlops_compiler.models.kind import FitOptions, FittedModel, ModelKind
from mlops_compiler.models.parameters import Parameters

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlops_compiler.ir.domain import Scalar
    from mlops_compiler.models.kind import Matrix, Target


class MeanParameters(Parameters):
    """The mean of the target, for each row the same; nothing to set."""


class Mean(ModelKind):
    """The mean."""

    name = "mean"
    tasks = ("regression",)
    parameters = MeanParameters
    defaults: ClassVar[Mapping[str, Scalar]] = MappingProxyType({})
    complexity = 0
    seconds_per_cell = 0.0
    is_baseline = True
    accepts_missing = True

    def fit(
        self,
        X: Matrix,  # noqa: ARG002 - a mean looks at no feature
        y: Target,
        *,
        parameters: Mapping[str, Scalar],  # noqa: ARG002 - and has no parameter
        options: FitOptions,
    ) -> FittedModel:
        """Average the target."""
        from mlops_compiler.models.adapters.prior import fit_mean

        return fit_mean(y, options)

    def load(self, files: Mapping[str, bytes]) -> FittedModel:
        """Read the mean."""
        from mlops_compiler.models.adapters.prior import load_mean

        return load_mean(files)
