"""How large the error of a row is to be expected: learned from the holdout, by its features and the prediction.

The model did not learn from the holdout, so its errors there are those of rows to come. Trees learn the size of the
error as Poisson regression has it (McCullagh and Nelder, Generalized Linear Models, 1989): always above zero, and on
average what came. Monitoring asks them of rows whose outcome is not known yet.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from mlops_compiler.models.adapters.boosting import fit_boosting
from mlops_compiler.models.kind import FitOptions

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from mlops_compiler.backends.stages.folds import Prepared
    from mlops_compiler.ir.domain import Scalar

    Values = NDArray[np.float64]

FEWEST = 200
"""Rows of the holdout below which nothing is learned."""
_MOST, _FOLDS = 20_000, 5
# Errors are mostly noise: larger trees learn it, and are then off by a tenth of it on 2,000 rows.
_TREES: Mapping[str, Scalar] = MappingProxyType(
    {
        "loss": "poisson",
        "learning_rate": 0.05,
        "max_leaf_nodes": 4,
        "min_samples_leaf": 30,
        "l2_regularization": 1e-3,
        "max_iter": 100,
        "early_stopping": False,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What was learned of the errors.

    Attributes:
        sizes: The size expected of each row's error, by trees that did not learn from it; shape (rows,).
        files: The trees that learned from all of them, as their kind dumps them.
    """

    sizes: Values
    files: Mapping[str, bytes]


def expected_errors(held: Prepared, answers: Values, seed: int) -> Expected | None:
    """Learn how large errors are to be expected; None where the rows are too few, or nothing is wrong in any of them.

    Args:
        held: The holdout, as it was prepared.
        answers: What the model says of its rows, shape (rows,).
        seed: The only source of randomness.
    """
    errors = np.abs(answers - held.y.astype(np.float64))
    X = np.column_stack([held.X, answers])
    random = np.random.default_rng(seed)
    parts = np.array_split(random.permutation(len(errors)), _FOLDS)
    if len(errors) < FEWEST or any(not errors[part].any() for part in parts):
        return None
    options = FitOptions(seed=seed, task="regression", categories=(*held.categories, 0) if held.categories else ())
    sizes = np.empty(len(errors))
    for fold, part in enumerate(parts):
        taught = np.concatenate([other for place, other in enumerate(parts) if place != fold])[:_MOST]
        trees = fit_boosting(X[taught], errors[taught], _TREES, options)
        sizes[part] = trees.predict(X[part])[:, 0]
    every = np.concatenate(parts)[:_MOST]
    return Expected(sizes=sizes, files=fit_boosting(X[every], errors[every], _TREES, options).dump())
