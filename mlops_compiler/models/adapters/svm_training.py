"""Support vector machines are fitted by libsvm, and calibrated on rows that they were not fitted on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mlops_compiler.models.adapters.checks import check_training_rows
from mlops_compiler.models.adapters.convergence import converges
from mlops_compiler.models.adapters.sampling import sample, sampled_note
from mlops_compiler.models.adapters.svm import KIND, FittedSvm, pairs

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from mlops_compiler.ir.domain import Scalar
    from mlops_compiler.models.kind import FitOptions, Matrix, Target

    Vector = NDArray[np.float64]

_MAX_ITERATIONS = 300_000
_CACHE_MB = 400
_FOLDS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class _Machine:
    """One machine: which rows it leans on, and how much."""

    rows: NDArray[np.int64]
    weights: Vector
    intercept: float
    slope: float = 0.0
    offset: float = 0.0
    converged: bool = True


def fit_svm(X: Matrix, y: Target, parameters: Mapping[str, Scalar], options: FitOptions) -> FittedSvm:
    """Fit the machines on the rows, or on a sample of them."""
    check_training_rows(X, y, kind=KIND, options=options)
    settings: dict[str, Any] = dict(parameters)
    kept = sample(y, options, settings["max_rows"])
    weights = None if options.weights is None else options.weights[kept]
    rows = _Rows(X=np.ascontiguousarray(X[kept]), y=y[kept], weights=weights)
    if options.task == "regression":
        machines = [_of_value(rows, settings)]
    elif options.task == "binary_classification":
        machines = [_of_classes(rows, rows.y == 1, settings, options.seed)]
    else:
        machines = [_of_pair(rows, pair, settings, options.seed) for pair in pairs(options.classes)]
    notes = [*sampled_note(KIND, len(kept), len(y))]
    if not all(machine.converged for machine in machines):
        notes.append(f"{KIND} did not converge in {_MAX_ITERATIONS:,} steps: standardize the columns, or lower C")
    return _joined(rows.X, machines, settings, options, tuple(notes))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rows:
    X: Matrix
    y: Target
    weights: Vector | None

    def take(self, rows: NDArray[np.int64]) -> _Rows:
        return _Rows(X=self.X[rows], y=self.y[rows], weights=None if self.weights is None else self.weights[rows])


def _solver(settings: Mapping[str, Any]) -> dict[str, Any]:
    chosen = {name: settings[name] for name in ("kernel", "C", "gamma")}
    return {**chosen, "max_iter": _MAX_ITERATIONS, "cache_size": _CACHE_MB}


def _of_value(rows: _Rows, settings: Mapping[str, Any]) -> _Machine:
    """Fit a machine of the target at a standard deviation of 1; it answers in the unit of the target."""
    from sklearn.svm import SVR

    middle, spread = float(rows.y.mean()), float(rows.y.std()) or 1.0
    solver = SVR(**_solver(settings), epsilon=settings["epsilon"])
    converged = converges(lambda: solver.fit(rows.X, (rows.y - middle) / spread, sample_weight=rows.weights))
    return _Machine(
        rows=solver.support_.astype(np.int64),
        weights=_dense(solver.dual_coef_) * spread,
        intercept=float(solver.intercept_[0]) * spread + middle,
        converged=converged,
    )


def _dense(weights: Any) -> Vector:
    return np.asarray(weights, dtype=np.float64).reshape(-1)


def _of_pair(rows: _Rows, pair: tuple[int, int], settings: Mapping[str, Any], seed: int) -> _Machine:
    """Fit a machine of the rows of two classes; its rows are counted among all."""
    chosen = np.flatnonzero(np.isin(rows.y, pair))
    part = rows.take(chosen)
    found = _of_classes(part, part.y == pair[0], settings, seed)
    return _Machine(
        rows=chosen[found.rows],
        weights=found.weights,
        intercept=found.intercept,
        slope=found.slope,
        offset=found.offset,
        converged=found.converged,
    )


def _of_classes(rows: _Rows, first: NDArray[np.bool_], settings: Mapping[str, Any], seed: int) -> _Machine:
    """Fit a machine, and learn what its decisions mean from rows that others like it were not fitted on."""
    from sklearn.calibration import _SigmoidCalibration
    from sklearn.svm import SVC

    solver = SVC(**_solver(settings))
    labels = first.astype(np.int64)
    decided: list[Vector] = []

    def fit() -> None:
        solver.fit(rows.X, labels, sample_weight=rows.weights)
        decided.append(_out_of_fold(solver, rows, labels, seed))

    converged = converges(fit)
    calibration = _SigmoidCalibration().fit(decided[0], labels, sample_weight=rows.weights)
    return _Machine(
        rows=solver.support_.astype(np.int64),
        weights=_dense(solver.dual_coef_),
        intercept=float(solver.intercept_[0]),
        slope=-float(calibration.a_),
        offset=-float(calibration.b_),
        converged=converged,
    )


def _out_of_fold(solver: Any, rows: _Rows, labels: NDArray[np.int64], seed: int) -> Vector:
    """Decide each row by a machine that has not seen it; where a class is too small for that, by the machine itself."""
    from sklearn.base import clone
    from sklearn.model_selection import StratifiedKFold

    if np.bincount(labels).min() < _FOLDS:
        return _dense(solver.decision_function(rows.X))
    decided = np.empty(len(labels))
    for taught, held in StratifiedKFold(_FOLDS, shuffle=True, random_state=seed).split(rows.X, labels):
        part = rows.take(taught)
        other = clone(solver).fit(part.X, labels[taught], sample_weight=part.weights)
        decided[held] = other.decision_function(rows.X[held])
    return decided


def _joined(
    X: Matrix, machines: Sequence[_Machine], settings: Mapping[str, Any], options: FitOptions, notes: tuple[str, ...]
) -> FittedSvm:
    """Put the machines side by side, on the rows that any of them leans on; linear ones become weights of columns."""
    weights = np.zeros((len(X), len(machines)))
    for number, machine in enumerate(machines):
        weights[machine.rows, number] = machine.weights
    linear = settings["kernel"] == "linear"
    if linear:
        weights, vectors = np.stack([_linear(X, machine) for machine in machines], axis=1), X[:0]
    else:
        used = (weights != 0.0).any(axis=1)
        weights, vectors = weights[used], X[used]
    return FittedSvm(
        task=options.task,
        gamma=0.0 if linear else float(settings["gamma"]),
        vectors=np.ascontiguousarray(vectors),
        weights=np.ascontiguousarray(weights),
        intercept=np.array([machine.intercept for machine in machines]),
        slope=np.array([machine.slope for machine in machines]),
        offset=np.array([machine.offset for machine in machines]),
        classes=options.classes,
        notes=notes,
    )


def _linear(X: Matrix, machine: _Machine) -> Vector:
    """Add up the vectors, each by its weight; one after the other, so that threads change nothing."""
    if not len(machine.rows):
        return np.zeros(X.shape[1])
    total: Vector = np.add.accumulate(X[machine.rows] * machine.weights[:, None])[-1]
    return total
