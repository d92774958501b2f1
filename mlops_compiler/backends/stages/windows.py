"""Which rows come before others by their time: all of them, or a window of them, with a gap in between."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from mlops_compiler.ir.ops.lifecycle import Stretch

    Chosen = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What holds rows apart or together, beside their labels.

    Attributes:
        time: The rank of each row's time, from 1, equal for equal times; shape (rows,).
        group: A number for each row's group; shape (rows,).
        seconds: Each row's time in seconds, where it is a date; shape (rows,).
    """

    time: NDArray[np.uint32] | None = None
    group: NDArray[np.uint32] | None = None
    seconds: NDArray[np.float64] | None = None


def group_numbers(rows: pl.DataFrame, names: Sequence[str]) -> NDArray[np.uint32]:
    """Number the groups of rows from 1, as their columns are sorted; shape (rows,)."""
    first, *others = names
    found = rows[first].rank("dense")
    for name in others:
        also = rows[name].rank("dense")
        found = (found.cast(pl.UInt64) * (rows.height + 1) + also).rank("dense")
    return found.to_numpy()


def apart(order: Order, learns: Chosen, judges: Chosen) -> Chosen:
    """Choose of the rows to learn from those whose groups have no row among those that judge."""
    return learns if order.group is None else learns & ~np.isin(order.group, order.group[judges])


def learned_before(order: Order, judges: Chosen, gap: Stretch | None, most: Stretch | None) -> Chosen:
    """Choose the rows to learn from before those that judge; rows of one time go together.

    Args:
        order: The times.
        judges: The rows that judge; shape (rows,).
        gap: What is left out right before those: at least so many rows, or all that are no older than so long.
        most: How far back to go from there: at most so many rows, or so long; None for all.
    """
    if order.time is None:
        raise ValueError("rows without a time come before nothing")
    first = int(order.time[judges].min())
    learns = order.time < first
    if gap is not None:
        learns &= _older(order, first, learns, gap)
    return learns & _recent(order, first, learns, gap, most) if most is not None and learns.any() else learns


def _older(order: Order, first: int, before: Chosen, gap: Stretch) -> Chosen:
    if gap.seconds is not None:
        return _seconds(order) < _start(order, first) - gap.seconds
    if gap.times is not None and order.time is not None:
        earlier: Chosen = order.time.astype(np.int64) < first - gap.times
        return earlier
    after = np.append(_rows_from(order, before)[1:], 0)  # by the rank of a time, the rows that are later
    kept: Chosen = after[order.time] >= (gap.rows or 0)
    return kept


def _recent(order: Order, first: int, learns: Chosen, gap: Stretch | None, most: Stretch) -> Chosen:
    if most.seconds is not None:
        end = _start(order, first) - ((gap.seconds or 0.0) if gap is not None else 0.0)
        return _seconds(order) >= end - most.seconds
    newest = int(order.time[learns].max())  # type: ignore[index]
    kept: Chosen = (_rows_from(order, learns)[order.time] <= (most.rows or 0)) | (order.time == newest)
    return kept


def _rows_from(order: Order, chosen: Chosen) -> NDArray[np.intp]:
    """Count, by the rank of a time, the chosen rows as late as that or later; those of the time itself included."""
    counts = np.bincount(order.time, weights=chosen)  # type: ignore[arg-type]
    found: NDArray[np.intp] = counts[::-1].cumsum()[::-1].astype(np.intp)
    return found


def _start(order: Order, first: int) -> float:
    return float(_seconds(order)[order.time == first].min())


def _seconds(order: Order) -> NDArray[np.float64]:
    if order.seconds is None:
        raise ValueError("a stretch of time needs dates")
    return order.seconds
