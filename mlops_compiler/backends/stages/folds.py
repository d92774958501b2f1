"""The prepared folds: matrices that all trials share, made once."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from mlops_compiler.backends.stages.prepare import shared_rows
from mlops_compiler.evaluation.errors import naive_error
from mlops_compiler.models.registry import MODELS
from mlops_compiler.tables.account import ROW
from mlops_compiler.tables.matrix import design_matrix, refuse_missing
from mlops_compiler.tables.preparation import FittedPreparation
from mlops_compiler.tables.steps import LABEL, NAIVE, SAMPLE_WEIGHT, WEIGHT

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    import polars as pl
    from numpy.typing import NDArray

    from mlops_compiler.backends.stages.context import Context
    from mlops_compiler.ir.ops.search import Candidate
    from mlops_compiler.ir.space import Point
    from mlops_compiler.models.kind import Target


@dataclass(frozen=True, slots=True, kw_only=True)
class Fold:
    """The rows of one fold, prepared by what its training rows taught.

    Attributes:
        X: Training matrix, shape (training rows, features).
        y: What came: the number of each training row's class, or its value; shape (training rows,).
        weights: What each training row weighs, shape (training rows,); None where all weigh the same.
        X_held: Validation matrix, shape (validation rows, features).
        y_held: Likewise of the validation rows, shape (validation rows,).
        features: The names of the columns of both matrices.
        categories: As `FitOptions.categories`.
        naive: What a seasonal naive forecast says of the training rows and of the validation rows, NaN where no season
            came before; None where the target does not lie ahead.
        counts: What each training row weighs where it is scored, shape (training rows,); None where all weigh the same.
        counts_held: Likewise of the validation rows, shape (validation rows,).
    """

    X: NDArray[np.float64]
    y: Target
    weights: NDArray[np.float64] | None
    X_held: NDArray[np.float64]
    y_held: Target
    features: tuple[str, ...]
    categories: tuple[int, ...] = ()
    naive: tuple[NDArray[np.float64], NDArray[np.float64]] | None = None

    @property
    def naive_error(self) -> float | None:
        """By how much seasonal naive forecasts of the training rows err; None where there are none."""
        return None if self.naive is None else naive_error(self.y.astype(float), self.naive[0])

    def seen_by(self, kind: str) -> Fold:
        """Give the fold as a kind of model sees it: one that repeats a season sees what it repeats, and no feature."""
        if not MODELS[kind].repeats_season or self.naive is None:
            return self
        first, second = (said.reshape(-1, 1) for said in self.naive)
        return replace(self, X=first, X_held=second, features=(NAIVE,), categories=())

    counts: NDArray[np.float64] | None = None
    counts_held: NDArray[np.float64] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """Prepared rows.

    Attributes:
        X: The design matrix, shape (rows, features).
        y: What came: the number of each row's class, or its value; shape (rows,).
        weights: What each row weighs, shape (rows,); None where all weigh the same.
        kept: Which of the rows given these are, where a filter may have dropped some; shape (rows,).
        categories: As `FitOptions.categories`.
        naive: What a seasonal naive forecast says of each row, shape (rows,); None where nobody asked.
        counts: What each row weighs where it is scored, by the recipe's column; as `weights`.
    """

    X: NDArray[np.float64]
    y: Target
    weights: NDArray[np.float64] | None
    kept: NDArray[np.integer]
    categories: tuple[int, ...] = ()
    naive: NDArray[np.float64] | None = None
    counts: NDArray[np.float64] | None = None


def prepared(entry: dict[str, Any], rows: pl.DataFrame, mode: Literal["training", "scoring"]) -> Prepared:
    """Prepare rows to learn from, which must be those that the preparation was fitted on, or rows to score."""
    numbered, preparation = rows.with_row_index(ROW), FittedPreparation.from_json(entry["preparation"])
    return _collected(preparation.transform(numbered, mode), entry["features"], preparation)


def _collected(frame: pl.DataFrame, features: Sequence[str], preparation: FittedPreparation) -> Prepared:
    return Prepared(
        X=design_matrix(frame, features),
        y=(label if (label := frame[LABEL]).dtype.is_float() else label.cast(int)).to_numpy(),
        weights=_product(frame),
        kept=frame[ROW].to_numpy(),
        categories=preparation.categories(features),
        naive=frame[NAIVE].to_numpy() if NAIVE in frame.columns else None,
        counts=frame[SAMPLE_WEIGHT].to_numpy() if SAMPLE_WEIGHT in frame.columns else None,
    )


def _product(frame: pl.DataFrame) -> NDArray[np.float64] | None:
    """Multiply what a step and what the recipe's column let each row weigh, shape (rows,)."""
    found = [frame[name].to_numpy() for name in (WEIGHT, SAMPLE_WEIGHT) if name in frame.columns]
    return None if not found else found[0] if len(found) == 1 else found[0] * found[1]


class Folds(ABC):
    """The folds of a search, prepared at any point of it."""

    @abstractmethod
    def __len__(self) -> int:
        """Count the folds."""

    @abstractmethod
    def at(self, point: Point, number: int, kind: str) -> Fold:
        """Give a fold, prepared as a point of the search says, for a kind of model."""


@dataclass(frozen=True, slots=True)
class SharedFolds(Folds):
    """The folds of a preparation that nothing is searched of: the same for every trial."""

    folds: tuple[Fold, ...]

    def __len__(self) -> int:
        return len(self.folds)

    def at(self, point: Point, number: int, kind: str) -> Fold:  # noqa: ARG002 - there is one point
        """Give a fold."""
        return self.folds[number]


def make_folds(context: Context, candidates: Sequence[Candidate]) -> SharedFolds:
    """Prepare every fold.

    Raises:
        DataError: Values are missing that a candidate cannot do without; found before the first trial.
    """
    preparations = context.read_json("prepare", "preparations")
    rows = shared_rows(context, preparations)
    folds = []
    for number, entry in enumerate(preparations["folds"]):
        taught = prepared(entry, rows.frame.filter(rows.learns(number)), "training")
        held = prepared(entry, rows.frame.filter(rows.judges(number)), "scoring")
        for part in (taught, held):
            _complete(part.X, entry["features"], candidates)
        folds.append(_beside(taught, held, entry["features"]))
    return SharedFolds(tuple(folds))


def fold_of(taught: pl.DataFrame, held: pl.DataFrame, features: Sequence[str], preparation: FittedPreparation) -> Fold:
    """Make a fold of rows that a preparation has prepared."""
    first, second = (_collected(rows.with_row_index(ROW), features, preparation) for rows in (taught, held))
    return _beside(first, second, features)


def refuse_incomplete(fold: Fold, kind: str) -> None:
    """Refuse a fold with missing values, for a kind of model that cannot do with them.

    Raises:
        DataError: Values are missing.
    """
    if not MODELS[kind].accepts_missing:
        for matrix in (fold.X, fold.X_held):
            refuse_missing(matrix, fold.features, f"`{kind}`", None)


def _beside(taught: Prepared, held: Prepared, features: Sequence[str]) -> Fold:
    return Fold(
        X=taught.X,
        y=taught.y,
        weights=taught.weights,
        X_held=held.X,
        y_held=held.y,
        features=tuple(features),
        categories=taught.categories,
        naive=None if taught.naive is None or held.naive is None else (taught.naive, held.naive),
        counts=taught.counts,
        counts_held=held.counts,
    )


def _complete(matrix: NDArray[np.float64], features: Sequence[str], candidates: Sequence[Candidate]) -> None:
    for candidate in candidates:
        if not MODELS[candidate.kind].accepts_missing:
            refuse_missing(matrix, features, f"model `{candidate.name}` ({candidate.kind})", candidate.span)
