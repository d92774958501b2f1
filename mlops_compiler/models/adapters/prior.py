"""What looks at no feature: class frequencies, and the mean."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mlops_compiler.models.adapters.files import corrupt, dump_files, load_files
from mlops_compiler.models.kind import FittedModel

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from mlops_compiler.models.kind import FitOptions, Matrix, Target


@dataclass(frozen=True, slots=True, kw_only=True)
class FittedPrior(FittedModel):
    """One row of probabilities, for all."""

    frequencies: NDArray[np.float64]

    def predict(self, X: Matrix) -> Matrix:
        """Repeat the frequencies for each row."""
        return np.tile(self.frequencies, (len(X), 1))

    def dump(self) -> dict[str, bytes]:
        """Write the frequencies."""
        return dump_files("prior", {"frequencies": self.frequencies})


def fit_prior(y: Target, options: FitOptions) -> FittedPrior:
    """Count the classes, each row by its weight; one without rows has probability 0."""
    counts = np.bincount(y.astype(np.int64), weights=options.weights, minlength=options.classes)
    return FittedPrior(frequencies=counts / counts.sum())


def load_prior(files: Mapping[str, bytes]) -> FittedPrior:
    """Read the frequencies.

    Raises:
        EngineError: The files are no such model.
    """
    arrays, _ = load_files("prior", files, {"frequencies": np.float64})
    if arrays["frequencies"].ndim != 1:
        raise corrupt("prior", "its frequencies are no list")
    if not ((arrays["frequencies"] >= 0) & (arrays["frequencies"] <= 1)).all():
        raise corrupt("prior", "its frequencies are no probabilities")
    return FittedPrior(frequencies=arrays["frequencies"])


@dataclass(frozen=True, slots=True, kw_only=True)
class FittedMean(FittedModel):
    """One value, for all."""

    value: float

    def predict(self, X: Matrix) -> Matrix:
        """Repeat the value for each row."""
        return np.full((len(X), 1), self.value)

    def dump(self) -> dict[str, bytes]:
        """Write the value."""
        return dump_files("mean", {"value": np.array([self.value])})


def fit_mean(y: Target, options: FitOptions) -> FittedMean:
    """Average the values, each by its weight."""
    return FittedMean(value=float(np.average(y, weights=options.weights)))


def load_mean(files: Mapping[str, bytes]) -> FittedMean:
    """Read the value.

    Raises:
        EngineError: The files are no such model.
    """
    arrays, _ = load_files("mean", files, {"value": np.float64})
    if arrays["value"].shape != (1,) or not np.isfinite(arrays["value"]).all():
        raise corrupt("mean", "it has no finite value")
    return FittedMean(value=float(arrays["value"][0]))
