"""What learns from no feature: class frequencies, the mean, and the value of the last season."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mlops_compiler.diagnostics import DataError, Diagnostic
from mlops_compiler.models.adapters.files import corrupt, dump_files, load_files
from mlops_compiler.models.kind import FittedModel

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from mlops_compiler.models.kind import FitOptions, Matrix, Target


_NAIVE = "seasonal_naive"


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
    return FittedMean(value=_finite("mean", files))


@dataclass(frozen=True, slots=True, kw_only=True)
class FittedNaive(FittedModel):
    """The first column as it is, and a value where that is missing."""

    value: float

    def predict(self, X: Matrix) -> Matrix:
        """Repeat the first column."""
        if X.shape[1] == 0:
            raise DataError([Diagnostic(code="no-features", headline="seasonal_naive has no column to repeat")])
        said = X[:, :1]
        return np.where(np.isfinite(said), said, self.value)

    def dump(self) -> dict[str, bytes]:
        """Write the value."""
        return dump_files(_NAIVE, {"value": np.array([self.value])})


def fit_naive(y: Target, options: FitOptions) -> FittedNaive:
    """Average the values, each by its weight."""
    return FittedNaive(value=fit_mean(y, options).value)


def load_naive(files: Mapping[str, bytes]) -> FittedNaive:
    """Read the value.

    Raises:
        EngineError: The files are no such model.
    """
    return FittedNaive(value=_finite(_NAIVE, files))


def _finite(kind: str, files: Mapping[str, bytes]) -> float:
    arrays, _ = load_files(kind, files, {"value": np.float64})
    if arrays["value"].shape != (1,) or not np.isfinite(arrays["value"]).all():
        raise corrupt(kind, "it has no finite value")
    return float(arrays["value"][0])
