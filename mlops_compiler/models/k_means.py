"""K-means: clusters around centres, each row with the nearest; the first clustering to try."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field

from mlops_compiler.ir.domain import IntUniform
from mlops_compiler.models.kind import FitOptions, FittedModel, ModelKind
from mlops_compiler.models.parameters import Parameters, Tunable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlops_compiler.ir.domain import Scalar
    from mlops_compiler.models.kind import Matrix, Target


class KMeansParameters(Parameters):
    """Centres with the least squared distances to their rows; give it standardized columns.

    The range of the number of clusters is that of NbClust (Charrad et al., Journal of Statistical Software 61(6),
    2014), which compares thirty indices over 2 to 15. Starts are chosen by k-means++ (Arthur and Vassilvitskii, 2007).
    """

    n_clusters: Tunable[Annotated[int, Field(ge=2, le=1000)]] = IntUniform(low=2, high=15)
    """How many clusters."""
    n_init: Tunable[Annotated[int, Field(ge=1, le=1000)]] = 10
    """From how many starts; the best is kept."""


class KMeans(ModelKind):
    """Rows around centres."""

    name = "k_means"
    tasks = ("clustering",)
    parameters = KMeansParameters
    defaults: ClassVar[Mapping[str, Scalar]] = MappingProxyType({"n_clusters": 4, "n_init": 10})
    complexity = 15
    seconds_per_cell = 3e-6

    def fit(
        self,
        X: Matrix,
        y: Target,  # noqa: ARG002 - there is no target
        *,
        parameters: Mapping[str, Scalar],
        options: FitOptions,
    ) -> FittedModel:
        """Move the centres until they stay."""
        from mlops_compiler.models.adapters.k_means import fit_k_means

        return fit_k_means(X, parameters, options)

    def load(self, files: Mapping[str, bytes]) -> FittedModel:
        """Read the centres; needs numpy only."""
        from mlops_compiler.models.adapters.k_means import load_k_means

        return load_k_means(files)
