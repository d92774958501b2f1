"""HDBSCAN: clusters of any shape, where rows lie densely; what lies alone belongs to none."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field

from mlops_compiler.ir.domain import Choice, IntLogUniform
from mlops_compiler.models.kind import FitOptions, FittedModel, ModelKind
from mlops_compiler.models.parameters import Parameters, Tunable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlops_compiler.ir.domain import Scalar
    from mlops_compiler.models.kind import Matrix, Target


class HdbscanParameters(Parameters):
    """Clusters by density (Campello, Moulavi and Sander, 2013); give it standardized columns, and not too many.

    What to search, and from where, follows the guide of the hdbscan library (McInnes, Healy and Astels, Journal of Open
    Source Software, 2017): the smallest group that is one matters most, then how conservative a density is.
    """

    min_cluster_size: Tunable[Annotated[int, Field(ge=2, le=1_000_000)]] = IntLogUniform(low=5, high=250)
    """Fewest rows of a cluster."""
    min_samples: Tunable[Annotated[int, Field(ge=1, le=10_000)]] = IntLogUniform(low=1, high=50)
    """How many neighbours a density is estimated from: the more, the more rows belong to none."""
    cluster_selection_method: Tunable[Literal["eom", "leaf"]] = Choice(values=("eom", "leaf"))
    """Whether the clusters that last longest are taken (``eom``), or the finest (``leaf``)."""


class Hdbscan(ModelKind):
    """Rows that lie densely."""

    name = "hdbscan"
    tasks = ("clustering",)
    parameters = HdbscanParameters
    defaults: ClassVar[Mapping[str, Scalar]] = MappingProxyType(
        {"min_cluster_size": 25, "min_samples": 5, "cluster_selection_method": "eom"}
    )
    complexity = 25
    takes_weights: ClassVar[bool] = False
    seconds_per_cell = 2e-5

    def fit(
        self,
        X: Matrix,
        y: Target,  # noqa: ARG002 - there is no target
        *,
        parameters: Mapping[str, Scalar],
        options: FitOptions,
    ) -> FittedModel:
        """Find where rows lie densely."""
        from mlops_compiler.models.adapters.density import fit_density

        return fit_density(X, parameters, options)

    def load(self, files: Mapping[str, bytes]) -> FittedModel:
        """Read the rows of the clusters; needs numpy only."""
        from mlops_compiler.models.adapters.density import load_density

        return load_density(files)
