"""`data:` says where the rows come from and what they must look like."""

from __future__ import annotations

import math
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from mlops_compiler.section import Section

ColumnType = Literal["int", "float", "bool", "text", "category", "date", "datetime"]
Known = Literal["before_prediction", "after_outcome"]


class CsvSource(Section):
    """A file of comma-separated values with a header."""

    kind: Literal["csv"]
    path: Annotated[str, Field(min_length=1)]
    """Relative to the recipe's folder."""
    separator: Annotated[str, Field(min_length=1, max_length=1)] = ","
    """The character between two values."""
    null_values: tuple[str, ...] = ("", "NA")
    """Texts that mean a missing value."""


class ParquetSource(Section):
    """A Parquet file."""

    kind: Literal["parquet"]
    path: Annotated[str, Field(min_length=1)]
    """Relative to the recipe's folder."""


Source = Annotated[CsvSource | ParquetSource, Field(discriminator="kind")]


class ColumnContract(Section):
    """What one column promises; checked when data are taken in, and again at the service."""

    type: ColumnType | None = None
    """The type; inferred from the source where it is not given."""
    nullable: bool = False
    """Whether values may be missing."""
    range: tuple[float, float] | None = None
    """The least and the greatest value, both included; numbers only."""
    one_of: tuple[str | int | bool, ...] | None = None
    """The values allowed."""
    known: Known = "before_prediction"
    """When the value is known; one known only after the outcome may never reach a feature."""
    description: str | None = None
    """What it holds, for people; shown in the report and at the service."""

    @model_validator(mode="after")
    def _bounds_make_sense(self) -> Self:
        if self.range is not None and (self.range[0] > self.range[1] or any(map(math.isnan, self.range))):
            raise ValueError(f"`range` needs low <= high, not [{self.range[0]:g}, {self.range[1]:g}]")
        if self.range is not None and self.type not in (None, "int", "float"):
            raise ValueError(f"`range` bounds numbers; the type here is {self.type}")
        if self.range is not None and self.one_of is not None:
            raise ValueError("`range` and `one_of` are two ways to say the same; keep one")
        if self.one_of is not None and len(self.one_of) == 0:
            raise ValueError("`one_of` needs at least one value")
        return self


class Data(Section):
    """The source and its contract."""

    source: Source
    """Where the rows come from."""
    key: str | None = None
    """The column that names a row; unique, and never a feature."""
    time: str | None = None
    """The column that says when a row was true; no feature itself, and rows may be split by it."""
    group: str | None = None
    """The column that says which rows belong together, as all of one patient; no feature itself."""
    ignore: tuple[str, ...] = ()
    """Columns of the source that are read by nobody."""
    columns: dict[str, ColumnContract] = Field(default_factory=dict)
    """The contract. A column that is not named here is taken with its inferred type, and may be missing."""
    max_loss: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """The greatest share of values of a column that may be lost by its cast before intake fails."""
