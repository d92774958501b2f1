"""Permutation importance: how much worse the metric gets where one input no longer belongs to its row.

Breiman, "Random forests" (2001); for any model, Fisher, Rudin and Dominici, "All models are wrong, but many are useful"
(2019). What is shuffled is a column of the source, and the preparation runs again: so all that is derived from the
column moves with it. Of inputs that say the same, each may look dispensable, as the other one still tells.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from mlops_compiler.diagnostics import DataError
from mlops_compiler.evaluation.metrics import METRICS, score_all

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from mlops_compiler.ir.task import Task

    Values = NDArray[np.float64]
    Answers = Callable[[pl.DataFrame], Values]
    """Scores rows of the source; gives what `score_all` takes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judge:
    """Scores answers to the same rows by the recipe's metric.

    Attributes:
        task: What is predicted.
        metric: The primary metric.
        y: What came, shape (rows,).
        threshold: Decides a binary task.
        unit: As for `score_all`.
    """

    task: Task
    metric: str
    y: NDArray[np.generic]
    threshold: float | None
    unit: float | None = None

    def score(self, answers: Values) -> float:
        """Compute the metric."""
        return score_all(self.task, self.y, answers, self.threshold, [self.metric], self.unit)[self.metric]

    def loss(self, answers: Values, than: float) -> float:
        """Say by how much answers are worse than a score; negative where they are better."""
        gain = self.score(answers) - than
        return -gain if METRICS[self.metric].greater_is_better else gain


@dataclass(frozen=True, slots=True, kw_only=True)
class Importance:
    """How much the metric loses where an input is shuffled.

    Attributes:
        name: A column of the source, or a feature (``contract=*`` for all indicators of an encoding).
        losses: One for each shuffle; None where the shuffled rows could not be prepared.
    """

    name: str
    losses: tuple[float, ...] | None

    def to_json(self) -> dict[str, Any]:
        """Give mean, standard deviation and each loss."""
        if self.losses is None:
            return {"name": self.name, "mean": None, "std": None, "losses": None}
        return {
            "name": self.name,
            "mean": float(np.mean(self.losses)),
            "std": float(np.std(self.losses, ddof=1)) if len(self.losses) > 1 else 0.0,
            "losses": list(self.losses),
        }


def of_columns(
    frame: pl.DataFrame, columns: Iterable[str], answers: Answers, judge: Judge, orders: Sequence[NDArray[np.int64]]
) -> list[Importance]:
    """Shuffle each column of the source in turn, most important first.

    Args:
        frame: Rows of the source, as many as `judge` knows the truth of.
        columns: Those to shuffle.
        answers: Prepares and scores.
        judge: Scores the answers.
        orders: The shuffles, each an order of the rows.
    """
    base = judge.score(answers(frame))

    def shuffled(column: str) -> Importance:
        values = frame[column]
        rows = pl.concat([frame.with_columns(values.gather(order)) for order in orders])
        try:
            scored = answers(rows)
        except DataError:  # together, the values say what no row may say: a ratio without a divisor
            return Importance(name=column, losses=None)
        return Importance(name=column, losses=_losses(scored, judge, base, len(orders)))

    return ranked(map(shuffled, columns))


def of_features(
    matrix: Values,
    groups: Mapping[str, Sequence[int]],
    answers: Callable[[Values], Values],
    judge: Judge,
    orders: Sequence[NDArray[np.int64]],
) -> list[Importance]:
    """Shuffle each feature in turn, those of one group together; most important first.

    Args:
        matrix: The prepared rows, shape (rows, features).
        groups: For each name the columns of the matrix that it stands for.
        answers: Scores a matrix.
        judge: Scores the answers.
        orders: The shuffles, each an order of the rows.
    """
    base = judge.score(answers(matrix))

    def shuffled(name: str, places: Sequence[int]) -> Importance:
        rows = np.tile(matrix, (len(orders), 1))
        rows[:, places] = np.concatenate([matrix[order][:, places] for order in orders])
        return Importance(name=name, losses=_losses(answers(rows), judge, base, len(orders)))

    return ranked(shuffled(name, places) for name, places in groups.items())


def ranked(found: Iterable[Importance]) -> list[Importance]:
    """Sort by the mean loss, the largest first; those without one last."""
    return sorted(found, key=lambda item: (item.losses is None, -float(np.mean(item.losses or (0,))), item.name))


def shuffles(rows: int, repeats: int, seed: int) -> list[NDArray[np.int64]]:
    """Make the orders in which rows are shuffled, the same for every input."""
    draw = np.random.default_rng(seed)
    return [draw.permutation(rows) for _ in range(repeats)]


def _losses(answers: Values, judge: Judge, base: float, repeats: int) -> tuple[float, ...]:
    return tuple(judge.loss(part, base) for part in np.split(answers, repeats))
