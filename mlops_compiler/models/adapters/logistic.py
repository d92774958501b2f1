"""Logistic regression: fitted by scikit-learn, scored by numpy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from mlops_compiler.models.adapters.answers import ScoringModel, affine, answers_task, linked
from mlops_compiler.models.adapters.checks import check_training_rows
from mlops_compiler.models.adapters.convergence import converges
from mlops_compiler.models.adapters.files import corrupt, dump_files, load_files, task_of
from mlops_compiler.models.adapters.sklearn_threads import limited_threads
from mlops_compiler.models.form import Linear, linked_scale

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from mlops_compiler.ir.domain import Scalar
    from mlops_compiler.ir.task import Task
    from mlops_compiler.models.kind import FitOptions, Matrix, Target

_KIND = "logistic_regression"
_MAX_ITERATIONS = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class FittedLogistic(ScoringModel):
    """Weights, shape (features, outputs), and intercepts, shape (outputs,): one output for two classes."""

    kind: ClassVar[str] = _KIND
    task: Task
    weights: NDArray[np.float64]
    intercept: NDArray[np.float64]
    notes: tuple[str, ...] = ()

    @property
    def features(self) -> int:
        """How many columns it was fitted on."""
        return len(self.weights)

    def answer(self, X: Matrix) -> Matrix:
        """Add up what the features weigh."""
        return linked(self.task, affine(X, self.weights, self.intercept))

    def form(self) -> Linear:
        """Give the weights."""
        return Linear(weights=self.weights, intercept=self.intercept, scale=linked_scale(self.task))

    def dump(self) -> dict[str, bytes]:
        """Write weights and intercept."""
        return dump_files(_KIND, {"weights": self.weights, "intercept": self.intercept}, task=self.task)


def fit_logistic(X: Matrix, y: Target, parameters: Mapping[str, Scalar], options: FitOptions) -> FittedLogistic:
    """Minimise the penalised log loss: by L-BFGS, and with an L1 penalty by SAGA, which draws rows by the seed.

    BLAS keeps to one thread: with more, it sums in another order, and the model would depend on their number.
    """
    from sklearn.linear_model import LogisticRegression

    check_training_rows(X, y, kind=_KIND, options=options)
    estimator = LogisticRegression(
        C=parameters["C"],
        l1_ratio=parameters["l1_ratio"],
        class_weight=parameters["class_weight"],
        solver="saga" if parameters["l1_ratio"] else "lbfgs",
        max_iter=_MAX_ITERATIONS,
        random_state=options.seed,
    )
    with limited_threads(1):
        ended = converges(lambda: estimator.fit(X, y, sample_weight=options.weights))
    steps = int(estimator.n_iter_.max())
    notes = () if ended else (f"{_KIND} did not converge in {steps} steps: standardize the columns, or lower C",)
    weights = np.ascontiguousarray(estimator.coef_.T, dtype=np.float64)
    intercept = estimator.intercept_.astype(np.float64)
    return FittedLogistic(task=options.task, weights=weights, intercept=intercept, notes=notes)


def load_logistic(files: Mapping[str, bytes]) -> FittedLogistic:
    """Read weights and intercept.

    Raises:
        EngineError: The files are no such model.
    """
    arrays, config = load_files(_KIND, files, {"weights": np.float64, "intercept": np.float64})
    task, weights, intercept = task_of(_KIND, config), arrays["weights"], arrays["intercept"]
    if not answers_task(task, weights, intercept):
        raise corrupt(_KIND, "its weights have the wrong shape")
    if not (np.isfinite(weights).all() and np.isfinite(intercept).all()):
        raise corrupt(_KIND, "its weights are not all finite")
    return FittedLogistic(task=task, weights=weights, intercept=intercept)
