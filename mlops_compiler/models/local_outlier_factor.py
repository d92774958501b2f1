"""The local outlier factor: a row is odd where it is less dense around it than around its neighbours."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field

from mlops_compiler.ir.domain import IntLogUniform
from mlops_compiler.models.kind import FitOptions, FittedModel, ModelKind
from mlops_compiler.models.parameters import Parameters, Tunable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlops_compiler.ir.domain import Scalar
    from mlops_compiler.models.kind import Matrix, Target


class LocalOutlierFactorParameters(Parameters):
    """Densities compared with those of neighbours; give it standardized columns.

    The range of the number of neighbours is that which Breunig, Kriegel, Ng and Sander ("LOF", 2000) reason for: fewer
    than 10 fluctuate, and 50 was their upper end.
    """

    n_neighbors: Tunable[Annotated[int, Field(ge=1, le=10_000)]] = IntLogUniform(low=10, high=50)
    """How many neighbours count."""
    max_rows: Tunable[Annotated[int, Field(ge=2, le=1_000_000)]] = 5000
    """Most rows that are kept to compare with; of more, that many are drawn."""


class LocalOutlierFactor(ModelKind):
    """Densities beside those of neighbours."""

    name = "local_outlier_factor"
    tasks = ("anomaly_detection",)
    parameters = LocalOutlierFactorParameters
    defaults: ClassVar[Mapping[str, Scalar]] = MappingProxyType({"n_neighbors": 20, "max_rows": 5000})
    complexity = 25
    takes_weights: ClassVar[bool] = False
    seconds_per_cell = 1e-5

    def fit(
        self,
        X: Matrix,
        y: Target,  # noqa: ARG002 - a target only judges
        *,
        parameters: Mapping[str, Scalar],
        options: FitOptions,
    ) -> FittedModel:
        """Find the neighbours of each row."""
        from mlops_compiler.models.adapters.outlier_factor import fit_factor

        return fit_factor(X, parameters, options)

    def load(self, files: Mapping[str, bytes]) -> FittedModel:
        """Read the rows; needs numpy only."""
        from mlops_compiler.models.adapters.outlier_factor import load_factor

        return load_factor(files)
