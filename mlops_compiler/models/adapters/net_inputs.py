"""What a network is given of a row: numbers as they are, in bins or as waves, and for each category a vector."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mlops_compiler.models.adapters.files import corrupt
from mlops_compiler.models.adapters.piecewise import Bins

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from mlops_compiler.models.kind import Matrix

_BIN_TYPES: dict[str, type[np.generic]] = {
    "bins.column": np.int32,
    "bins.low": np.float64,
    "bins.high": np.float64,
}
_WAVES, _TABLE = "waves", "table."
OTHERS = 2
"""Rows of a table beside its levels: what is rare or was never seen, and what is missing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """How the columns of the design matrix become the inputs of the first layer.

    Attributes:
        width: How many columns there are.
        bins: Into which numbers are encoded, where they are.
        waves: The frequencies of the waves that they become, where they do, shape (numbers, frequencies).
        tables: For each category, by its column, the vectors of its levels, then of what is rare or was never seen, and
            of what is missing; shape (levels + 2, size).
    """

    width: int
    bins: Bins | None = None
    waves: NDArray[np.float64] | None = None
    tables: Mapping[int, NDArray[np.float64]]

    @property
    def numbers(self) -> list[int]:
        """The columns that are numbers."""
        return [column for column in range(self.width) if column not in self.tables]

    @property
    def outputs(self) -> int:
        """How many inputs the first layer has."""
        of_numbers: int = len(self.numbers)
        if self.bins is not None:
            of_numbers = len(self.bins.column)
        if self.waves is not None:
            of_numbers = 2 * self.waves.size
        return of_numbers + sum(int(table.shape[1]) for table in self.tables.values())

    def fill(self, X: Matrix) -> Matrix:
        """Encode rows; shape (rows, outputs)."""
        numbers = X[:, self.numbers] if self.tables else X
        if self.bins is not None:
            numbers = self.bins.fill(numbers)
        if self.waves is not None:
            numbers = waves_of(numbers, self.waves)
        vectors = [table[places_of(X[:, column], len(table))] for column, table in self.tables.items()]
        return np.concatenate([numbers, *vectors], axis=1) if vectors else numbers

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Give what is stored, learned numbers in float32 as they were trained."""
        found: dict[str, NDArray[Any]] = {
            f"{_TABLE}{column}": table.astype(np.float32) for column, table in self.tables.items()
        }
        if self.bins is not None:
            found |= {"bins.column": self.bins.column, "bins.low": self.bins.low, "bins.high": self.bins.high}
        if self.waves is not None:
            found[_WAVES] = self.waves.astype(np.float32)
        return found


def places_of(levels: NDArray[np.float64], rows: int) -> NDArray[np.int64]:
    """Find the row of each level in a table of so many; what is no number of a level is one that was never seen."""
    known = (levels >= 0) & (levels < rows)
    return np.where(known, levels, rows - OTHERS).astype(np.int64)


def waves_of(numbers: Matrix, frequencies: NDArray[np.float64]) -> Matrix:
    """Give sine and cosine of each number at each frequency.

    Args:
        numbers: Shape (rows, numbers).
        frequencies: Shape (numbers, frequencies).
    """
    with np.errstate(over="ignore", invalid="ignore"):
        angle = (2.0 * np.pi) * (numbers[:, :, None] * frequencies)
        waves = np.concatenate([np.sin(angle), np.cos(angle)], axis=2)
    return waves.reshape(len(numbers), -1)


def take_inputs(kind: str, arrays: dict[str, NDArray[Any]], config: Mapping[str, Any]) -> Inputs:
    """Read the encoding of a stored network, and take its arrays away.

    Raises:
        EngineError: It is none.
    """
    width = config.get("features")
    if type(width) is not int:
        raise corrupt(kind, "it does not say how many columns it takes")
    tables = _tables(kind, arrays, width)
    numbers = width - len(tables)
    bins = _bins(kind, {name: arrays.pop(name) for name in _BIN_TYPES if name in arrays}, numbers)
    waves = arrays.pop(_WAVES, None)
    if waves is not None and (bins is not None or waves.ndim != 2 or len(waves) != numbers):  # noqa: PLR2004
        raise corrupt(kind, "its waves are not those of its numbers")
    made = [*tables.values(), *([] if waves is None else [waves])]
    if any(array.dtype != np.float32 or not np.isfinite(array).all() for array in made):
        raise corrupt(kind, "its encoding is not made of numbers")
    return Inputs(
        width=width,
        bins=bins,
        waves=None if waves is None else waves.astype(np.float64),
        tables={column: table.astype(np.float64) for column, table in sorted(tables.items())},
    )


def _tables(kind: str, arrays: dict[str, NDArray[Any]], width: int) -> dict[int, NDArray[Any]]:
    found = {}
    for name in [name for name in arrays if name.startswith(_TABLE)]:
        column, table = name.removeprefix(_TABLE), arrays.pop(name)
        known = column.isdecimal() and int(column) < width
        if not known or table.ndim != 2 or len(table) <= OTHERS:  # noqa: PLR2004 - a matrix
            raise corrupt(kind, "its categories are none")
        found[int(column)] = table
    return found


def _bins(kind: str, arrays: dict[str, NDArray[Any]], numbers: int) -> Bins | None:
    """Read the bins, of a network that has some."""
    if not arrays:
        return None
    if {name: array.dtype for name, array in arrays.items()} != _BIN_TYPES:
        raise corrupt(kind, "its bins are incomplete")
    bins = Bins(column=arrays["bins.column"], low=arrays["bins.low"], high=arrays["bins.high"], width=numbers)
    if not bins.is_sound:
        raise corrupt(kind, "its bins are none")
    return bins
