"""Performance once outcomes are known, and before: what it is to be expected if the probabilities are right.

Before, each row is taken for each class with the weight of its probability, so that every metric of the task has its
expected confusion matrix, and every ranking its expected order (confidence-based performance estimation, as NannyML
describes it: https://nannyml.readthedocs.io/en/stable/how_it_works/performance_estimation.html). That holds while what
the probabilities say comes true. So it is asked of the holdout first, by the test of Hosmer and Lemeshow
(Communications in Statistics, 1980) and by how far they are off; where they are not right, a curve that the holdout
teaches puts them right for the estimate, and is asked the same of rows that did not teach it. How far the metric of
such rows strays is drawn: rows, and their outcomes by the probabilities. A change of what follows from the columns
shows in no estimate; only outcomes tell it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mlops_compiler.diagnostics import DataError
from mlops_compiler.evaluation.intervals import Answers, replicate
from mlops_compiler.evaluation.metrics import metric_names, score_all
from mlops_compiler.evaluation.samples import rows_by_class
from mlops_compiler.evaluation.weighted import weighted_scores
from mlops_compiler.ir.task import has_classes
from mlops_compiler.models.calibration import calibrated as curved
from mlops_compiler.models.calibration import fit_calibration

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mlops_compiler.ir.task import Task
    from mlops_compiler.models.calibration import Method

    Values = NDArray[np.float64]

_SEED = 0
"""Of the samples: a check of the same rows says the same."""
_DRAWS = 200
_ROWS = 5000
"""Rows that outcomes are drawn for."""
_LEVEL = 0.95
LEVEL = 0.01
"""Below this p the probabilities of a release are not taken at their word, where they are off by `_GAP` as well."""
_GAP, _PARTS, _NOTHING, _MANY = 0.02, 10, 1e-9, 1000
_NO_RATIO = "max_error"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """Metrics of some rows.

    Attributes:
        rows: How many.
        metrics: Each metric of the task that these rows have.
        intervals: Of each, where it lies in 95 of 100 samples.
    """

    rows: int
    metrics: dict[str, float]
    intervals: dict[str, list[float]]

    def to_json(self) -> dict[str, Any]:
        """Give it as JSON."""
        return {"rows": self.rows, "metrics": self.metrics, "intervals": self.intervals}

    def error(self, metric: str) -> float | None:
        """Give the standard error of a metric, by its interval."""
        found = self.intervals.get(metric)
        return None if found is None else (found[1] - found[0]) / (2 * _Z)


_Z = 1.959963984540054


def measured(task: Task, y: NDArray[np.generic], predicted: Values, threshold: float | None) -> Scored | None:
    """Score predictions whose outcome is known; None where the rows are all of one class."""
    names = [name for name in metric_names(task) if name != _NO_RATIO]
    try:
        metrics = score_all(task, y, predicted, threshold, names)
    except DataError:
        return None
    units = rows_by_class(y if has_classes(task) else None, len(y))
    samples = replicate(task, y, {"now": Answers(predicted=predicted, threshold=threshold)}, units, _SEED)
    return Scored(rows=len(y), metrics=metrics, intervals=samples.intervals("now"))


def estimated(task: Task, predicted: Values, threshold: float | None, likely: Values | None = None) -> Scored | None:
    """Estimate the metrics of predictions of classes whose outcome is not known.

    Args:
        task: One of classes.
        predicted: As for `score_all`.
        threshold: Decides a binary task.
        likely: How likely each class is in truth, of the same shape; as it was predicted, where not given.

    Returns:
        The expected metrics, and where those of drawn outcomes lie; None where the rows are sure to be of one class.
    """
    chosen, true = _spread(predicted), _spread(predicted if likely is None else likely)
    shares = np.column_stack([1 - true, true]) if true.ndim == 1 else true
    rows, classes = shares.shape
    y = np.tile(np.arange(classes), rows)
    repeated = np.repeat(chosen, classes, axis=0)
    expected = weighted_scores(task, y, repeated, threshold, shares.reshape(1, -1))
    drawn = weighted_scores(task, y, repeated, threshold, _outcomes(shares))
    if expected is None or drawn is None:
        return None
    metrics = {name: float(values[0]) for name, values in expected.items() if np.isfinite(values[0])}
    wider = math.sqrt(rows / len(predicted))
    intervals = {name: interval(drawn[name], metrics[name], wider) for name in metrics if _tells(drawn[name])}
    return Scored(rows=len(predicted), metrics=metrics, intervals=intervals) if metrics else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """Whether probabilities come true.

    Attributes:
        error: The expected calibration error: how far shares are from probabilities in tenths of the rows, on average.
        p: How likely such gaps are where the probabilities are right.
    """

    error: float
    p: float

    @property
    def holds(self) -> bool:
        """Whether the probabilities can be taken at their word: a gap is chance, or too small to matter."""
        return self.p > LEVEL or self.error < _GAP


def calibration(y: NDArray[np.generic], predicted: Values) -> Calibration:
    """Test whether probabilities come true, of several classes each against the rest, by the worst (Bonferroni)."""
    shares = predicted[:, None] if predicted.ndim == 1 else predicted
    numbers = [1] if predicted.ndim == 1 else range(shares.shape[1])
    found = [_tenths(y.astype(np.int64) == number, column) for number, column in zip(numbers, shares.T, strict=True)]
    return Calibration(error=max(item.error for item in found), p=min(1.0, len(found) * min(item.p for item in found)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Trust:
    """What an estimate may take for true.

    Attributes:
        calibration: That of the probabilities as they are.
        curve: What puts them right, as `models.calibration` has it; None where they need none, or nothing does.
        holds: Whether an estimate can be made.
    """

    calibration: Calibration
    curve: dict[str, Any] | None
    holds: bool

    def likely(self, predicted: Values) -> Values:
        """Say how likely classes are in truth that were given probabilities."""
        return predicted if self.curve is None else curved(self.curve, predicted)


def trust(y: NDArray[np.generic], predicted: Values) -> Trust:
    """Ask rows of the holdout whether probabilities come true, and what puts them right where they do not."""
    as_they_are = calibration(y, predicted)
    if as_they_are.holds:
        return Trust(calibration=as_they_are, curve=None, holds=True)
    labels = y.astype(np.int64)
    method: Method = "isotonic" if len(y) >= _MANY else "sigmoid"
    teaches = np.arange(len(y)) % 2 == 0
    half = fit_calibration(method, labels[teaches], predicted[teaches])
    mended = calibration(labels[~teaches], curved(half, predicted[~teaches]))
    return Trust(calibration=as_they_are, curve=fit_calibration(method, labels, predicted), holds=mended.holds)


def _tenths(came: NDArray[np.bool_], said: Values) -> Calibration:
    """Compare shares with probabilities in tenths of the rows; none of them was learned from."""
    from scipy.stats import chi2

    parts = [part for part in np.array_split(np.argsort(said, kind="stable"), _PARTS) if len(part)]
    gaps = np.array([came[part].sum() - said[part].sum() for part in parts])
    variances = np.array([(said[part] * (1 - said[part])).sum() for part in parts])
    sure = variances <= _NOTHING
    statistic = float((gaps[~sure] ** 2 / variances[~sure]).sum()) if not sure.all() else 0.0
    degrees = int((~sure).sum())
    return Calibration(
        error=float(np.abs(gaps).sum() / len(said)), p=float(chi2.sf(statistic, degrees)) if degrees else 1.0
    )


def _spread(predicted: Values) -> Values:
    """Take rows evenly, where there are more than are needed."""
    if len(predicted) <= _ROWS:
        return predicted
    chosen: Values = predicted[np.linspace(0, len(predicted) - 1, _ROWS).round().astype(np.intp)]
    return chosen


def _outcomes(shares: Values) -> Values:
    """Draw outcomes by probabilities: of each draw 1 for the class that came; shape (draws, rows times classes)."""
    random = np.random.default_rng(_SEED)
    rows, classes = shares.shape
    up_to = shares.cumsum(axis=1)
    drawn = np.zeros((_DRAWS, rows, classes))
    # Rows are drawn as well, with replacement: another day has other rows.
    counts = random.multinomial(rows, np.full(rows, 1 / rows), size=_DRAWS)
    for draw, times in zip(drawn, counts, strict=True):
        came = (random.random((rows, 1)) * up_to[:, -1:] > up_to).sum(axis=1).clip(0, classes - 1)
        draw[np.arange(rows), came] = times
    return drawn.reshape(_DRAWS, -1)


def interval(values: Values, middle: float, wider: float) -> list[float]:
    """Give where 95 of 100 draws lie, so many times as far from the middle."""
    tail = (1 - _LEVEL) / 2
    low, high = np.nanquantile(values, [tail, 1 - tail])
    return [float(middle + wider * (low - middle)), float(middle + wider * (high - middle))]


def _tells(values: Values) -> bool:
    return bool(np.isfinite(values).mean() >= 0.9)  # noqa: PLR2004 - nine of ten draws have the metric
