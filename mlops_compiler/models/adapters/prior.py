"""Class frequencies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mlops_compiler.models.adapters.files import corrupt, dump_files, load_files
from mlops_compiler.models.kind import FittedModel

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from mlops_compiler.models.kind import FitOptions, Labels, Matrix


@dataclass(frozen=True, slots=True, kw_only=True)
class FittedPrior(FittedModel):
    """One row of probabilities, for all."""

    frequencies: NDArray[np.float64]

    def predict_proba(self, X: Matrix) -> Matrix:
        """Repeat the frequencies for each row."""
        return np.tile(self.frequencies, (len(X), 1))

    def dump(self) -> dict[str, bytes]:
        """Write the frequencies."""
        return dump_files("prior", {"frequencies": self.frequencies})


def fit_prior(y: Labels, options: FitOptions) -> FittedPrior:
    """Count the classes; one without rows has probability 0."""
    return FittedPrior(frequencies=np.bincount(y, minlength=options.classes) / len(y))


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
