"""The leak that nobody can declare: a single feature that tells the outcome almost by itself.

Each feature is judged alone, by levels or by bins, so that a relation that rises and falls is seen as well. The rate of
positives in a bin, or the mean of a value, is taken from one half of the rows and judged on the other: a feature of
many levels that only knows its own rows by heart scores no better than chance.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from mlops_compiler.ir.task import Task

SUSPICIOUS = 0.98
"""A score that single features of honest data hardly reach."""
MEASURES: Mapping[str, str] = MappingProxyType(
    {
        "binary_classification": "a ROC AUC",
        "multiclass_classification": "a mean ROC AUC of one class against the rest",
        "regression": "an R²",
    }
)
"""What a feature alone is scored by."""
_BINS = 64
_FEWEST_ROWS, _FEWEST_OF_A_CLASS = 100, 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspect:
    """A feature that tells too much.

    Attributes:
        feature: Its name; of an encoding, as ``contract=*``.
        score: What it reaches alone: a ROC AUC from 0.5 to 1, or an R² from 0 to 1.
        measure: Which of them, as `MEASURES` says it.
    """

    feature: str
    score: float
    measure: str


def suspects(
    features: Mapping[str, pl.DataFrame], labels: NDArray[Any], task: Task = "binary_classification"
) -> tuple[Suspect, ...]:
    """Find features that predict the target almost perfectly, the clearest first.

    Args:
        features: The columns of each feature: one number, or the indicators of an encoding; shape (rows, columns).
        labels: What came: the number of each row's class, or its value; shape (rows,).
        task: What the models are asked for.

    Returns:
        Those whose score is at least `SUSPICIOUS`; none where the rows are too few to tell.
    """
    if labels.size < _FEWEST_ROWS or (task != "regression" and len(_classes(labels)) < 2):  # noqa: PLR2004
        return ()
    scores = {name: score_alone(columns, labels, task) for name, columns in features.items()}
    found = [
        Suspect(feature=name, score=score, measure=MEASURES[task])
        for name, score in scores.items()
        if score >= SUSPICIOUS
    ]
    return tuple(sorted(found, key=lambda item: (-item.score, item.feature)))


def score_alone(columns: pl.DataFrame, labels: NDArray[Any], task: Task = "binary_classification") -> float:
    """Score a feature alone by the measure of the task; a number in whichever direction it is better."""
    ranks, bins = _ranked(columns)
    if task == "regression":
        straight = 0.0 if ranks is None else _r2_of_line(columns.to_series(), labels)
        return max(straight, _r2_by_levels(bins, labels))
    if task == "binary_classification":
        return _one_class(ranks, bins, labels)
    classes = _classes(labels)
    if not classes:
        return 0.5
    found = [_one_class(ranks, bins, (labels == item).astype(np.int8)) for item in classes]
    return float(np.average(found, weights=list(classes.values())))


def _classes(labels: NDArray[Any]) -> dict[int, int]:
    """Count the rows of each class that has enough to tell."""
    counts = np.bincount(labels.astype(np.int64))
    return {item: int(rows) for item, rows in enumerate(counts) if rows >= _FEWEST_OF_A_CLASS}


def _ranked(columns: pl.DataFrame) -> tuple[NDArray[np.int64] | None, NDArray[np.int64]]:
    """Give the ranks of a number, None of indicators; and the level or the bin of each row."""
    if columns.width > 1:
        return None, _level(columns)
    values = columns.to_series().cast(pl.Float64).fill_nan(None)
    ranks = values.rank("dense").fill_null(0).to_numpy().astype(np.int64)
    return ranks, ranks if ranks.max(initial=0) <= _BINS else _by_rank(values)


def _one_class(ranks: NDArray[np.int64] | None, bins: NDArray[np.int64], labels: NDArray[np.int8]) -> float:
    """Return the ROC AUC of one class against the rest."""
    if ranks is None:
        return _by_levels(bins, labels)
    straight = roc_auc(ranks, labels)
    return max(straight, 1 - straight, _by_levels(bins, labels))


def _r2_of_line(values: pl.Series, labels: NDArray[Any]) -> float:
    """Return the share of the variance that a straight line through the known values explains, over all rows."""
    numbers = values.cast(pl.Float64).to_numpy()
    known = np.isfinite(numbers)
    if known.sum() < _FEWEST_ROWS or numbers[known].std() == 0 or labels[known].std() == 0:
        return 0.0
    return float(np.corrcoef(numbers[known], labels[known])[0, 1] ** 2 * known.mean())


def _r2_by_levels(codes: NDArray[np.int64], labels: NDArray[Any]) -> float:
    """Score levels by the mean of their rows in the other half: the share of the variance that it explains."""
    half = np.arange(labels.size) % 2 == 0
    return (_explained(codes, labels, half) + _explained(codes, labels, ~half)) / 2


def _explained(codes: NDArray[np.int64], labels: NDArray[Any], learns: NDArray[np.bool_]) -> float:
    size, mean = int(codes.max(initial=0)) + 1, float(labels[learns].mean())
    rows = np.bincount(codes[learns], minlength=size)
    sums = np.bincount(codes[learns], weights=labels[learns], minlength=size)
    judged = labels[~learns]
    total = float(((judged - judged.mean()) ** 2).sum())
    left = float(((judged - ((sums + mean) / (rows + 1))[codes[~learns]]) ** 2).sum())
    return max(0.0, 1 - left / total) if total else 0.0


def roc_auc(scores: NDArray[np.generic], labels: NDArray[np.int8]) -> float:
    """Return the ROC AUC by the ranks of the scores (Mann and Whitney); 0.5 where there is one class only."""
    positives = int(labels.sum())
    negatives = labels.size - positives
    if positives == 0 or negatives == 0:
        return 0.5
    ranks = pl.Series(scores).rank("average").to_numpy()
    return float((ranks[labels == 1].sum() - positives * (positives + 1) / 2) / (positives * negatives))


def _level(indicators: pl.DataFrame) -> NDArray[np.int64]:
    """Name the level of each row by the place of its indicator, from 1; 0 where none is set."""
    matrix = indicators.to_numpy()
    return np.where(matrix.any(axis=1), matrix.argmax(axis=1) + 1, 0).astype(np.int64)


def _by_rank(values: pl.Series) -> NDArray[np.int64]:
    """Deal values into bins of as many rows each; nulls into one of their own."""
    ranks = values.rank("average")
    known = values.len() - values.null_count()
    bins = (ranks * _BINS / (known + 1)).floor() + 1
    return bins.fill_null(0).to_numpy().astype(np.int64)


def _by_levels(codes: NDArray[np.int64], labels: NDArray[np.int8]) -> float:
    """Score levels by their rate of positives in the other half of the rows."""
    half = np.arange(labels.size) % 2 == 0
    return (_judged(codes, labels, half) + _judged(codes, labels, ~half)) / 2


def _judged(codes: NDArray[np.int64], labels: NDArray[np.int8], learns: NDArray[np.bool_]) -> float:
    size = int(codes.max(initial=0)) + 1
    rows = np.bincount(codes[learns], minlength=size)
    hits = np.bincount(codes[learns], weights=labels[learns], minlength=size)
    rate = float(labels[learns].mean())
    return roc_auc(((hits + rate) / (rows + 1))[codes[~learns]], labels[~learns])
