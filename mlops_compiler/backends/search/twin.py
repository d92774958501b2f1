"""A twin is the same model fitted on half of the rows: what both say alike of rows that neither saw is no chance.

That is how stable an answer is that no target can judge (Lange et al., Stability-Based Validation of Clustering
Solutions, Neural Computation 16, 2004).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from mlops_compiler.backends.search.proposals import seed_of
from mlops_compiler.evaluation.anomalies import score as score_anomalies
from mlops_compiler.evaluation.clusters import score as score_clusters
from mlops_compiler.evaluation.metrics import CLUSTERING_METRICS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from mlops_compiler.ir.domain import Scalar
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Oddness:
    """What anomalies are judged by.

    Attributes:
        threshold: A row is flagged where its score is at least this.
        contamination: The share of rows that is looked at.
        labels: 1 for rows that are odd, shape (rows,); None where nobody knows.
    """

    threshold: float
    contamination: float
    labels: NDArray[np.int64] | None = None


def score_beside_twin(X: Matrix, answers: Matrix, twins: Matrix, odd: Oddness | None = None) -> dict[str, float]:
    """Compute the metrics of a task that learns from no target.

    Args:
        X: The rows held out, shape (rows, features).
        answers: What `predicted` gives for them by the model.
        twins: And by its twin.
        odd: What anomalies are judged by; None of a clustering.
    """
    if odd is None:
        return score_clusters(X, clusters_of(answers), clusters_of(twins), CLUSTERING_METRICS)
    return score_anomalies(answers, twins, odd.threshold, odd.contamination, odd.labels)


def clusters_of(answers: Matrix) -> NDArray[np.int64]:
    """Take the clusters from the answers of a clustering; shape (rows,)."""
    return answers[:, 0].astype(np.int64)
