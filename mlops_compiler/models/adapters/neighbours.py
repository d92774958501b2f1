"""Nearest neighbours: the rows are the model.

A matrix product finds who may be near, which is fast and rounds with the rows beside it; then the distances to those
few are computed exactly, column by column. The product's error is bounded, so that nobody near is missed: which rows
answer, and with what weight, does not depend on the rows that are scored together.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from mlops_compiler.models.adapters.answers import ScoringModel
from mlops_compiler.models.adapters.checks import check_training_rows
from mlops_compiler.models.adapters.files import corrupt, dump_files, load_files, task_of
from mlops_compiler.models.adapters.sampling import sample, sampled_note

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from mlops_compiler.ir.domain import Scalar
    from mlops_compiler.ir.task import Task
    from mlops_compiler.models.kind import FitOptions, Matrix, Target

    Vector = NDArray[np.float64]

_KIND = "nearest_neighbours"
_CELLS = 1_000_000
"""Distances that are held at a time: what stays in the cache."""
_DTYPES: dict[str, type[np.generic]] = {"rows": np.float64, "came": np.float64, "weights": np.float64}


@dataclass(frozen=True, slots=True, kw_only=True)
class FittedNeighbours(ScoringModel):
    """The rows that answer.

    Attributes:
        rows: Shape (rows, features).
        came: What each row answers: a column of class 1, one of each class, or the values; shape (rows, outputs).
        weights: What each row weighs, shape (rows,).
        count: How many of them answer.
        by_distance: Whether a near row counts more.
    """

    kind: ClassVar[str] = _KIND
    task: Task
    rows: Matrix
    came: Matrix
    weights: Vector
    count: int
    by_distance: bool
    notes: tuple[str, ...] = ()

    @property
    def features(self) -> int:
        """How many columns it was fitted on."""
        return int(self.rows.shape[1])

    def answer(self, X: Matrix) -> Matrix:
        """Ask the nearest rows of each row, some rows at a time."""
        step = max(1, _CELLS // len(self.rows))
        squares = (self.rows**2).sum(axis=1)
        blocks = [self._asked(X[start : start + step], squares) for start in range(0, len(X), step)]
        return np.concatenate(blocks) if blocks else np.empty((0, self.came.shape[1]))

    def _asked(self, X: Matrix, squares: Vector) -> Matrix:
        """Ask for a block of rows; `squares` are the squared lengths of the rows that answer."""
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            about = X @ self.rows.T
            about *= -2.0
            about += squares  # less the square of the row itself, which all its distances have in common
            # Each of the d products and sums rounds by 2^-53 of the largest that was added, and so do the squares.
            error = 4 * (self.features + 4) * np.finfo(np.float64).eps * (squares.max() + (X**2).sum(axis=1))
            kth = np.partition(about, self.count - 1, axis=1)[:, self.count - 1]
            possible: NDArray[np.bool_] = ~(about > (kth + 2.0 * error)[:, None])  # what is no number may be near
            return self._averaged(X, *_listed(possible))

    def _averaged(self, X: Matrix, listed: NDArray[np.int64], there: NDArray[np.bool_]) -> Matrix:
        """Average what the nearest of the rows that are listed for each row answer; of equally near ones the first."""
        squares = np.zeros(listed.shape)
        for column, kept in zip(X.T, self.rows.T, strict=True):
            squares += (kept[listed] - column[:, None]) ** 2
        order = np.argsort(np.where(there, squares, np.inf), axis=1, kind="stable")[:, : self.count]
        near = np.take_along_axis(listed, order, axis=1)
        distance = np.sqrt(np.take_along_axis(squares, order, axis=1))
        weights = self.weights[near]
        if self.by_distance:
            same: NDArray[np.bool_] = distance == 0.0
            weights = weights * np.where(same.any(axis=1, keepdims=True), same, 1.0 / distance)
        total = np.zeros((len(X), self.came.shape[1]))
        whole = np.zeros(len(X))
        for place in range(self.count):
            total += self.came[near[:, place]] * weights[:, place, None]
            whole += weights[:, place]
        answer: Matrix = np.where(np.isfinite(distance).all(axis=1, keepdims=True), total / whole[:, None], np.nan)
        return answer

    def dump(self) -> dict[str, bytes]:
        """Write the rows."""
        arrays = {name: getattr(self, name) for name in _DTYPES}
        return dump_files(_KIND, arrays, task=self.task, count=self.count, by_distance=self.by_distance)


def _listed(possible: NDArray[np.bool_]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Give the places of what is true in each row, in order, as far as the longest goes; and which are there."""
    counts = possible.sum(axis=1)
    places = np.zeros((len(possible), int(counts.max(initial=0))), dtype=np.int64)
    there: NDArray[np.bool_] = np.arange(places.shape[1])[None, :] < counts[:, None]
    places[there] = np.nonzero(possible)[1]
    return places, there


def fit_neighbours(X: Matrix, y: Target, parameters: Mapping[str, Scalar], options: FitOptions) -> FittedNeighbours:
    """Keep the rows, or a sample of them."""
    check_training_rows(X, y, kind=_KIND, options=options)
    weights = np.ones(len(y)) if options.weights is None else np.asarray(options.weights, dtype=np.float64)
    kept = sample(y, options, _whole(parameters["max_rows"]))
    return FittedNeighbours(
        task=options.task,
        rows=np.array(X[kept], order="C"),
        came=np.ascontiguousarray(_answers(y[kept], options)),
        weights=weights[kept],
        count=min(_whole(parameters["n_neighbors"]), len(kept)),
        by_distance=parameters["weights"] == "distance",
        notes=sampled_note(_KIND, len(kept), len(y)),
    )


def _whole(value: Scalar) -> int:
    return int(value or 0)


def _answers(y: Target, options: FitOptions) -> Matrix:
    if options.task == "multiclass_classification":
        return np.eye(options.classes)[y.astype(np.int64)]
    return y.astype(np.float64)[:, None]


def load_neighbours(files: Mapping[str, bytes]) -> FittedNeighbours:
    """Read the rows.

    Raises:
        EngineError: The files are no such model.
    """
    arrays, config = load_files(_KIND, files, _DTYPES)
    task, count, by_distance = task_of(_KIND, config), config.get("count"), config.get("by_distance")
    rows, came, weights = (arrays[name] for name in _DTYPES)
    outputs = came.shape[1] if came.ndim == 2 else 0  # noqa: PLR2004 - a matrix
    fits = outputs > 1 if task == "multiclass_classification" else outputs == 1
    if rows.ndim != 2 or not len(rows) == len(came) == weights.size or weights.ndim != 1 or not fits:  # noqa: PLR2004
        raise corrupt(_KIND, "its rows do not answer its task")
    if not isinstance(count, int) or not 0 < count <= len(rows) or not isinstance(by_distance, bool):
        raise corrupt(_KIND, "it does not say how many rows answer")
    if not all(np.isfinite(array).all() for array in arrays.values()) or (weights < 0).any():
        raise corrupt(_KIND, "its rows are not all finite")
    return FittedNeighbours(task=task, rows=rows, came=came, weights=weights, count=count, by_distance=by_distance)
