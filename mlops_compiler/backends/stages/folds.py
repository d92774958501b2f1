"""The prepared folds: matrices that all trials share, made once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from mlops_compiler.backends.stages.prepare import shared_rows
from mlops_compiler.models.registry import MODELS
from mlops_compiler.tables.account import ROW
from mlops_compiler.tables.matrix import design_matrix, refuse_missing
from mlops_compiler.tables.preparation import FittedPreparation
from mlops_compiler.tables.steps import LABEL, WEIGHT

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    import polars as pl
    from numpy.typing import NDArray

    from mlops_compiler.backends.stages.context import Context
    from mlops_compiler.ir.ops.lifecycle import Candidate
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
    """

    X: NDArray[np.float64]
    y: Target
    weights: NDArray[np.float64] | None
    X_held: NDArray[np.float64]
    y_held: Target
    features: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """Prepared rows.

    Attributes:
        X: The design matrix, shape (rows, features).
        y: What came: the number of each row's class, or its value; shape (rows,).
        weights: What each row weighs, shape (rows,); None where all weigh the same.
        kept: Which of the rows given these are, where a filter may have dropped some; shape (rows,).
    """

    X: NDArray[np.float64]
    y: Target
    weights: NDArray[np.float64] | None
    kept: NDArray[np.integer]


def prepared(entry: dict[str, Any], rows: pl.DataFrame, mode: Literal["training", "scoring"]) -> Prepared:
    """Prepare rows to learn from, which must be those that the preparation was fitted on, or rows to score."""
    numbered = rows.with_row_index(ROW)
    frame = FittedPreparation.from_json(entry["preparation"]).transform(numbered, mode)
    return Prepared(
        X=design_matrix(frame, entry["features"]),
        y=(label if (label := frame[LABEL]).dtype.is_float() else label.cast(int)).to_numpy(),
        weights=frame[WEIGHT].to_numpy() if WEIGHT in frame.columns else None,
        kept=frame[ROW].to_numpy(),
    )


def make_folds(context: Context, candidates: Sequence[Candidate]) -> list[Fold]:
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
        folds.append(
            Fold(
                X=taught.X,
                y=taught.y,
                weights=taught.weights,
                X_held=held.X,
                y_held=held.y,
                features=tuple(entry["features"]),
            )
        )
    return folds


def _complete(matrix: NDArray[np.float64], features: Sequence[str], candidates: Sequence[Candidate]) -> None:
    for candidate in candidates:
        if not MODELS[candidate.kind].accepts_missing:
            refuse_missing(matrix, features, f"model `{candidate.name}` ({candidate.kind})", candidate.span)
