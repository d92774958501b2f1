"""Shapley values: what each feature, or each column, adds to the answer for a row, beside a background of rows.

All ways play the same game (interventional: Lundberg and Lee, 2017; Janzing, Minorics and Blöbaum, 2020): a player that
is out takes its value from a row of the background. So what they give is comparable, and each row's contributions and
the base add up to its score.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np
import polars as pl

from mlops_compiler.explain.paths import explain_paths
from mlops_compiler.explain.trees import explain_trees, is_countable
from mlops_compiler.models.form import Linear
from mlops_compiler.models.indicators import starts_of, widened

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from mlops_compiler.models.form import Form, Scale, TreeSum
    from mlops_compiler.models.kind import Matrix

    Values = NDArray[np.float64]
    Groups = Mapping[str, Sequence[int]]
    """For each name the columns of the matrix that it stands for."""

Method: TypeAlias = Literal["linear", "tree", "sampling"]
SAMPLED_BACKGROUND = 10
"""Rows of the background that sampling takes values from."""
PAIRS = 2
"""Orders of the players that sampling tries, each forwards and backwards."""
_TOLERANCE = 1e-4


@dataclass(frozen=True, slots=True, kw_only=True)
class Contributions:
    """What the players add to the scores of some rows.

    Attributes:
        names: The players.
        of: What they are.
        scale: What a score is.
        method: How they were computed; ``sampling`` is exact in sum, and approximate for each player.
        base: The mean score of the background, shape (outputs,).
        values: Shape (rows, players, outputs).
    """

    names: tuple[str, ...]
    of: Literal["features", "columns"]
    scale: Scale
    method: Method
    base: Values
    values: Values

    def scores(self) -> Values:
        """Add up; shape (rows, outputs)."""
        total: Values = self.base + self.values.sum(axis=1)
        return total


def of_form(form: Form, X: Matrix, background: Matrix, groups: Groups) -> Contributions | None:
    """Explain a model of a known structure exactly.

    Args:
        form: The structure.
        X: Rows to explain, shape (rows, features).
        background: Rows to compare with, shape (rows, features).
        groups: What is told as one.

    Returns:
        None where the trees are beyond what the library can do; or so large that its sums do not add up.
    """
    return _linear(form, X, background, groups) if isinstance(form, Linear) else _trees(form, X, background, groups)


def _linear(form: Linear, X: Matrix, background: Matrix, groups: Groups) -> Contributions:
    """Multiply each weight by how far the row is from the background (Lundberg and Lee, 2017, corollary 1)."""
    seen, beside = (widened(rows, form.spread) if form.spread else rows for rows in (X, background))
    middle = beside.mean(axis=0)
    each = (seen - middle)[:, :, None] * form.weights[None, :, :]
    if form.spread:
        each = np.add.reduceat(each, starts_of(form.spread)[:-1], axis=1)
    base = form.intercept + (middle[:, None] * form.weights).sum(axis=0)
    return Contributions(
        names=tuple(groups),
        of="features",
        scale=form.scale,
        method="linear",
        base=base,
        values=_grouped(each, groups),
    )


def _trees(form: TreeSum, X: Matrix, background: Matrix, groups: Groups) -> Contributions | None:
    """Walk the trees with each row and each row of the background (Lundberg et al., 2020, algorithm 3)."""
    if not form.chooses and not all(map(is_countable, form.trees)):
        return None
    seen, beside, explain = form.asked(X), form.asked(background), explain_paths if form.chooses else explain_trees
    found = [explain(trees, form.factor, seen, beside) for trees in form.trees]
    made = Contributions(
        names=tuple(groups),
        of="features",
        scale=form.scale,
        method="tree",
        base=form.first + np.concatenate([base for _, base in found]),
        values=_grouped(np.concatenate([values for values, _ in found], axis=2), groups),
    )
    scores = form.scores(X)
    size = max(1.0, float(np.abs(scores).max(initial=0.0)))
    return made if np.allclose(made.scores(), scores, rtol=0, atol=_TOLERANCE * size) else None


def by_sampling(
    frame: pl.DataFrame,
    background: pl.DataFrame,
    columns: Sequence[str],
    answers: Callable[[pl.DataFrame], Values],
    *,
    scale: Scale,
    seed: int,
) -> Contributions:
    """Ask a model about rows that are partly a row of the background: for any model, with its preparation.

    Columns join in random orders, each forwards and backwards (Štrumbelj and Kononenko, 2014; Mitchell et al.,
    "Sampling permutations for Shapley value estimation", 2022). All rows see the same orders, so that none depends on
    another.

    Args:
        frame: Rows of the source to explain.
        background: Rows of the source to compare with; `SAMPLED_BACKGROUND` of them are used.
        columns: The players.
        answers: Prepares and scores rows; shape (rows,) or (rows, outputs).
        scale: What it gives.
        seed: Of the orders.
    """
    beside = background.head(SAMPLED_BACKGROUND)
    draw = np.random.default_rng(seed)
    orders = [draw.permutation(len(columns)) for _ in range(PAIRS)]
    orders = [*orders, *(order[::-1] for order in orders)]
    values = [_one_row(frame[row], beside, columns, answers, orders) for row in range(frame.height)]
    of_background = _two_dimensional(answers(beside))
    shape = (0, len(columns), of_background.shape[1])
    return Contributions(
        names=tuple(columns),
        of="columns",
        scale=scale,
        method="sampling",
        base=of_background.mean(axis=0),
        values=np.stack(values) if values else np.zeros(shape),
    )


def _one_row(
    row: pl.DataFrame,
    beside: pl.DataFrame,
    columns: Sequence[str],
    answers: Callable[[pl.DataFrame], Values],
    orders: Sequence[NDArray[np.int64]],
) -> Values:
    """Average over orders and background what each column changes as it joins; shape (players, outputs)."""
    players, reference = len(columns), beside.height
    joined = np.array([np.isin(np.arange(players), order[:size]) for order in orders for size in range(players + 1)])
    mixed = _mixed(row, beside, columns, joined)
    means = _two_dimensional(answers(mixed)).reshape(len(joined), reference, -1).mean(axis=1)
    found = np.zeros((players, means.shape[1]))
    for order, path in zip(orders, np.split(means, len(orders)), strict=True):
        found[order] += np.diff(path, axis=0)
    return found / len(orders)


def _mixed(row: pl.DataFrame, beside: pl.DataFrame, columns: Sequence[str], joined: NDArray[np.bool_]) -> pl.DataFrame:
    """Make a copy of the background for each coalition, with the row's values of the columns that are in it."""
    rows = pl.concat([beside] * len(joined))
    return rows.with_columns(
        pl.select(
            pl.when(pl.lit(pl.Series(np.repeat(joined[:, place], beside.height))))
            .then(pl.lit(row[name].first(), dtype=rows.schema[name]))
            .otherwise(pl.lit(rows[name]))
            .alias(name)
        ).to_series()
        for place, name in enumerate(columns)
    )


def _grouped(each: Values, groups: Groups) -> Values:
    return np.stack([each[:, list(places), :].sum(axis=1) for places in groups.values()], axis=1)


def _two_dimensional(answers: Values) -> Values:
    return answers[:, None] if answers.ndim == 1 else answers
