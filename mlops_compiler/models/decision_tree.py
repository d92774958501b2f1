"""One tree of questions: a model that can be read."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field

from mlops_compiler.ir.domain import IntLogUniform, IntUniform
from mlops_compiler.ir.task import TASKS
from mlops_compiler.models.kind import FitOptions, FittedModel, ModelKind
from mlops_compiler.models.parameters import Parameters, Tunable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlops_compiler.ir.domain import Scalar
    from mlops_compiler.models.kind import Explanation, Matrix, Target


class DecisionTreeParameters(Parameters):
    """One tree; it can be read, and rarely scores best.

    What to search follows Mantovani et al., "Better trees: an empirical study on hyperparameter tuning of
    classification decision tree induction algorithms" (2024; depth 1 to 30, rows in a leaf 1 to 50), less depths that
    nobody reads, and with larger leaves, because their frequencies are the answer.
    """

    max_depth: Tunable[Annotated[int, Field(ge=1)] | None] = IntUniform(low=2, high=16)
    """Most splits from the root to a leaf."""
    min_samples_leaf: Tunable[Annotated[int, Field(ge=1)]] = IntLogUniform(low=2, high=128)
    """Fewest rows in a leaf."""


class DecisionTree(ModelKind):
    """A tree."""

    name = "decision_tree"
    tasks = TASKS
    parameters = DecisionTreeParameters
    defaults: ClassVar[Mapping[str, Scalar]] = MappingProxyType({"max_depth": 6, "min_samples_leaf": 20})
    complexity = 15
    accepts_missing = True
    takes_monotone = True
    explains: ClassVar[frozenset[Explanation]] = frozenset({"tree_shap"})
    seconds_per_cell = 5e-7

    def fit(self, X: Matrix, y: Target, *, parameters: Mapping[str, Scalar], options: FitOptions) -> FittedModel:
        """Split the rows where it tells the most."""
        from mlops_compiler.models.adapters.forest import fit_tree

        return fit_tree(X, y, parameters, options)

    def load(self, files: Mapping[str, bytes]) -> FittedModel:
        """Read the tree."""
        from mlops_compiler.models.adapters.forest import FittedTree, load_forest

        return load_forest(files, FittedTree)
