"""The network as torch trains it: vectors of levels and waves of numbers are learned together with the layers.

Waves are those of Gorishniy, Rubachev and Babenko, "On Embeddings for Numerical Features in Tabular Deep Learning"
(2022, 3.3): sine and cosine at frequencies that begin as draws from a normal distribution.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from mlops_compiler.models.adapters.net_inputs import OTHERS, Inputs, places_of
from mlops_compiler.models.adapters.piecewise import bins_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from mlops_compiler.models.adapters.piecewise import Bins
    from mlops_compiler.models.kind import Matrix

BODY, WAVES, TABLE = "body.", "waves", "tables."


class Columns:
    """The columns of the design matrix, dealt to what encodes them.

    Attributes:
        numbers: Those that are numbers.
        levels: Those that are categories, each with how many levels it has.
        bins: Of the numbers, where they are encoded in such.
    """

    def __init__(self, X: Matrix, categories: Sequence[int], settings: Mapping[str, Any]) -> None:
        self.width = X.shape[1]
        self.levels = {column: count for column, count in enumerate(categories) if count}
        self.numbers = [column for column in range(self.width) if column not in self.levels]
        binned = settings["numeric_embedding"] == "piecewise_linear" and settings["bins"] > 1 and self.numbers
        self.bins: Bins | None = bins_of(X[:, self.numbers], settings["bins"]) if binned else None

    def rows(self, X: Matrix) -> Matrix:
        """Give what the network is trained on: numbers, in bins where they are, then the places of levels."""
        numbers = X[:, self.numbers] if self.bins is None else self.bins.fill(X[:, self.numbers])
        places = [places_of(X[:, column], count + OTHERS)[:, None] for column, count in self.levels.items()]
        return np.concatenate([numbers, *places], axis=1)

    def inputs(self, weights: Mapping[str, NDArray[np.float64]], X: Matrix) -> Inputs:
        """Give the encoding that was learned; a level that no row taught is as the mean of those that are.

        Args:
            weights: By their names in the network.
            X: The rows to learn from.
        """
        waves = weights.get(WAVES)
        tables = {
            column: _filled(weights[f"{TABLE}{place}.weight"], places_of(X[:, column], count + OTHERS))
            for place, (column, count) in enumerate(self.levels.items())
        }
        return Inputs(width=self.width, bins=self.bins, waves=waves, tables=tables)


def _filled(table: NDArray[np.float64], places: NDArray[np.int64]) -> NDArray[np.float64]:
    counts = np.bincount(places, minlength=len(table))
    mean = (table * counts[:, None]).sum(axis=0) / max(1, counts.sum())
    return np.where(counts[:, None] > 0, table, mean.astype(np.float32))  # rounded as the file will


def size_of(levels: int, share: float) -> int:
    """Say how long the vectors of a category are: 1.6 times levels to the power of 0.56, at most 600, times a share.

    Source: the rule of fastai (Howard and Gugger, "fastai: A Layered API for Deep Learning", 2020).
    """
    by_rule: float = 1.6 * levels**0.56
    return max(1, round(share * min(600, round(by_rule))))


def make_network(columns: Columns, outputs: int, settings: Mapping[str, Any]) -> Any:
    """Make a network that takes what `Columns.rows` gives; weights are drawn from torch's generator."""
    import torch
    from torch import nn

    count = len(columns.numbers) if columns.bins is None else len(columns.bins.column)
    waving = settings["numeric_embedding"] == "periodic" and count > 0

    class Network(nn.Module):  # type: ignore[misc]
        """Encodes, then passes through layers with a ReLU between each two."""

        def __init__(self) -> None:
            super().__init__()
            if waving:
                drawn = torch.randn(count, settings["frequencies"]) * settings["frequency_scale"]
                self.waves = nn.Parameter(drawn)
            sizes = {levels: size_of(levels, settings["embedding_size"]) for levels in columns.levels.values()}
            self.tables = nn.ModuleList(
                nn.Embedding(levels + OTHERS, sizes[levels]) for levels in columns.levels.values()
            )
            inputs = 2 * self.waves.numel() if waving else count
            inputs += sum(sizes[levels] for levels in columns.levels.values())
            parts: list[nn.Module] = []
            for _ in range(settings["layers"]):
                parts += [nn.Linear(inputs, settings["hidden"]), nn.ReLU(), nn.Dropout(settings["dropout"])]
                inputs = settings["hidden"]
            self.body = nn.Sequential(*parts, nn.Linear(inputs, outputs))

        def forward(self, rows: Any) -> Any:
            """Give the margins of rows, shape (rows, outputs)."""
            numbers, places = rows[:, :count], rows[:, count:].long()
            if waving:
                angle = 2.0 * math.pi * (numbers[:, :, None] * self.waves)
                numbers = torch.cat([angle.sin(), angle.cos()], dim=2).flatten(1)
            vectors = [table(places[:, place]) for place, table in enumerate(self.tables)]
            return self.body(torch.cat([numbers, *vectors], dim=1) if vectors else numbers)

    return Network()
