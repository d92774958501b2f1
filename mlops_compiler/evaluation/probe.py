"""The leak that nobody can declare: a single feature that tells the outcome almost by itself.

Each feature is judged alone, by levels or by bins, so that a relation that rises and falls is seen as well. The rate of
positives in a bin is taken from one half of the rows and judged on the other: a feature of many levels that only knows
its own rows by heart scores no better than chance.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

SUSPICIOUS = 0.98
"""A ROC AUC that single features of honest data hardly reach."""
_BINS = 64
_FEWEST_ROWS, _FEWEST_OF_A_CLASS = 100, 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspect:
    """A feature that tells too much.

    Attributes:
        feature: Its name; of an encoding, as ``contract=*``.
        score: The ROC AUC that it reaches alone, from 0.5 to 1.
    """

    feature: str
    score: float


def suspects(features: Mapping[str, pl.DataFrame], labels: NDArray[np.int8]) -> tuple[Suspect, ...]:
    """Find features that predict the target almost perfectly, the clearest first.

    Args:
        features: The columns of each feature: one number, or the indicators of an encoding; shape (rows, columns).
        labels: 0 or 1 for each row; shape (rows,).

    Returns:
        Those whose score is at least `SUSPICIOUS`; none where the rows are too few to tell.
    """
    positives = int(labels.sum())
    if labels.size < _FEWEST_ROWS or min(positives, labels.size - positives) < _FEWEST_OF_A_CLASS:
        return ()
    scores = {name: score_alone(columns, labels) for name, columns in features.items()}
    found = [Suspect(feature=name, score=score) for name, score in scores.items() if score >= SUSPICIOUS]
    return tuple(sorted(found, key=lambda item: (-item.score, item.feature)))


def score_alone(columns: pl.DataFrame, labels: NDArray[np.int8]) -> float:
    """Return the ROC AUC of a feature alone; of a number, in whichever direction it is better."""
    if columns.width > 1:
        return _by_levels(_level(columns), labels)
    values = columns.to_series().cast(pl.Float64).fill_nan(None)
    ranks = values.rank("dense").fill_null(0).to_numpy().astype(np.int64)
    straight = roc_auc(ranks, labels)
    bins = ranks if ranks.max(initial=0) <= _BINS else _by_rank(values)
    return max(straight, 1 - straight, _by_levels(bins, labels))


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
