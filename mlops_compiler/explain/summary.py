"""Contributions of many rows, summed up for a chart: how much each player adds on average, and where its rows lie."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from mlops_compiler.explain.shapley import Contributions

    Values = NDArray[np.float64]

_SHOWN = 10
_MOST_POINTS = 120
_DIGITS = 6


def contributions_summary(
    found: Contributions,
    frame: pl.DataFrame,
    matrix: Values | None,
    groups: Mapping[str, Sequence[int]],
    classes: Sequence[object],
) -> dict[str, Any]:
    """Sum up.

    Args:
        found: What each player adds to each row.
        frame: The rows, as the source has them.
        matrix: The prepared rows, where the players are features.
        groups: The columns of the matrix for each of those.
        classes: The values of the target, where it has classes.

    Returns:
        ``method``, ``of``, ``scale``, ``rows``, ``base``; ``players``, those that add most first: ``name``, ``mean``,
        the mean absolute contribution, of several outputs their sum; ``by_output``; and of the first 10, where there is
        one output, ``points``: the contribution to at most 120 rows, and ``ranks``, the rank of the player's value from
        0 to 1, where it is a number.
    """
    sizes = np.abs(found.values).mean(axis=0)
    order = np.argsort(-sizes.sum(axis=1), kind="stable")
    rows = np.unique(np.linspace(0, frame.height - 1, min(_MOST_POINTS, frame.height)).round().astype(int))
    single = found.values.shape[2] == 1
    players = []
    for place, player in enumerate(order.tolist()):
        name = found.names[player]
        entry: dict[str, Any] = {"name": name, "mean": float(sizes[player].sum())}
        if not single:
            entry["by_output"] = sizes[player].tolist()
        elif place < _SHOWN:
            entry["points"] = np.round(found.values[rows, player, 0], _DIGITS).tolist()
            entry["ranks"] = _ranks(_values(name, frame, matrix, groups), rows)
        players.append(entry)
    return {
        "method": found.method,
        "of": found.of,
        "scale": found.scale,
        "rows": frame.height,
        "base": found.base.tolist(),
        "outputs": [] if single else [str(item) for item in classes],
        "players": players,
    }


def _values(
    name: str, frame: pl.DataFrame, matrix: Values | None, groups: Mapping[str, Sequence[int]]
) -> pl.Series | None:
    """Give the values of a player, where they are numbers."""
    if matrix is not None:
        places = groups[name]
        return pl.Series(matrix[:, places[0]]).fill_nan(None) if len(places) == 1 else None
    return frame[name].cast(pl.Float64).fill_nan(None) if frame.schema[name].is_numeric() else None


def _ranks(values: pl.Series | None, rows: NDArray[np.int64]) -> list[float | None] | None:
    """Rank values from 0 to 1; None for one that is missing."""
    if values is None or values.drop_nulls().n_unique() < 2:  # noqa: PLR2004
        return None
    ranks = values.rank("average")
    scaled = (ranks - 1) / (len(values.drop_nulls()) - 1)
    return [None if item is None else round(item, 3) for item in scaled[rows.tolist()].to_list()]
