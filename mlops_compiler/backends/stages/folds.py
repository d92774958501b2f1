"""The prepared folds: matrices that all trials share, made once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mlops_compiler.backends.stages.deal import training_rows
from mlops_compiler.backends.stages.prepare import shared_rows
from mlops_compiler.backends.stages.rows import LABEL
from mlops_compiler.models.registry import MODELS
from mlops_compiler.tables.matrix import design_matrix, refuse_missing
from mlops_compiler.tables.preparation import FittedPreparation

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    import polars as pl
    from numpy.typing import NDArray

    from mlops_compiler.backends.stages.context import Context
    from mlops_compiler.ir.ops.lifecycle import Candidate


@dataclass(frozen=True, slots=True, kw_only=True)
class Fold:
    """The rows of one fold, prepared by what its training rows taught.

    Attributes:
        X: Training matrix, shape (training rows, features).
        y: Training labels, shape (training rows,).
        X_held: Validation matrix, shape (validation rows, features).
        y_held: Validation labels, shape (validation rows,).
    """

    X: NDArray[np.float64]
    y: NDArray[np.int64]
    X_held: NDArray[np.float64]
    y_held: NDArray[np.int64]


def prepared(entry: dict[str, Any], rows: pl.DataFrame) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Prepare rows for scoring or training; filters apply.

    Returns:
        The matrix, shape (rows, features), and the labels, shape (rows,).
    """
    frame = FittedPreparation.from_json(entry["preparation"]).transform(rows, scoring=True)
    return design_matrix(frame, entry["features"]), frame[LABEL].cast(int).to_numpy()


def make_folds(context: Context, candidates: Sequence[Candidate]) -> list[Fold]:
    """Prepare every fold.

    Raises:
        DataError: Values are missing that a candidate cannot do without; found before the first trial.
    """
    preparations = context.read_json("prepare", "preparations")
    rows = shared_rows(context, preparations)
    frame, parts = rows.frame, rows.parts
    ordered = context.inputs["split"].summary["ordered"]
    folds = []
    for number, entry in enumerate(preparations["folds"]):
        X, y = prepared(entry, frame.filter(training_rows(parts, number, ordered=ordered)))
        X_held, y_held = prepared(entry, frame.filter(parts == number))
        for matrix in (X, X_held):
            _complete(matrix, entry["features"], candidates)
        folds.append(Fold(X=X, y=y, X_held=X_held, y_held=y_held))
    return folds


def _complete(matrix: NDArray[np.float64], features: Sequence[str], candidates: Sequence[Candidate]) -> None:
    for candidate in candidates:
        if not MODELS[candidate.kind].accepts_missing:
            refuse_missing(matrix, features, f"model `{candidate.name}` ({candidate.kind})", candidate.span)
