"""Conditions that slice rows by what the source says of them: the levels of a column, or quarters of its numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    import polars as pl
    from numpy.typing import NDArray

_FEW_VALUES = 6
_MOST_LEVELS = 20
_PARTS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """What rows of a slice have in common.

    Attributes:
        column: A column of the source.
        label: For people: ``contract = Two year``, ``tenure from 12 to 29``.
        mask: The rows that meet it, shape (rows,).
    """

    column: str
    label: str
    mask: NDArray[np.bool_]


def conditions(values: pl.Series, like: pl.Series | None = None) -> tuple[Condition, ...]:
    """Slice rows by one column: by its levels, of a number of many values by quarters, and apart where it is missing.

    Of more than 20 levels the 20 most frequent are taken, and all others as one.

    Args:
        values: The column.
        like: Rows that say which levels there are and where quarters end; the column itself where not given.
    """
    if values.dtype.is_float():
        values = values.fill_nan(None)
    known = (values if like is None else like.fill_nan(None) if like.dtype.is_float() else like).drop_nulls()
    ordered = values.dtype.is_numeric() or values.dtype.is_temporal()
    found = list(_parts(values, known) if ordered and known.n_unique() > _FEW_VALUES else _levels(values, known))
    if values.null_count():
        found.append(_condition(values, "is missing", values.is_null()))
    return tuple(found)


def _levels(values: pl.Series, known: pl.Series) -> Iterator[Condition]:
    levels = known.alias("level").value_counts(sort=True)["level"].to_list()
    kept = sorted(levels[:_MOST_LEVELS], key=str)
    for level in kept:
        yield _condition(values, f"= {_shown(level)}", values == level)
    others = values.is_not_null() & ~values.is_in(kept) if kept else values.is_not_null()
    if others.any():
        yield _condition(values, "= another value", others)


def _parts(values: pl.Series, known: pl.Series) -> Iterator[Condition]:
    known = known.sort()
    places = [round(part * (len(known) - 1) / _PARTS) for part in range(1, _PARTS)]
    cuts = sorted({known[place] for place in places})
    for low, high in zip([None, *cuts], [*cuts, None], strict=True):
        if low is None:
            yield _condition(values, f"up to {_shown(high)}", values <= high)
        elif high is None:
            yield _condition(values, f"over {_shown(low)}", values > low)
        else:
            yield _condition(values, f"over {_shown(low)} up to {_shown(high)}", (values > low) & (values <= high))


def _condition(values: pl.Series, said: str, chosen: pl.Series) -> Condition:
    mask = chosen.fill_null(value=False).to_numpy().astype(np.bool_)
    return Condition(column=values.name, label=f"{values.name} {said}", mask=mask)


def _shown(value: object) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)
