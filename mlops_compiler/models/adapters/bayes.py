"""Gaussian naive Bayes: fitted by scikit-learn, scored by numpy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from mlops_compiler.models.adapters.answers import ScoringModel, linked
from mlops_compiler.models.adapters.checks import check_training_rows
from mlops_compiler.models.adapters.files import corrupt, dump_files, load_files, task_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from mlops_compiler.ir.domain import Scalar
    from mlops_compiler.ir.task import Task
    from mlops_compiler.models.kind import FitOptions, Matrix, Target

_KIND = "naive_bayes"


@dataclass(frozen=True, slots=True, kw_only=True)
class FittedBayes(ScoringModel):
    """What is known of each class.

    Attributes:
        prior: The logarithm of its frequency, shape (classes,).
        mean: Of each column, shape (classes, features).
        variance: Likewise, none of them zero.
    """

    kind: ClassVar[str] = _KIND
    task: Task
    prior: NDArray[np.float64]
    mean: NDArray[np.float64]
    variance: NDArray[np.float64]

    @property
    def features(self) -> int:
        """How many columns it was fitted on."""
        return int(self.mean.shape[1])

    def answer(self, X: Matrix) -> Matrix:
        """Compare how likely each class makes a row."""
        likely = np.empty((len(X), len(self.prior)))
        likely[:] = self.prior
        with np.errstate(over="ignore", invalid="ignore"):
            for column, mean, variance in zip(X.T, self.mean.T, self.variance.T, strict=True):
                likely -= 0.5 * np.log(2.0 * np.pi * variance)
                likely -= 0.5 * (column[:, None] - mean) ** 2 / variance
            margins = likely[:, 1:] - likely[:, :1] if self.task == "binary_classification" else likely
        return linked(self.task, margins)

    def dump(self) -> dict[str, bytes]:
        """Write frequencies, means and variances."""
        arrays = {"prior": self.prior, "mean": self.mean, "variance": self.variance}
        return dump_files(_KIND, arrays, task=self.task)


def fit_bayes(X: Matrix, y: Target, parameters: Mapping[str, Scalar], options: FitOptions) -> FittedBayes:
    """Take the means and variances of each class; where all columns are constant, the variances are 1."""
    from sklearn.naive_bayes import GaussianNB

    check_training_rows(X, y, kind=_KIND, options=options)
    estimator = GaussianNB(var_smoothing=parameters["var_smoothing"])
    with np.errstate(divide="ignore"):
        estimator.fit(X, y, sample_weight=options.weights)
    variance = np.ascontiguousarray(estimator.var_, dtype=np.float64)
    return FittedBayes(
        task=options.task,
        prior=np.log(estimator.class_prior_),
        mean=np.ascontiguousarray(estimator.theta_, dtype=np.float64),
        variance=np.where(variance > 0, variance, 1.0),
    )


def load_bayes(files: Mapping[str, bytes]) -> FittedBayes:
    """Read frequencies, means and variances.

    Raises:
        EngineError: The files are no such model.
    """
    names = ("prior", "mean", "variance")
    arrays, config = load_files(_KIND, files, dict.fromkeys(names, np.float64))
    task, (prior, mean, variance) = task_of(_KIND, config), (arrays[name] for name in names)
    counted = len(prior) if prior.ndim == 1 else 0
    right = counted > 2 if task == "multiclass_classification" else counted == 2  # noqa: PLR2004 - two classes
    if task == "regression" or not right or mean.ndim != 2 or mean.shape != variance.shape or len(mean) != counted:  # noqa: PLR2004
        raise corrupt(_KIND, "its classes do not answer its task")
    if not all(np.isfinite(array).all() for array in (prior, mean, variance)) or (variance <= 0).any():
        raise corrupt(_KIND, "its distributions are none")
    return FittedBayes(task=task, prior=prior, mean=mean, variance=variance)
