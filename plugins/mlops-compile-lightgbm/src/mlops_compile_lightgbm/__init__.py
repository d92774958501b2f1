"""LightGBM as a kind of model: what a recipe may say of it. What computes is imported once it is used."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field

from mlops_compiler.ir.domain import Choice, IntLogUniform, LogUniform, Uniform
from mlops_compiler.ir.task import TASKS
from mlops_compiler.models.kind import FitOptions, FittedModel, ModelKind
from mlops_compiler.models.parameters import Parameters, Tunable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlops_compiler.ir.domain import Domain, Scalar
    from mlops_compiler.models.kind import Explanation, Matrix, Target

__all__ = ["LIGHTGBM"]


class LightGbmParameters(Parameters):
    """Gradient boosting by LightGBM: leaves are split one after the other, wherever that helps most.

    What to search follows LightGBM's own guide, "Parameters Tuning" (leaves first, then rows in a leaf), and the ranges
    of Optuna's LightGBM tuner (Akiba et al., "Optuna", 2019: leaves 2 to 256, rows in a leaf 5 to 100, columns of a
    tree 0.4 to 1, penalties 1e-8 to 10), less penalties that change no digit; the learning rate is that of AutoGluon
    (Erickson et al., 2020: 0.005 to 0.2), from where trees are not many, and so is the choice of extra trees.
    """

    n_estimators: Tunable[Annotated[int, Field(ge=1, le=100_000)]] = 1000
    """Most rounds; each adds a tree for each output."""
    learning_rate: Tunable[Annotated[float, Field(gt=0, le=1)]] = LogUniform(low=0.01, high=0.2)
    """How much of each tree is added."""
    num_leaves: Tunable[Annotated[int, Field(ge=2, le=131_072)]] = IntLogUniform(low=4, high=256)
    """Most leaves in a tree."""
    min_child_samples: Tunable[Annotated[int, Field(ge=1)]] = IntLogUniform(low=5, high=100)
    """Fewest rows in a leaf."""
    colsample_bytree: Tunable[Annotated[float, Field(gt=0, le=1)]] = Uniform(low=0.4, high=1.0)
    """The share of the columns that a tree may choose from."""
    subsample: Tunable[Annotated[float, Field(gt=0, le=1)]] = 1.0
    """The share of the rows that a round learns from."""
    reg_alpha: Tunable[Annotated[float, Field(ge=0, le=1e10)]] = 0.0
    """An L1 penalty on the leaves' values."""
    reg_lambda: Tunable[Annotated[float, Field(ge=0, le=1e10)]] = LogUniform(low=1e-4, high=10.0)
    """An L2 penalty on the leaves' values."""
    extra_trees: Tunable[bool] = Choice(values=(False, True))
    """Draw one threshold for each column, in place of the best: trees that differ more, and overfit less."""
    max_cat_to_onehot: Tunable[Annotated[int, Field(ge=1)]] = Choice(values=(4, 255))
    """Categories of at most so many levels are split one level against all others, and those of more by sets of levels:
    those say more, and learn more by heart."""
    cat_smooth: Tunable[Annotated[float, Field(ge=0, le=1e10)]] = 1.0
    """How much the levels of a small count are drawn to the others before sets of them are made. LightGBM's own default
    of 10, with the two below, is for levels in large numbers: with few it splits by none of them."""
    cat_l2: Tunable[Annotated[float, Field(ge=0, le=1e10)]] = 1.0
    """An L2 penalty on the leaves that sets of levels lead to, beside `reg_lambda`."""
    min_data_per_group: Tunable[Annotated[int, Field(ge=1)]] = 10
    """Fewest rows of the levels that a set gains with each step."""
    loss: Tunable[Literal["squared_error", "poisson", "gamma"]] = "squared_error"
    """What a regression makes small: squares of errors, or the deviance of Poisson's or the gamma distribution, which
    counts an error beside the size of the value. ``poisson`` is for targets that are never negative, ``gamma`` for
    those above 0."""
    early_stopping_rounds: Tunable[Annotated[int, Field(ge=1)] | None] = 30
    """Hold a tenth of the training rows back, and stop when so many rounds did not lower their loss; null does not. The
    model that is released learns from them too in the end, for as many more rounds."""


class LightGbm(ModelKind):
    """Boosted trees, leaf by leaf."""

    name = "lightgbm"
    tasks = TASKS
    parameters = LightGbmParameters
    defaults: ClassVar[Mapping[str, Scalar]] = MappingProxyType(
        {
            "n_estimators": 1000,
            "learning_rate": 0.05,
            "num_leaves": 31,
            "min_child_samples": 20,
            "colsample_bytree": 0.8,
            "subsample": 1.0,
            "reg_alpha": 0.0,
            "reg_lambda": 1e-3,
            "extra_trees": False,
            "max_cat_to_onehot": 255,
            "cat_smooth": 1.0,
            "cat_l2": 1.0,
            "min_data_per_group": 10,
            "loss": "squared_error",
            "early_stopping_rounds": 30,
        }
    )
    portfolio: ClassVar[tuple[Mapping[str, Scalar], ...]] = (
        {"learning_rate": 0.03, "num_leaves": 8, "min_child_samples": 20, "colsample_bytree": 0.6, "reg_lambda": 1.0},
        {
            "learning_rate": 0.03,
            "num_leaves": 16,
            "min_child_samples": 10,
            "colsample_bytree": 0.6,
            "reg_lambda": 1.0,
            "max_cat_to_onehot": 4,
        },
        {
            "learning_rate": 0.05,
            "num_leaves": 12,
            "min_child_samples": 10,
            "colsample_bytree": 0.6,
            "reg_lambda": 1.0,
            "extra_trees": True,
        },
        {"learning_rate": 0.03, "num_leaves": 16, "min_child_samples": 10, "colsample_bytree": 0.7},
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
        from mlops_compile_lightgbm.training import fit_lightgbm

        return fit_lightgbm(X, y, parameters, options)

    def load(self, files: Mapping[str, bytes]) -> FittedModel:
        """Read the trees from LightGBM's own text; needs numpy only."""
        from mlops_compile_lightgbm.model import load_lightgbm

        return load_lightgbm(files)


LIGHTGBM = LightGbm()
"""What the entry point `mlops_compile.models` names."""
