"""Whether what a slice is told comes true there: the mean answer beside what came, and whether a gap is chance."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mlops_compiler.ir.task import Task

    Values = NDArray[np.float64]


def calibration(task: Task, y: NDArray[np.generic], predicted: Values) -> dict[str, float]:
    """Compare what was predicted of some rows with what came.

    Of two classes: the mean probability and the share of positives (calibration in the large; Cox, 1958). Of more: the
    mean probability of the class decided, and the share of right decisions. Of a regression: the means.

    Returns:
        ``predicted``, ``observed``, and ``p``: how likely such a gap is where the predictions are right; of a
        regression, where they are right on average.
    """
    said, came, variance = _compared(task, y, predicted)
    gap = float(came.mean() - said.mean())
    error = math.sqrt(float(variance)) / len(said)
    p = math.erfc(abs(gap) / error / math.sqrt(2)) if error else float(gap == 0)
    return {"predicted": float(said.mean()), "observed": float(came.mean()), "p": p}


def _compared(task: Task, y: NDArray[np.generic], predicted: Values) -> tuple[Values, Values, float]:
    """Give what was said, what came, and the variance of the sum of their differences."""
    if task == "regression":
        came = y.astype(np.float64)
        return predicted, came, len(came) * float(np.var(came - predicted, ddof=1))
    if task == "binary_classification":
        said, came = predicted, y.astype(np.float64)
    else:
        said, came = predicted.max(axis=1), (predicted.argmax(axis=1) == y.astype(np.int64)).astype(np.float64)
    return said, came, float((said * (1 - said)).sum())
