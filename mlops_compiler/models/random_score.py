"""The baseline of anomaly detection: every row gets a score at random; what rows are like is not looked at."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, ClassVar

from mlops_compiler.models.kind import FitOptions, FittedModel, ModelKind
from mlops_compiler.models.parameters import Parameters

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlops_compiler.ir.domain import Scalar
    from mlops_compiler.models.kind import Matrix, Target


class RandomScoreParameters(Parameters):
    """A score at random for every row, the same one for the same row; nothing to set."""


class RandomScore(ModelKind):
    """Scores at random."""

    name = "random_score"
    tasks = ("anomaly_detection",)
    parameters = RandomScoreParameters
    defaults: ClassVar[Mapping[str, Scalar]] = MappingProxyType({})
    complexity = 0
    seconds_per_cell = 0.0
    is_baseline = True
    accepts_missing = True

    def fit(
        self,
        X: Matrix,  # noqa: ARG002 - what rows are like is not looked at
        y: Target,  # noqa: ARG002 - and a target only judges
        *,
        parameters: Mapping[str, Scalar],  # noqa: ARG002 - there is nothing to set
        options: FitOptions,
    ) -> FittedModel:
        """Take the seed."""
        from mlops_compiler.models.adapters.random_partition import fit_random_score

        return fit_random_score(options)

    def load(self, files: Mapping[str, bytes]) -> FittedModel:
        """Read the seed."""
        from mlops_compiler.models.adapters.random_partition import load_random_score

        return load_random_score(files)
