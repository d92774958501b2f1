"""Answers at random: a hash of a row's own bits, so that they are the same whatever rows surround it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mlops_compiler.models.adapters.files import corrupt, dump_files, load_files
from mlops_compiler.models.kind import FittedModel

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from mlops_compiler.ir.domain import Scalar
    from mlops_compiler.models.kind import FitOptions, Matrix

_PRIME = np.uint64(0x9E3779B97F4A7C15)
_SHIFT = np.uint64(29)


def _hashed(X: Matrix, salt: int) -> NDArray[np.uint64]:
    """Hash the bits of each row (Fibonacci hashing), shape (rows,)."""
    found = np.full(len(X), salt, dtype=np.uint64)
    for column in (X + 0.0).T:  # -0.0 is 0.0
        found = (found ^ np.ascontiguousarray(column).view(np.uint64)) * _PRIME
        found ^= found >> _SHIFT
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class FittedRandomPartition(FittedModel):
    """A number of clusters, and a salt."""

    clusters: int
    salt: int

    def predict(self, X: Matrix) -> Matrix:
        """Take a cluster by the hash of a row; none is far from it."""
        return np.column_stack([_hashed(X, self.salt) % np.uint64(self.clusters), np.zeros(len(X))]).astype(np.float64)

    def dump(self) -> dict[str, bytes]:
        """Write both numbers."""
        return dump_files("random_partition", {"clusters": np.array([self.clusters]), "salt": np.array([self.salt])})


def fit_random_partition(parameters: Mapping[str, Scalar], options: FitOptions) -> FittedRandomPartition:
    """Take the seed for a salt."""
    return FittedRandomPartition(clusters=int(parameters["n_clusters"]), salt=options.seed)  # type: ignore[arg-type]


def load_random_partition(files: Mapping[str, bytes]) -> FittedRandomPartition:
    """Read both numbers.

    Raises:
        EngineError: The files are no such model.
    """
    arrays, _ = load_files("random_partition", files, {"clusters": np.int64, "salt": np.int64})
    clusters, salt = arrays["clusters"], arrays["salt"]
    if clusters.shape != (1,) or salt.shape != (1,) or clusters[0] < 1 or salt[0] < 0:
        raise corrupt("random_partition", "its numbers are none")
    return FittedRandomPartition(clusters=int(clusters[0]), salt=int(salt[0]))


@dataclass(frozen=True, slots=True, kw_only=True)
class FittedRandomScore(FittedModel):
    """A salt."""

    salt: int

    def predict(self, X: Matrix) -> Matrix:
        """Take a score from 0 to 1 by the hash of a row."""
        return (_hashed(X, self.salt) >> np.uint64(11)).astype(np.float64)[:, None] / 2.0**53

    def dump(self) -> dict[str, bytes]:
        """Write the salt."""
        return dump_files("random_score", {"salt": np.array([self.salt])})


def fit_random_score(options: FitOptions) -> FittedRandomScore:
    """Take the seed for a salt."""
    return FittedRandomScore(salt=options.seed)


def load_random_score(files: Mapping[str, bytes]) -> FittedRandomScore:
    """Read the salt.

    Raises:
        EngineError: The files are no such model.
    """
    arrays, _ = load_files("random_score", files, {"salt": np.int64})
    if arrays["salt"].shape != (1,) or arrays["salt"][0] < 0:
        raise corrupt("random_score", "its number is none")
    return FittedRandomScore(salt=int(arrays["salt"][0]))
