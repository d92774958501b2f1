"""XGBoost as a kind of model: what a recipe may say of it. What computes is imported once it is used."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field

from mlops_compiler.ir.domain import Choice, IntUniform, LogUniform, Uniform
from mlops_compiler.ir.task import TASKS
from mlops_compiler.models.kind import FitOptions, FittedModel, ModelKind
from mlops_compiler.models.parameters import Parameters, Tunable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlops_compiler.ir.domain import Domain, Scalar
    from mlops_compiler.models.kind import Explanation, Matrix, Target

__all__ = ["XGBOOST"]


class XgBoostParameters(Parameters):
    """Gradient boosting by XGBoost: trees grow level by level, on binned columns.

    The ranges are those of Grinsztajn, Oyallon and Varoquaux, "Why do tree-based models still outperform deep learning
    on typical tabular data?" (2022, table 4: depth 1 to 11, learning rate 1e-5 to 0.7, weight of a leaf 1 to 100,
    shares of rows and columns 0.5 to 1, L2 penalty 1 to 4), less the ends that a search of some trials cannot afford;
    their L1 penalty and least gain start at nothing, and stay there unless a recipe says otherwise.
    """

    n_estimators: Tunable[Annotated[int, Field(ge=1, le=100_000)]] = 500
    """Most rounds; each adds a tree for each output."""
    learning_rate: Tunable[Annotated[float, Field(gt=0, le=1)]] = LogUniform(low=0.01, high=0.3)
    """How much of each tree is added."""
    max_depth: Tunable[Annotated[int, Field(ge=1, le=32)]] = IntUniform(low=2, high=10)
    """Most splits from the root to a leaf."""
    min_child_weight: Tunable[Annotated[float, Field(ge=0, le=1e10)]] = LogUniform(low=1.0, high=100.0)
    """Least weight of a leaf, in second derivatives of the loss: rows, for a regression."""
    subsample: Tunable[Annotated[float, Field(gt=0, le=1)]] = Uniform(low=0.5, high=1.0)
    """The share of the rows that a tree learns from."""
    colsample_bytree: Tunable[Annotated[float, Field(gt=0, le=1)]] = Uniform(low=0.5, high=1.0)
    """The share of the columns that a tree may choose from."""
    reg_alpha: Tunable[Annotated[float, Field(ge=0, le=1e10)]] = 0.0
    """An L1 penalty on the leaves' values."""
    reg_lambda: Tunable[Annotated[float, Field(ge=0, le=1e10)]] = LogUniform(low=1.0, high=4.0)
    """An L2 penalty on the leaves' values."""
    gamma: Tunable[Annotated[float, Field(ge=0, le=1e10)]] = 0.0
    """Least gain for which a leaf is split."""
    max_cat_to_onehot: Tunable[Annotated[int, Field(ge=1)]] = Choice(values=(1, 255))
    """Categories of fewer levels are split one level against all others, and those of more by sets of levels: those say
    more, and learn more by heart."""
    loss: Tunable[Literal["squared_error", "poisson", "gamma"]] = "squared_error"
    """What a regression makes small: squares of errors, or the deviance of Poisson's or the gamma distribution, which
    counts an error beside the size of the value. ``poisson`` is for targets that are never negative, ``gamma`` for
    those above 0."""
    early_stopping_rounds: Tunable[Annotated[int, Field(ge=1)] | None] = 30
    """Hold a tenth of the training rows back, and stop when so many rounds did not lower their loss; null does not. The
    model that is released learns from them too in the end, for as many more rounds."""


class XgBoost(ModelKind):
    """Boosted trees, level by level."""

    name = "xgboost"
    tasks = TASKS
    parameters = XgBoostParameters
    defaults: ClassVar[Mapping[str, Scalar]] = MappingProxyType(
        {
            "n_estimators": 500,
            "learning_rate": 0.08,
            "max_depth": 6,
            "min_child_weight": 3.0,
            "subsample": 0.8,
            "colsample_bytree": 0.8,
            "reg_alpha": 0.0,
            "reg_lambda": 1.0,
            "gamma": 0.0,
            "max_cat_to_onehot": 255,
            "loss": "squared_error",
            "early_stopping_rounds": 30,
        }
    )
    portfolio: ClassVar[tuple[Mapping[str, Scalar], ...]] = (
        {"learning_rate": 0.05, "max_depth": 3, "min_child_weight": 5.0, "subsample": 0.8, "colsample_bytree": 0.6},
        {"learning_rate": 0.05, "max_depth": 5, "colsample_bytree": 0.7, "max_cat_to_onehot": 1},
        {"learning_rate": 0.05, "max_depth": 9, "min_child_weight": 1.0, "subsample": 0.9, "colsample_bytree": 0.9},
    )
    complexity = 40
    version = 2
    accepts_missing = True
    takes_categories = True
    of_categories: ClassVar[frozenset[str]] = frozenset({"max_cat_to_onehot"})
    of_values: ClassVar[frozenset[str]] = frozenset({"loss"})
    takes_monotone = True
    explains: ClassVar[frozenset[Explanation]] = frozenset({"tree_shap"})
    seconds_per_cell = 2e-6

    def unreached(self, parameters: Mapping[str, Scalar | Domain]) -> dict[str, str]:
        """Find a patience that the last round comes before."""
        rounds, patience = parameters["n_estimators"], parameters["early_stopping_rounds"]
        if isinstance(rounds, int) and isinstance(patience, int) and patience >= rounds:
            return {"early_stopping_rounds": f"boosting ends after `n_estimators: {rounds}` rounds"}
        return {}

    def fit(self, X: Matrix, y: Target, *, parameters: Mapping[str, Scalar], options: FitOptions) -> FittedModel:
        """Boost until the loss of the rows held back stops falling."""
        from mlops_compile_xgboost.training import fit_xgboost

        return fit_xgboost(X, y, parameters, options)

    def load(self, files: Mapping[str, bytes]) -> FittedModel:
        """Read the trees from XGBoost's own JSON; needs numpy only."""
        from mlops_compile_xgboost.model import load_xgboost

        return load_xgboost(files)


XGBOOST = XgBoost()
"""What the entry point `mlops_compile.models` names."""
