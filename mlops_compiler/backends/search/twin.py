"""A twin is the same model fitted on half of the rows: what both say alike of rows that neither saw is no chance.

That is how stable an answer is that no target can judge (Lange et al., Stability-Based Validation of Clustering
Solutions, Neural Computation 16, 2004).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from mlops_compiler.backends.search.proposals import seed_of
from mlops_compiler.evaluation.metrics import metric_names

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from mlops_compiler.ir.domain import Scalar
    from mlops_compiler.ir.task import Task
    from mlops_compiler.models.kind import FitOptions, FittedModel, ModelKind, Target

    Matrix = NDArray[np.float64]


def fit_twin(
    kind: ModelKind, X: Matrix, y: Target, parameters: Mapping[str, Scalar], options: FitOptions
) -> FittedModel:
    """Fit a model on half of the rows, drawn by a seed that follows from the first model's."""
    seed = seed_of(options.seed, "twin")
    rows = np.sort(np.random.default_rng(seed).permutation(len(X))[: (len(X) + 1) // 2])
    weights = None if options.weights is None else options.weights[rows]
    half = replace(options, seed=seed, weights=weights)
    return kind.fit(np.ascontiguousarray(X[rows]), y[rows], parameters=parameters, options=half)


def score_beside_twin(
    task: Task, X: Matrix, answers: Matrix, twins: Matrix, names: tuple[str, ...] | None = None
) -> dict[str, float]:
    """Compute the metrics of a task without a target.

    Args:
        task: The task.
        X: The rows held out, shape (rows, features).
        answers: What `predicted` gives for them by the model.
        twins: And by its twin.
        names: The metrics to compute; all of the task's by default.
    """
    from mlops_compiler.evaluation.clusters import score

    return score(X, clusters_of(answers), clusters_of(twins), metric_names(task) if names is None else names)


def clusters_of(answers: Matrix) -> NDArray[np.int64]:
    """Take the clusters from the answers of a clustering; shape (rows,)."""
    return answers[:, 0].astype(np.int64)
