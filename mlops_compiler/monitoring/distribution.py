"""A distribution is what a sample has of each value: small enough to keep with a release, exact enough to compare with.

Of a column with at most 1,000 different values each is kept with its count. Of a number with more, the sorted rows are
cut in 1,000 parts of equal size, and the median of each stands for all of it: no cumulative share is off by more than
one in a thousand, far below the least difference that monitoring tells.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np
import polars as pl

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

    Values = NDArray[np.float64]

Type: TypeAlias = Literal["number", "category", "text", "time"]
MOST = 1000
"""Values that are kept of a distribution."""
_FEW = 10
"""Different numbers up to which they are compared as categories."""
OTHERS = "\x00others"
"""Stands for all categories beyond the most frequent ones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Distribution:
    """What a sample has of each value of a column.

    Attributes:
        type: How it is compared: a ``text`` that is nearly another one in each row, and a ``time``, only by what is
            missing of it.
        rows: Of the sample, those with a missing value included.
        missing: How many of them have none.
        values: Of a number ascending, of a category by its frequency.
        counts: Of each of them, how many rows have it.
    """

    type: Type
    rows: int
    missing: int
    values: tuple[Any, ...] = ()
    counts: tuple[float, ...] = ()

    @property
    def known(self) -> int:
        """How many rows have a value."""
        return self.rows - self.missing

    @property
    def spread(self) -> float:
        """The standard deviation of a number."""
        values, counts = np.asarray(self.values, dtype=np.float64), np.asarray(self.counts, dtype=np.float64)
        mean = float(np.average(values, weights=counts))
        return float(np.sqrt(np.average((values - mean) ** 2, weights=counts)))

    def to_json(self) -> dict[str, Any]:
        """Give it as JSON."""
        return asdict(self)

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> Distribution:
        """Read what `to_json` gave."""
        return cls(**{**told, "values": tuple(told["values"]), "counts": tuple(told["counts"])})


def distribution(values: pl.Series, like: Type | None = None) -> Distribution:
    """Take the distribution of a column.

    Args:
        values: The column.
        like: The type of the distribution that it is compared with; found by itself where there is none.
    """
    if values.dtype.is_float():
        values = values.set(~values.is_finite().fill_null(value=True), None)
    known = values.drop_nulls()
    kind = like or _type_of(known)
    rows, missing = values.len(), values.len() - known.len()
    if kind == "number":
        found, counts = _thinned(known.cast(pl.Float64))
        return Distribution(type=kind, rows=rows, missing=missing, values=found, counts=counts)
    if kind == "category":
        levels, many = _levels(known)
        return Distribution(type=kind, rows=rows, missing=missing, values=levels, counts=many)
    return Distribution(type=kind, rows=rows, missing=missing)


def distributions(rows: pl.DataFrame, names: Iterable[str]) -> dict[str, Distribution]:
    """Take the distributions of some columns."""
    return {name: distribution(rows[name]) for name in names}


def _type_of(known: pl.Series) -> Type:
    if known.dtype.is_temporal():
        return "time"
    if known.dtype.is_numeric():
        return "number" if known.n_unique() > _FEW else "category"
    if known.dtype == pl.Boolean:
        return "category"
    return "category" if known.n_unique() <= max(_FEW, min(MOST, known.len() // 10)) else "text"


def _levels(known: pl.Series) -> tuple[tuple[str, ...], tuple[float, ...]]:
    """Count categories by their texts: an integer is written as the float that is equal to it."""
    numeric = known.dtype.is_numeric()
    texts = known.cast(pl.Float64).map_elements(lambda value: f"{value:g}", pl.String) if numeric else known
    counts = texts.cast(pl.String).rename("value").value_counts(name="count").sort(["count", "value"], descending=True)
    kept, rest = counts.head(MOST), counts.slice(MOST)["count"].sum()
    values, numbers = kept["value"].to_list(), [float(count) for count in kept["count"]]
    if rest:
        values, numbers = [*values, OTHERS], [*numbers, float(rest)]
    return tuple(values), tuple(numbers)


def _thinned(known: pl.Series) -> tuple[tuple[float, ...], tuple[float, ...]]:
    values = known.to_numpy()
    found, counts = np.unique(values, return_counts=True)
    if len(found) > MOST:
        parts = np.array_split(np.sort(values), MOST)
        found, place = np.unique([part[len(part) // 2] for part in parts], return_inverse=True)
        counts = np.bincount(place, weights=[len(part) for part in parts])
        found[0], found[-1] = values.min(), values.max()
    return tuple(map(float, found)), tuple(map(float, counts))
