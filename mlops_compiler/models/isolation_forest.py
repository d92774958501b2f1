"""An isolation forest: what few splits at random part from all other rows is odd; the first detector to try."""

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


class IsolationForestParameters(Parameters):
    """Trees that isolate rows (Liu, Ting and Zhou, "Isolation Forest", 2008).

    The paper finds that scores settle well before 100 trees, and that 256 rows a tree are enough; it shows from 64 on.
    """

    n_estimators: Tunable[Annotated[int, Field(ge=1, le=10_000)]] = 200
    """How many trees."""
    max_samples: Tunable[Annotated[int, Field(ge=2, le=1_000_000)]] = IntLogUniform(low=64, high=2048)
    """From how many rows each is grown."""


class IsolationForest(ModelKind):
    """Splits at random."""

    name = "isolation_forest"
    tasks = ("anomaly_detection",)
    parameters = IsolationForestParameters
    defaults: ClassVar[Mapping[str, Scalar]] = MappingProxyType({"n_estimators": 200, "max_samples": 256})
    complexity = 20
    seconds_per_cell = 2e-6

    def fit(
        self,
        X: Matrix,
        y: Target,  # noqa: ARG002 - a target only judges
        *,
        parameters: Mapping[str, Scalar],
        options: FitOptions,
    ) -> FittedModel:
        """Grow the trees."""
        from mlops_compiler.models.adapters.isolation import fit_isolation

        return fit_isolation(X, parameters, options)

    def load(self, files: Mapping[str, bytes]) -> FittedModel:
        """Read the trees."""
        from mlops_compiler.models.adapters.isolation import load_isolation

        return load_isolation(files)
