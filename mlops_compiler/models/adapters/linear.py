"""Linear models of a value: weights and an intercept, whichever penalty they were fitted with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from mlops_compiler.models.adapters.answers import ScoringModel, affine, answers_task
from mlops_compiler.models.adapters.files import corrupt, dump_files, load_files
from mlops_compiler.models.form import Linear

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from mlops_compiler.ir.task import Task
    from mlops_compiler.models.kind import Matrix


@dataclass(frozen=True, slots=True, kw_only=True)
class FittedLinear(ScoringModel):
    """Weights, shape (features, 1), and an intercept, shape (1,)."""

    kind: ClassVar[str]
    task: Task = "regression"
    weights: NDArray[np.float64]
    intercept: NDArray[np.float64]
    notes: tuple[str, ...] = ()

    @property
    def features(self) -> int:
        """How many columns it was fitted on."""
        return len(self.weights)

    def answer(self, X: Matrix) -> Matrix:
        """Add up what the features weigh."""
        return affine(X, self.weights, self.intercept)

    def form(self) -> Linear:
        """Give the weights."""
        return Linear(weights=self.weights, intercept=self.intercept, scale="value")

    def dump(self) -> dict[str, bytes]:
        """Write weights and intercept."""
        return dump_files(self.kind, {"weights": self.weights, "intercept": self.intercept})


class FittedRidge(FittedLinear):
    """Weights under an L2 penalty."""

    __slots__ = ()
    kind = "ridge"


class FittedElasticNet(FittedLinear):
    """Weights under both penalties."""

    __slots__ = ()
    kind = "elastic_net"


def load_linear(files: Mapping[str, bytes], model: type[FittedLinear]) -> FittedLinear:
    """Read the weights and the intercept of a kind.

    Raises:
        EngineError: The files are no such model.
    """
    arrays, _ = load_files(model.kind, files, {"weights": np.float64, "intercept": np.float64})
    weights, intercept = arrays["weights"], arrays["intercept"]
    if not answers_task("regression", weights, intercept):
        raise corrupt(model.kind, "its weights have the wrong shape")
    if not (np.isfinite(weights).all() and np.isfinite(intercept).all()):
        raise corrupt(model.kind, "its weights are not all finite")
    return model(weights=weights, intercept=intercept)
