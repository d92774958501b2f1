"""Bootstrap samples as weights: how often each row counts in each sample; no row is ever copied.

What goes together is drawn together: whole groups where rows come in groups, whole blocks of time where they follow one
another (Davison and Hinkley, Bootstrap Methods and their Application, 1997, chapters 3.8 and 8.2). Else rows are drawn
class by class, so that each sample has the classes of the whole (the same, chapter 3.2).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    Weights = NDArray[Any]

Unit: TypeAlias = Literal["rows", "groups", "blocks of time"]
MOST, FEWEST, CELLS = 2000, 200, 1e7
"""Samples that are drawn: as many as keep within so many numbers."""
ROWS = 20_000
"""Rows that samples are drawn of, at most."""
_AT_ONCE = 1e6
"""Numbers of one batch of weights; bounds the memory."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Units:
    """What is drawn.

    Attributes:
        kind: What it is.
        number: Of each row the number of its unit, from 0; shape (rows,).
        stratum: Of each unit the number of its stratum; units are drawn within theirs; shape (units,).
    """

    kind: Unit
    number: NDArray[np.intp]
    stratum: NDArray[np.intp]

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self.stratum)


def rows_by_class(labels: NDArray[np.generic] | None, rows: int) -> Units:
    """Draw single rows, within their class where they have one."""
    stratum = np.zeros(rows, dtype=np.intp) if labels is None else np.unique(labels, return_inverse=True)[1]
    return Units(kind="rows", number=np.arange(rows), stratum=stratum)


def whole_groups(group: NDArray[np.integer]) -> Units:
    """Draw whole groups."""
    number = np.unique(group, return_inverse=True)[1]
    return Units(kind="groups", number=number, stratum=np.zeros(number.max(initial=-1) + 1, dtype=np.intp))


def blocks_of_time(time: NDArray[np.integer]) -> Units:
    """Draw blocks of times that follow each other, each about the cube root of all times long.

    That length keeps most of what neighbours share (Hall, Horowitz and Jing, "On blocking rules for the bootstrap with
    dependent data", Biometrika, 1995).

    Args:
        time: The rank of each row's time, equal for equal times; shape (rows,).
    """
    rank = np.unique(time, return_inverse=True)[1]
    times = int(rank.max(initial=-1)) + 1
    length = max(1, round(times ** (1 / 3)))
    number = np.minimum(rank // length, max(0, times // length - 1))
    return Units(kind="blocks of time", number=number, stratum=np.zeros(number.max(initial=-1) + 1, dtype=np.intp))


def thinned(units: Units, most: int = ROWS) -> NDArray[np.intp]:
    """Choose rows of evenly taken units, about `most` where there are more; shape (rows,), in order."""
    rows = len(units.number)
    if rows <= most:
        return np.arange(rows)
    order = np.argsort(units.stratum, kind="stable")
    kept = max(1, units.count * most // rows)
    chosen = np.zeros(units.count, dtype=bool)
    chosen[order[np.linspace(0, units.count - 1, kept).round().astype(np.intp)]] = True
    return np.flatnonzero(chosen[units.number])


def of_rows(units: Units, rows: NDArray[np.intp]) -> Units:
    """Give the units of some rows, numbered anew."""
    left, number = np.unique(units.number[rows], return_inverse=True)
    return Units(kind=units.kind, number=number, stratum=units.stratum[left])


def how_many(rows: int, outputs: int = 1) -> int:
    """Say how many samples are drawn of so many rows, each with so many answers."""
    return int(min(MOST, max(FEWEST, CELLS // max(1, rows * outputs))))


def draw(units: Units, samples: int, seed: int) -> Iterator[Weights]:
    """Draw samples, the same ones each time.

    Yields:
        Batches of weights, each of shape (samples of the batch, rows).
    """
    generator = np.random.default_rng(seed)
    batch = max(1, int(_AT_ONCE // max(1, len(units.number))))
    strata = [np.flatnonzero(units.stratum == stratum) for stratum in np.unique(units.stratum)]
    for start in range(0, samples, batch):
        drawn = np.zeros((min(batch, samples - start), units.count), dtype=np.int32)
        for members in strata:
            drawn[:, members] = _counts(generator, len(drawn), len(members))
        yield drawn if units.kind == "rows" else drawn[:, units.number]


def _counts(generator: np.random.Generator, samples: int, units: int) -> Weights:
    """Draw as many units as there are, with replacement; count each, shape (samples, units)."""
    drawn = generator.integers(units, size=(samples, units)) + units * np.arange(samples)[:, None]
    return np.bincount(drawn.ravel(), minlength=samples * units).reshape(samples, units).astype(np.int32)
