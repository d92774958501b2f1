"""Clusters at random: a row's cluster is a hash of its own bits, so that it is the same whatever rows surround it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mlops_compiler.models.adapters.files import corrupt, dump_files, load_files
from mlops_compiler.models.kind import FittedModel

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlops_compiler.ir.domain import Scalar
    from mlops_compiler.models.kind import FitOptions, Matrix

_KIND = "random_partition"
_PRIME = np.uint64(0x9E3779B97F4A7C15)
_SHIFT = np.uint64(29)


@dataclass(frozen=True, slots=True, kw_only=True)
class FittedRandomPartition(FittedModel):
    """A number of clusters, and a salt."""

    clusters: int
    salt: int

    def predict(self, X: Matrix) -> Matrix:
        """Hash the bits of each row (Fibonacci hashing); no row is far from its cluster."""
        found = np.full(len(X), self.salt, dtype=np.uint64)
        for column in (X + 0.0).T:  # -0.0 is 0.0
            found = (found ^ np.ascontiguousarray(column).view(np.uint64)) * _PRIME
            found ^= found >> _SHIFT
        return np.column_stack([found % np.uint64(self.clusters), np.zeros(len(X))]).astype(np.float64)

    def dump(self) -> dict[str, bytes]:
        """Write both numbers."""
        return dump_files(_KIND, {"clusters": np.array([self.clusters]), "salt": np.array([self.salt])})


def fit_random_partition(parameters: Mapping[str, Scalar], options: FitOptions) -> FittedRandomPartition:
    """Take the seed for a salt."""
    return FittedRandomPartition(clusters=int(parameters["n_clusters"]), salt=options.seed)  # type: ignore[arg-type]


def load_random_partition(files: Mapping[str, bytes]) -> FittedRandomPartition:
    """Read both numbers.

    Raises:
        EngineError: The files are no such model.
    """
    arrays, _ = load_files(_KIND, files, {"clusters": np.int64, "salt": np.int64})
    clusters, salt = arrays["clusters"], arrays["salt"]
    if clusters.shape != (1,) or salt.shape != (1,) or clusters[0] < 1 or salt[0] < 0:
        raise corrupt(_KIND, "its numbers are none")
    return FittedRandomPartition(clusters=int(clusters[0]), salt=int(salt[0]))
