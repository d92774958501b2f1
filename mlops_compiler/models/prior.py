"""The baseline: every row gets the class frequencies of the training rows; no features are looked at."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, ClassVar

from mlops_compiler.models.kind import FitOptions, FittedModel, ModelKind
from mlops_compiler.models.parameters import Parameters

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlops_compiler.ir.domain import Scalar
    from mlops_compiler.models.kind import Matrix, Target


class PriorParameters(Parameters):
    """The class frequencies, for each row the same; nothing to set."""


class Prior(ModelKind):
    """Class frequencies."""

    name = "prior"
    tasks = ("binary_classification", "multiclass_classification")
    parameters = PriorParameters
    defaults: ClassVar[Mapping[str, Scalar]] = MappingProxyType({})
    complexity = 0
    version = 2
    seconds_per_cell = 0.0
    is_baseline = True
    accepts_missing = True

    def fit(
        self,
        X: Matrix,  # noqa: ARG002 - a prior looks at no feature
        y: Target,
        *,
        parameters: Mapping[str, Scalar],  # noqa: ARG002 - and has no parameter
        options: FitOptions,
    ) -> FittedModel:
        """Count the classes."""
        from mlops_compiler.models.adapters.prior import fit_prior

        return fit_prior(y, options)

    def load(self, files: Mapping[str, bytes]) -> FittedModel:
        """Read the frequencies."""
        from mlops_compiler.models.adapters.prior import load_prior

        return load_prior(files)
