"""A mixture of Gaussians: clusters that may be long, tilted and of different size, each row with a probability."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field

from mlops_compiler.ir.domain import Choice, IntUniform, LogUniform
from mlops_compiler.models.kind import FitOptions, FittedModel, ModelKind
from mlops_compiler.models.parameters import Parameters, Tunable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlops_compiler.ir.domain import Scalar
    from mlops_compiler.models.kind import Matrix, Target


class GaussianMixtureParameters(Parameters):
    """Gaussians fitted by expectation-maximisation; give it standardized columns.

    The number of components and the families of covariances are those that mclust compares (Fraley and Raftery, JASA
    97, 2002): up to 9, from spheres to ellipsoids of any direction.
    """

    n_components: Tunable[Annotated[int, Field(ge=2, le=200)]] = IntUniform(low=2, high=9)
    """How many Gaussians."""
    covariance_type: Tunable[Literal["full", "tied", "diag", "spherical"]] = Choice(
        values=("full", "tied", "diag", "spherical")
    )
    """The shape of each: any ellipsoid, the same one for all, along the axes, or a sphere."""
    reg_covar: Tunable[Annotated[float, Field(gt=0, le=100)]] = LogUniform(low=1e-6, high=1e-1)
    """What is added to each variance, so that none falls to nothing."""


class GaussianMixture(ModelKind):
    """Rows of several Gaussians."""

    name = "gaussian_mixture"
    tasks = ("clustering",)
    parameters = GaussianMixtureParameters
    defaults: ClassVar[Mapping[str, Scalar]] = MappingProxyType(
        {"n_components": 4, "covariance_type": "diag", "reg_covar": 1e-3}
    )
    complexity = 20
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
        """Maximise the likelihood."""
        from mlops_compiler.models.adapters.mixture import fit_mixture

        return fit_mixture(X, parameters, options)

    def load(self, files: Mapping[str, bytes]) -> FittedModel:
        """Read the Gaussians; needs numpy only."""
        from mlops_compiler.models.adapters.mixture import load_mixture

        return load_mixture(files)
