"""The baseline of a clustering: every row gets a cluster at random; what rows are like is not looked at."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field

from mlops_compiler.models.kind import FitOptions, FittedModel, ModelKind
from mlops_compiler.models.parameters import Parameters, Tunable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlops_compiler.ir.domain import Scalar
    from mlops_compiler.models.kind import Matrix, Target


class RandomPartitionParameters(Parameters):
    """Clusters at random, of about as many rows each."""

    n_clusters: Tunable[Annotated[int, Field(ge=2, le=1000)]] = 4
    """How many clusters."""


class RandomPartition(ModelKind):
    """Clusters at random."""

    name = "random_partition"
    tasks = ("clustering",)
    parameters = RandomPartitionParameters
    defaults: ClassVar[Mapping[str, Scalar]] = MappingProxyType({"n_clusters": 4})
    complexity = 0
    seconds_per_cell = 0.0
    is_baseline = True
    accepts_missing = True

    def fit(
        self,
        X: Matrix,  # noqa: ARG002 - what rows are like is not looked at
        y: Target,  # noqa: ARG002 - and there is no target
        *,
        parameters: Mapping[str, Scalar],
        options: FitOptions,
    ) -> FittedModel:
        """Take the seed."""
        from mlops_compiler.models.adapters.random_partition import fit_random_partition

        return fit_random_partition(parameters, options)

    def load(self, files: Mapping[str, bytes]) -> FittedModel:
        """Read the seed."""
        from mlops_compiler.models.adapters.random_partition import load_random_partition

        return load_random_partition(files)
