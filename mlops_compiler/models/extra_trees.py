"""Extremely randomised trees: as a forest, with thresholds that are drawn."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field

from mlops_compiler.ir.domain import IntLogUniform, Uniform
from mlops_compiler.ir.task import TASKS
from mlops_compiler.models.kind import FitOptions, FittedModel, ModelKind
from mlops_compiler.models.parameters import Parameters, Tunable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlops_compiler.ir.domain import Scalar
    from mlops_compiler.models.kind import Explanation, Matrix, Target


class ExtraTreesParameters(Parameters):
    """A forest whose trees see all rows and draw their thresholds: smoother than a random forest, and faster to grow.

    Geurts, Ernst and Wehenkel, "Extremely randomized trees" (2006, 3.2): the columns tried at a split matter most, then
    the size of the leaves. The ranges are those of auto-sklearn (Feurer et al., "Auto-sklearn 2.0", 2022: rows in a
    leaf 1 to 20, every share of the columns), with larger leaves, because their frequencies are the answer.
    """

    n_estimators: Tunable[Annotated[int, Field(ge=1, le=10_000)]] = 200
    """How many trees."""
    max_features: Tunable[Literal["sqrt", "log2"] | Annotated[float, Field(gt=0, le=1)]] = Uniform(low=0.1, high=1.0)
    """The share of the columns that a split may choose from."""
    min_samples_leaf: Tunable[Annotated[int, Field(ge=1)]] = IntLogUniform(low=1, high=32)
    """Fewest rows in a leaf."""
    max_depth: Tunable[Annotated[int, Field(ge=1)] | None] = None
    """Most splits from the root to a leaf; none by default, the size of the leaves limits the trees."""


class ExtraTrees(ModelKind):
    """Averaged trees of drawn thresholds."""

    name = "extra_trees"
    tasks = TASKS
    parameters = ExtraTreesParameters
    defaults: ClassVar[Mapping[str, Scalar]] = MappingProxyType(
        {"n_estimators": 200, "max_features": 0.5, "min_samples_leaf": 5, "max_depth": None}
    )
    complexity = 30
    accepts_missing = True
    takes_monotone = True
    explains: ClassVar[frozenset[Explanation]] = frozenset({"tree_shap"})
    seconds_per_cell = 1e-5

    def fit(self, X: Matrix, y: Target, *, parameters: Mapping[str, Scalar], options: FitOptions) -> FittedModel:
        """Grow the trees, `options.threads` at a time."""
        from mlops_compiler.models.adapters.forest import fit_extra_trees

        return fit_extra_trees(X, y, parameters, options)

    def load(self, files: Mapping[str, bytes]) -> FittedModel:
        """Read the trees."""
        from mlops_compiler.models.adapters.forest import FittedExtraTrees, load_forest

        return load_forest(files, FittedExtraTrees)
