"""A random forest: many deep trees on resampled rows, averaged."""

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


class RandomForestParameters(Parameters):
    """A forest of probability trees.

    What to search follows Probst, Wright and Boulesteix, "Hyperparameters and tuning strategies for random
    forest" (2019): the columns tried at a split matter most, then the size of the leaves; trees only need to
    be many. Leaves hold more rows than in a forest that votes, because their frequencies are the answer
    (Malley et al., "Probability machines", 2012, take 10 % of the rows; ranger takes 10 rows).
    """

    n_estimators: Tunable[Annotated[int, Field(ge=1, le=10_000)]] = 200
    """How many trees."""
    max_features: Tunable[Literal["sqrt", "log2"] | Annotated[float, Field(gt=0, le=1)]] = Uniform(low=0.1, high=1.0)
    """The share of the columns that a split may choose from."""
    min_samples_leaf: Tunable[Annotated[int, Field(ge=1)]] = IntLogUniform(low=1, high=64)
    """Fewest rows in a leaf."""
    max_depth: Tunable[Annotated[int, Field(ge=1)] | None] = None
    """Most splits from the root to a leaf; none by default, the size of the leaves limits the trees."""


class RandomForest(ModelKind):
    """Averaged trees."""

    name = "random_forest"
    tasks = TASKS
    parameters = RandomForestParameters
    defaults: ClassVar[Mapping[str, Scalar]] = MappingProxyType(
        {"n_estimators": 200, "max_features": 0.3, "min_samples_leaf": 10, "max_depth": None}
    )
    complexity = 30
    version = 2
    accepts_missing = True
    takes_monotone = True
    explains: ClassVar[frozenset[Explanation]] = frozenset({"tree_shap"})
    seconds_per_cell = 3e-6

    def fit(self, X: Matrix, y: Target, *, parameters: Mapping[str, Scalar], options: FitOptions) -> FittedModel:
        """Grow the trees, `options.threads` at a time."""
        from mlops_compiler.models.adapters.forest import fit_forest

        return fit_forest(X, y, parameters, options)

    def load(self, files: Mapping[str, bytes]) -> FittedModel:
        """Read the trees."""
        from mlops_compiler.models.adapters.forest import load_forest

        return load_forest(files)
