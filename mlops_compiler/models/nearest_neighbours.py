"""Nearest neighbours: a row is answered by the training rows that are most like it."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field

from mlops_compiler.ir.domain import Choice, IntLogUniform
from mlops_compiler.ir.task import TASKS
from mlops_compiler.models.kind import FitOptions, FittedModel, ModelKind
from mlops_compiler.models.parameters import Parameters, Tunable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlops_compiler.ir.domain import Scalar
    from mlops_compiler.models.kind import Matrix, Target


class NearestNeighboursParameters(Parameters):
    """The classes or the mean of the nearest rows, by Euclidean distance; give it standardized columns.

    The ranges are those of auto-sklearn (Feurer et al., "Auto-sklearn 2.0", 2022: 1 to 100 neighbours, each magnitude
    as likely; alike or by distance).
    """

    n_neighbors: Tunable[Annotated[int, Field(ge=1, le=10_000)]] = IntLogUniform(low=1, high=100)
    """How many rows answer."""
    weights: Tunable[Literal["uniform", "distance"]] = Choice(values=("uniform", "distance"))
    """Whether they count alike, or each by the inverse of its distance."""
    max_rows: Tunable[Annotated[int, Field(ge=2, le=10_000_000)]] = 50_000
    """Most rows that are kept to compare with: of more a sample is drawn, in which each class has its share."""


class NearestNeighbours(ModelKind):
    """The nearest rows."""

    name = "nearest_neighbours"
    tasks = TASKS
    parameters = NearestNeighboursParameters
    defaults: ClassVar[Mapping[str, Scalar]] = MappingProxyType(
        {"n_neighbors": 15, "weights": "distance", "max_rows": 50_000}
    )
    complexity = 20
    seconds_per_cell = 2e-6

    def fit(self, X: Matrix, y: Target, *, parameters: Mapping[str, Scalar], options: FitOptions) -> FittedModel:
        """Keep the rows."""
        from mlops_compiler.models.adapters.neighbours import fit_neighbours

        return fit_neighbours(X, y, parameters, options)

    def load(self, files: Mapping[str, bytes]) -> FittedModel:
        """Read the rows; needs numpy only."""
        from mlops_compiler.models.adapters.neighbours import load_neighbours

        return load_neighbours(files)
