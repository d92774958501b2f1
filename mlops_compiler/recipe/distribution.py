"""What a column is like as a whole: how much of it is missing, its mean and spread, its quantiles and levels."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Self

from pydantic import Field, model_validator

from mlops_compiler.recipe.amounts import Share
from mlops_compiler.section import Section

if TYPE_CHECKING:
    from collections.abc import Mapping

_QUANTILE = re.compile(r"p(100|\d{1,2}(\.\d+)?)")


class Statistics(Section):
    """What a column of numbers promises as a whole."""

    missing: Annotated[float, Field(ge=0, le=1)] | None = None
    """The greatest share of values that may be missing."""
    mean: tuple[float, float] | None = None
    """The least and the greatest mean of the column; numbers only."""
    std: tuple[float, float] | None = None
    """The least and the greatest standard deviation of the column; numbers only."""
    quantiles: dict[str, tuple[float, float]] = Field(default_factory=dict)
    """The least and the greatest value of quantiles: ``{p50: [10, 30]}`` bounds the median, `p99.9` what one value of a
    thousand exceeds; numbers only."""

    @model_validator(mode="after")
    def _are_quantiles(self) -> Self:
        for name in self.quantiles:
            if _QUANTILE.fullmatch(name) is None:
                raise ValueError(f"`quantiles.{name}` is no quantile: they are p0 to p100, and p50 is the median")
        return self

    @model_validator(mode="after")
    def _low_before_high(self) -> Self:
        quantiles = {f"quantiles.{name}": pair for name, pair in self.quantiles.items()}
        _in_order({"mean": self.mean, "std": self.std, **quantiles})
        return self


class Distribution(Statistics):
    """What a column promises as a whole."""

    shares: dict[str, tuple[Share, Share]] = Field(default_factory=dict)
    """The least and the greatest share that a level may have of the values: ``{Two year: [20%, 30%]}``."""

    @model_validator(mode="after")
    def _least_before_most(self) -> Self:
        _in_order({f"shares.{name}": pair for name, pair in self.shares.items()})
        return self


def _in_order(bounds: Mapping[str, tuple[float, float] | None]) -> None:
    for name, pair in bounds.items():
        if pair is not None and not pair[0] <= pair[1]:
            raise ValueError(f"`{name}` needs low <= high, not [{pair[0]:g}, {pair[1]:g}]")
