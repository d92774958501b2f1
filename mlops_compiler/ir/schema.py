"""A schema says what every column is before any row is read: type, role, when it is known, where it comes from."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


class Role(StrEnum):
    """What a column is for."""

    FEATURE = "feature"
    TARGET = "target"
    KEY = "key"
    TIME = "time"
    GROUP = "group"
    WEIGHT = "weight"
    IGNORED = "ignored"


class Known(StrEnum):
    """When the value of a column is known."""

    BEFORE_PREDICTION = "before_prediction"
    AFTER_OUTCOME = "after_outcome"


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column of a table edge.

    Attributes:
        name: Its name. A column whose full name depends on the data (a level of a one-hot encoding)
            is named with a star, ``contract=*``, and stands for all of them.
        dtype: Its Polars type.
        role: What it is for.
        known: When its value is known.
        origins: The columns of the source that it is computed from, sorted.
    """

    name: str
    dtype: pl.DataType
    role: Role = Role.FEATURE
    known: Known = Known.BEFORE_PREDICTION
    origins: tuple[str, ...] = ()

    @property
    def is_numeric(self) -> bool:
        """Whether it holds numbers (booleans are none)."""
        return self.dtype.is_numeric()

    @property
    def is_categorical(self) -> bool:
        """Whether it holds texts or levels (booleans are none)."""
        return isinstance(self.dtype, pl.String | pl.Categorical | pl.Enum)

    @property
    def is_model_ready(self) -> bool:
        """Whether an estimator can take it as a number."""
        return self.dtype.is_numeric() or self.dtype == pl.Boolean

    @property
    def is_open(self) -> bool:
        """Whether it stands for columns that only the data can name."""
        return self.name.endswith("*")


@dataclass(frozen=True, slots=True)
class Schema:
    """The columns of a table, in order; names are unique."""

    columns: tuple[Column, ...]

    def __post_init__(self) -> None:
        if len(set(self.names)) != len(self.columns):
            repeated = next(name for name in self.names if self.names.count(name) > 1)
            raise ValueError(f"column {repeated!r} stands twice in a schema")

    @property
    def names(self) -> tuple[str, ...]:
        """The columns' names, in order."""
        return tuple(column.name for column in self.columns)

    def __iter__(self) -> Iterator[Column]:
        return iter(self.columns)

    def __len__(self) -> int:
        return len(self.columns)

    def __contains__(self, name: object) -> bool:
        return name in self.names

    def __getitem__(self, name: str) -> Column:
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(name)

    def with_role(self, role: Role) -> tuple[Column, ...]:
        """The columns of one role, in order."""
        return tuple(column for column in self.columns if column.role is role)

    @property
    def features(self) -> tuple[Column, ...]:
        """The columns that a model may see."""
        return self.with_role(Role.FEATURE)

    def select(self, names: Iterable[str]) -> Schema:
        """Keep the named columns, in this schema's order."""
        kept = set(names)
        return Schema(tuple(column for column in self.columns if column.name in kept))

    def empty_frame(self) -> pl.DataFrame:
        """Make a frame of zero rows with these columns; open ones are left out."""
        return pl.DataFrame(schema={column.name: column.dtype for column in self.columns if not column.is_open})


def dtype_name(dtype: pl.DataType) -> str:
    """Name a type as recipes do: ``int``, ``float``, ``text``, ...; Polars's own name where they have none."""
    if dtype.is_integer():
        return "int"
    if dtype.is_float():
        return "float"
    names = {pl.String: "text", pl.Boolean: "bool", pl.Date: "date", pl.Categorical: "category"}
    for kind, name in names.items():
        if dtype == kind:
            return name
    return "datetime" if isinstance(dtype, pl.Datetime) else str(dtype)


DTYPES: dict[str, pl.DataType] = {
    "int": pl.Int64(),
    "float": pl.Float64(),
    "bool": pl.Boolean(),
    "text": pl.String(),
    "category": pl.String(),
    "date": pl.Date(),
    "datetime": pl.Datetime("us"),
}
"""The Polars type of each type that a recipe can name. Categories are texts with a set of allowed values: a
physical category code would differ between a request and a file."""
