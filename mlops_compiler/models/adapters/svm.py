"""Support vector machines, as numpy scores them: distances to the vectors, then probabilities of pairs of classes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from mlops_compiler.models.adapters.answers import ScoringModel, affine, sigmoid
from mlops_compiler.models.adapters.files import corrupt, dump_files, load_files, task_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from mlops_compiler.ir.task import Task
    from mlops_compiler.models.kind import Matrix

    Vector = NDArray[np.float64]

KIND = "svm"
_CELLS = 1_000_000
"""Distances that are held at a time."""
_SUREST = 1e-7
"""No pair of classes is surer than this, as in libsvm."""
_DTYPES: dict[str, type[np.generic]] = dict.fromkeys(("vectors", "weights", "intercept", "slope", "offset"), np.float64)


@dataclass(frozen=True, slots=True, kw_only=True)
class FittedSvm(ScoringModel):
    """One machine for a value or for two classes; one for each pair of more classes, in the order of `pairs`.

    Attributes:
        gamma: How fast likeness falls with squared distance; 0 where the kernel is linear.
        vectors: The support vectors, shape (vectors, features); none where the kernel is linear.
        weights: What each vector weighs in each machine, shape (vectors, machines); of a linear kernel what each column
            does.
        intercept: Of each machine, shape (machines,).
        slope: Of the log-odds of the first class of each pair, shape (machines,); unused for a value.
        offset: Likewise.
        classes: How many there are.
    """

    kind: ClassVar[str] = KIND
    task: Task
    gamma: float
    vectors: Matrix
    weights: Matrix
    intercept: Vector
    slope: Vector
    offset: Vector
    classes: int
    notes: tuple[str, ...] = ()

    @property
    def features(self) -> int:
        """How many columns it was fitted on."""
        return int(self.vectors.shape[1])

    def answer(self, X: Matrix) -> Matrix:
        """Ask each machine, and couple what they say."""
        decided = self._decided(X)
        if self.task == "regression":
            return decided
        first = sigmoid(decided * self.slope + self.offset)
        return first if self.task == "binary_classification" else coupled(first, self.classes)

    def _decided(self, X: Matrix) -> Matrix:
        if not self.gamma:
            return affine(X, self.weights, self.intercept)
        step = max(1, _CELLS // max(1, len(self.vectors)))
        blocks = [self._near(X[start : start + step]) for start in range(0, len(X), step)]
        return np.concatenate(blocks) if blocks else np.empty((0, len(self.intercept)))

    def _near(self, X: Matrix) -> Matrix:
        squares = np.zeros((len(X), len(self.vectors)))
        with np.errstate(over="ignore", invalid="ignore"):
            for column, vectors in zip(X.T, self.vectors.T, strict=True):
                squares += (column[:, None] - vectors) ** 2
            like = np.exp(-self.gamma * squares)
        # Each row is added up by itself, along memory: in an order that only the number of vectors decides.
        return np.stack([np.add.reduce(like * weights, axis=1) for weights in self.weights.T], axis=1) + self.intercept

    def dump(self) -> dict[str, bytes]:
        """Write the vectors and what they weigh."""
        arrays = {name: getattr(self, name) for name in _DTYPES}
        return dump_files(KIND, arrays, task=self.task, gamma=self.gamma, classes=self.classes)


def coupled(first: Matrix, classes: int) -> Matrix:
    """Turn the probability of the first class of each pair, shape (rows, pairs), into one of each class.

    Price, Knerr, Personnaz and Dreyfus (1995): 1 / (sum over the others j of 1 / r_ij - (classes - 2)), made to sum to
    1.
    """
    first = np.clip(first, _SUREST, 1.0 - _SUREST)
    total = np.full((len(first), classes), 2.0 - classes)
    for (one, other), column in zip(pairs(classes), first.T, strict=True):
        total[:, one] += 1.0 / column
        total[:, other] += 1.0 / (1.0 - column)
    found = 1.0 / total
    whole = np.zeros(len(found))
    for column in found.T:
        whole += column
    probability: Matrix = found / whole[:, None]
    return probability


def pairs(classes: int) -> list[tuple[int, int]]:
    """List the pairs of classes in the order of the machines."""
    return [(one, other) for one in range(classes) for other in range(one + 1, classes)]


def load_svm(files: Mapping[str, bytes]) -> FittedSvm:
    """Read the vectors and what they weigh.

    Raises:
        EngineError: The files are no such model.
    """
    arrays, config = load_files(KIND, files, _DTYPES)
    task, gamma, classes = task_of(KIND, config), config.get("gamma"), config.get("classes")
    if not isinstance(gamma, float) or not 0 <= gamma < float("inf") or not isinstance(classes, int):
        raise corrupt(KIND, "it says nothing of its kernel")
    if not _fits_together(arrays, linear=gamma == 0, machines=_machines(task, classes)):
        raise corrupt(KIND, "its machines do not answer its task")
    if not all(np.isfinite(array).all() for array in arrays.values()):
        raise corrupt(KIND, "its numbers are not all finite")
    return FittedSvm(task=task, gamma=gamma, classes=classes, notes=(), **arrays)


def _machines(task: Task, classes: int) -> int:
    if task == "multiclass_classification":
        return classes * (classes - 1) // 2 if 2 < classes <= 10_000 else 0  # noqa: PLR2004 - more than two
    return 1


def _fits_together(arrays: Mapping[str, NDArray[np.float64]], *, linear: bool, machines: int) -> bool:
    vectors, weights = arrays["vectors"], arrays["weights"]
    if vectors.ndim != 2 or any(arrays[name].shape != (machines,) for name in ("intercept", "slope", "offset")):  # noqa: PLR2004
        return False
    inputs = vectors.shape[1] if linear else len(vectors)
    return machines > 0 and weights.shape == (inputs, machines)
