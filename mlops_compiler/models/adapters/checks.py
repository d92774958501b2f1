"""What a kind cannot take is refused here, by feature, before a library sees it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mlops_compiler.diagnostics import DataError, Diagnostic

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mlops_compiler.models.kind import FitOptions, Matrix, Target


def check_training_rows(X: Matrix, y: Target, *, kind: str, options: FitOptions, accepts_missing: bool = False) -> None:
    """Refuse rows that `kind` cannot learn from.

    Raises:
        DataError: A class has no row, a value to predict is not finite, there is no feature, or a value is missing or
            infinite.
    """
    if options.task == "regression":
        _finite_target(y, kind)
    else:
        counts = np.bincount(y.astype(np.int64), minlength=options.classes)
        if (absent := np.flatnonzero(counts[: options.classes] == 0)).size:
            headline = f"the training rows hold no row of class {absent[0]}: {kind} needs rows of every class"
            raise DataError([Diagnostic(code="one-class", headline=headline)])
    if X.shape[1] == 0:
        headline = f"the design matrix has no column: {kind} has nothing to learn from"
        raise DataError([Diagnostic(code="no-features", headline=headline)])
    check_values(X, kind=kind, accepts_missing=accepts_missing)


def _finite_target(y: Target, kind: str) -> None:
    if wrong := int((~np.isfinite(y)).sum()):
        headline = f"the value to predict is missing or infinite in {wrong} of {len(y)} rows: {kind} cannot learn that"
        raise DataError([Diagnostic(code="wrong-target", headline=headline)])


def check_rows_to_score(X: Matrix, *, kind: str, features: int, accepts_missing: bool = False) -> None:
    """Refuse rows that a fitted model cannot score.

    Raises:
        DataError: Another number of features than at the fit, or a missing or infinite value.
    """
    check_width(X, kind=kind, features=features)
    check_values(X, kind=kind, accepts_missing=accepts_missing)


def check_width(X: Matrix, *, kind: str, features: int) -> None:
    """Refuse a matrix of another number of features than a model was fitted on.

    Raises:
        DataError: It has another.
    """
    if X.ndim != 2 or X.shape[1] != features:  # noqa: PLR2004 - a matrix
        headline = f"the {kind} model was fitted on {features} features, and is given a matrix of {X.shape}"
        raise DataError([Diagnostic(code="feature-count", headline=headline)])


def check_values(X: Matrix, *, kind: str, accepts_missing: bool) -> None:
    """Refuse infinities, and NaN where the kind does not take it.

    Raises:
        DataError: One diagnostic per faulty feature.
    """
    if np.isfinite(X).all():
        return
    found = [] if accepts_missing else _findings(np.isnan(X), kind=kind, word="missing")
    found += _findings(np.isinf(X), kind=kind, word="infinite")
    if found:
        raise DataError(found)


def _findings(wrong: NDArray[np.bool_], *, kind: str, word: str) -> list[Diagnostic]:
    rows = np.count_nonzero(wrong, axis=0)
    return [
        Diagnostic(
            code=f"feature-{word}",
            headline=f"feature {index} is {word} in {rows[index]} of {len(wrong)} rows: {kind} refuses it",
            help="impute or drop the column in `prepare`" if word == "missing" else None,
        )
        for index in np.flatnonzero(rows)
    ]
