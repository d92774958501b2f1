"""Gradient boosting on binned columns: small trees, each correcting the ones before."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field

from mlops_compiler.ir.domain import Choice, IntLogUniform, LogUniform
from mlops_compiler.ir.task import TASKS
from mlops_compiler.models.kind import FitOptions, FittedModel, ModelKind
from mlops_compiler.models.parameters import Parameters, Tunable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlops_compiler.ir.domain import Scalar
    from mlops_compiler.models.kind import Explanation, Matrix, Target


class HistGradientBoostingParameters(Parameters):
    """Histogram gradient boosting that stops when it no longer helps.

    The ranges are those of auto-sklearn (Feurer et al., "Auto-sklearn 2.0", 2022: learning rate 0.01 to 1,
    leaves 3 to 2,047, rows in a leaf 1 to 200, L2 1e-10 to 1), less the corners that overfit or never finish
    on tables of some thousand rows, and with more L2.
    """

    learning_rate: Tunable[Annotated[float, Field(gt=0, le=1)]] = LogUniform(low=0.01, high=0.3)
    """How much of each tree is added."""
    max_leaf_nodes: Tunable[Annotated[int, Field(ge=2)]] = IntLogUniform(low=4, high=128)
    """Most leaves in a tree."""
    min_samples_leaf: Tunable[Annotated[int, Field(ge=1)]] = IntLogUniform(low=5, high=200)
    """Fewest rows in a leaf."""
    l2_regularization: Tunable[Annotated[float, Field(ge=0, le=1e10)]] = LogUniform(low=1e-6, high=100.0)
    """Shrinks the leaves' values; 0 does not."""
    max_cat_to_onehot: Tunable[Annotated[int, Field(ge=0)]] = Choice(values=(0, 254))
    """Categories of at most so many levels are split one level against all others, and those of more by sets of levels:
    those say more, and learn more by heart. As in LightGBM and XGBoost."""
    loss: Tunable[Literal["squared_error", "poisson", "gamma"]] = "squared_error"
    """What a regression makes small: squares of errors, or the deviance of Poisson's or the gamma distribution, which
    counts an error beside the size of the value. ``poisson`` is for targets that are never negative, ``gamma`` for
    those above 0."""
    max_iter: Tunable[Annotated[int, Field(ge=1, le=100_000)]] = 300
    """Most trees."""
    early_stopping: Tunable[bool] = True
    """Hold a tenth of the training rows back, and stop when ten trees did not lower their loss. The model that is
    released learns from them too in the end, for as many more rounds."""


class HistGradientBoosting(ModelKind):
    """Boosted trees."""

    name = "hist_gradient_boosting"
    tasks = TASKS
    parameters = HistGradientBoostingParameters
    defaults: ClassVar[Mapping[str, Scalar]] = MappingProxyType(
        {
            "learning_rate": 0.1,
            "max_leaf_nodes": 31,
            "min_samples_leaf": 20,
            "l2_regularization": 1e-3,
            "max_cat_to_onehot": 254,
            "loss": "squared_error",
            "max_iter": 300,
            "early_stopping": True,
        }
    )
    portfolio: ClassVar[tuple[Mapping[str, Scalar], ...]] = (
        {"learning_rate": 0.05, "max_leaf_nodes": 8, "min_samples_leaf": 20, "l2_regularization": 1.0},
        {"learning_rate": 0.05, "max_leaf_nodes": 31, "max_cat_to_onehot": 0},
        {"learning_rate": 0.05, "max_leaf_nodes": 96, "min_samples_leaf": 5},
    )
    complexity = 40
    version = 2
    explains: ClassVar[frozenset[Explanation]] = frozenset({"tree_shap"})
    seconds_per_cell = 1e-6
    accepts_missing = True
    takes_categories = True
    of_categories: ClassVar[frozenset[str]] = frozenset({"max_cat_to_onehot"})
    of_values: ClassVar[frozenset[str]] = frozenset({"loss"})
    takes_monotone = True

    def fit(self, X: Matrix, y: Target, *, parameters: Mapping[str, Scalar], options: FitOptions) -> FittedModel:
        """Boost until the loss of the rows held back stops falling."""
        from mlops_compiler.models.adapters.boosting import fit_boosting

        return fit_boosting(X, y, parameters, options)

    def spreads(self, parameters: Mapping[str, Scalar], categories: tuple[int, ...]) -> tuple[int, ...]:
        """Say which categories have few levels."""
        most: Any = parameters["max_cat_to_onehot"]
        return tuple(count if count <= most else 0 for count in categories)

    def load(self, files: Mapping[str, bytes]) -> FittedModel:
        """Read the trees."""
        from mlops_compiler.models.adapters.boosting import load_boosting

        return load_boosting(files)
