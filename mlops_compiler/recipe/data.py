"""`data:` says where the rows come from and what they must look like."""

from __future__ import annotations

import math
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from mlops_compiler.recipe.amounts import Delay, Duration, Share
from mlops_compiler.recipe.distribution import Distribution
from mlops_compiler.recipe.history import AnyPast
from mlops_compiler.recipe.intake import AnyIntake, ByNewFiles
from mlops_compiler.recipe.names import Name
from mlops_compiler.recipe.sources import DeltaSource, Source, SqlSource
from mlops_compiler.section import Section

ColumnType = Literal["int", "float", "bool", "text", "category", "date", "datetime"]
Known = Literal["before_prediction", "after_outcome"]


class AsOf(Section):
    """Take of the other table the last row that was known at the time of each row."""

    time: Annotated[str, Field(min_length=1)]
    """The other table's column of time; that of the rows is `data.time`."""
    within: Duration | None = None
    """How old a row may be; of any age where it is not given."""
    known_after: Delay = 0.0
    """How long after its time a row of the other table is known, as a forecast or a delayed report is."""

    @model_validator(mode="after")
    def _can_match(self) -> Self:
        if self.within is not None and self.within < self.known_after:
            raise ValueError("a row is older than `within` before it is known: `within` must be at least `known_after`")
        return self


class Join(Section):
    """Columns of another table, added to each row."""

    source: Source
    """Where the other table comes from."""
    by: str | tuple[str, ...] | dict[str, str] = ()
    """The columns that must be equal; as a mapping, a column of the rows to one of the other table."""
    as_of: AsOf | None = None
    """Where both have a time: the last row that was known by then."""
    columns: Annotated[tuple[str, ...], Field(min_length=1)] | None = None
    """What is added; all but those that are matched, where it is not given."""
    prefix: str = ""
    """Put before the names of what is added."""
    how: Literal["left", "inner"] = "left"
    """What becomes of rows that find no match: ``left`` keeps them without values, ``inner`` drops them."""
    max_unmatched: Annotated[float, Field(ge=0, le=1)] = 1.0
    """The greatest share of rows that may find no match."""

    @model_validator(mode="after")
    def _matches_something(self) -> Self:
        if not self.by and self.as_of is None:
            raise ValueError("a join needs `by`, `as_of`, or both")
        return self

    @property
    def pairs(self) -> tuple[tuple[str, str], ...]:
        """The columns that must be equal: one of the rows, and one of the other table."""
        return pairs_of(self.by)


class References(Section):
    """Values that must stand in another table, of which nothing is added."""

    source: Source
    """Where the other table comes from."""
    by: Annotated[str, Field(min_length=1)] | Annotated[tuple[str, ...] | dict[str, str], Field(min_length=1)]
    """The columns whose values must stand there, together; as a mapping, a column of the rows to one of the table."""
    max_unmatched: Share = 0.0
    """The greatest share of rows whose values do not stand there; a row that lacks one of them is not asked."""
    severity: Literal["error", "warn"] = "error"
    """Whether a breach ends the run, or is told beside it."""

    @property
    def pairs(self) -> tuple[tuple[str, str], ...]:
        """The columns that are compared: one of the rows, and one of the other table."""
        return pairs_of(self.by)


def pairs_of(by: str | tuple[str, ...] | dict[str, str]) -> tuple[tuple[str, str], ...]:
    """List the columns that must be equal: one of the rows, and one of the other table."""
    if isinstance(by, dict):
        return tuple(by.items())
    names = (by,) if isinstance(by, str) else by
    return tuple((name, name) for name in names)


class Stack(Section):
    """Rows of another table, put below those of the source."""

    source: Source
    """Where the other table comes from."""
    rename: dict[str, str] = Field(default_factory=dict)
    """Its columns that are called otherwise in the source: its name, and the source's."""


class Like(Section):
    """A column is distributed as in a version of the data that was kept."""

    version: Literal["previous"] | Annotated[int, Field(ge=1)] = "previous"
    """Which version (`mlops-compile data list`), or the one before."""
    measure: Literal["distance", "psi"] = "distance"
    """``distance`` is from 0 to 1: Kolmogorov and Smirnov's for numbers and times, the total variation for levels;
    ``psi`` is the population stability index."""
    at_most: Annotated[float, Field(gt=0)] = 0.1
    """How far it may be from it."""


class ColumnContract(Distribution):
    """What one column promises; checked when data are taken in, and again at the service."""

    type: ColumnType | None = None
    """The type; inferred from the source where it is not given."""
    nullable: bool = False
    """Whether values may be missing."""
    range: tuple[float, float] | None = None
    """The least and the greatest value, both included; numbers only."""
    one_of: tuple[str | int | bool, ...] | None = None
    """The values allowed."""
    pattern: Annotated[str, Field(min_length=1)] | None = None
    """A regular expression that each value matches as a whole; texts only."""
    unique: bool = False
    """Whether no value may stand in two rows; checked at intake, as is what the column is like as a whole."""
    like: Literal["previous"] | Like | None = None
    """Whether it must be distributed as before; checked at intake."""
    severity: Literal["error", "warn"] = "error"
    """Whether a breach ends the run, or is told beside it; the service takes what a warning is about."""
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
        if self.pattern is not None and self.type not in (None, "text", "category"):
            raise ValueError(f"`pattern` is for texts; the type here is {self.type}")
        if self.pattern is not None and self.one_of is not None:
            raise ValueError("`pattern` and `one_of` are two ways to say the same; keep one")
        if self.missing is not None and not self.nullable:
            raise ValueError("`missing` bounds what may be missing, and nothing may: say `nullable: true`")
        if self.range is not None and self.one_of is not None:
            raise ValueError("`range` and `one_of` are two ways to say the same; keep one")
        if self.one_of is not None and len(self.one_of) == 0:
            raise ValueError("`one_of` needs at least one value")
        return self


class Keeping(Section):
    """How the tables that are taken in are kept, and what is to be known of them."""

    licence: str | None = None
    """Under which licence or agreement the data may be used."""
    personal: tuple[str, ...] = ()
    """Columns that hold personal data."""
    retention: Duration | None = None
    """How long a version may be kept: ``365d``; `data list` marks those that are older."""
    backups: tuple[Annotated[str, Field(min_length=1)], ...] = ()
    """Folders or URLs to which each version is copied, and read back."""


class RowCount(Section):
    """How many rows there must be."""

    at_least: Annotated[int, Field(ge=1)] | None = None
    """The fewest."""
    at_most: Annotated[int, Field(ge=1)] | None = None
    """The most."""

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.at_least is not None and self.at_most is not None and self.at_least > self.at_most:
            raise ValueError(f"`at_least` is {self.at_least} and `at_most` is {self.at_most}")
        return self


class Data(Section):
    """The source and its contract."""

    source: Source
    """Where the rows come from."""
    intake: AnyIntake = None
    """How the source is taken in piece by piece, by ``mlops-compile intake``; as a whole, where it is not given."""
    stack: dict[Name, Stack] = Field(default_factory=dict)
    """Other tables with the columns of the source, whose rows are put below its own, in the order written."""
    join: dict[Name, Join] = Field(default_factory=dict)
    """Other tables, joined in the order written."""
    references: dict[Name, References] = Field(default_factory=dict)
    """Other tables in which values of columns must stand; checked at intake."""
    history: dict[Name, AnyPast] = Field(default_factory=dict)
    """What earlier rows of the same group say to each row, by `time`; after the joins, in the order written."""
    where: Annotated[str, Field(min_length=1)] | None = None
    """A SQL expression that is true for the rows that the recipe is about; the others are left out at intake."""
    key: str | None = None
    """The column that names a row; unique, and never a feature."""
    time: str | None = None
    """The column that says when a row was true; no feature itself, and rows may be split by it."""
    group: str | Annotated[tuple[str, ...], Field(min_length=1)] | None = None
    """The column that says which rows belong together, as all of one patient, or columns that do together; no features
    themselves. They stay on one side of a split that is grouped or in order of time."""
    weight: str | None = None
    """The column that says how much a row counts, where it is learned from and where it is scored; no feature."""
    ignore: tuple[str, ...] = ()
    """Columns of the source that are read by nobody."""
    columns: dict[str, ColumnContract] = Field(default_factory=dict)
    """The contract. A column that is not named here is taken with its inferred type, and may be missing."""
    snapshot: Keeping = Keeping()
    """How the tables that are taken in are kept."""
    version: Annotated[int, Field(ge=1)] | None = None
    """Take a version that was kept (`mlops-compile data list`) instead of the source as it is now."""
    rows: RowCount = RowCount()
    """How many rows intake must give."""
    fresh: Duration | None = None
    """How old the newest `time` may be when rows are taken in: ``2d``; older data end the run, or warn where reused."""
    max_loss: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """The greatest share of values of a column that may be lost by its cast before intake fails."""

    @model_validator(mode="after")
    def _has_something_new(self) -> Self:
        files, database = isinstance(self.intake, ByNewFiles), isinstance(self.source, SqlSource)
        if files and database:
            raise ValueError("a database is not made of files that come: take its rows in by `watermark`")
        if self.intake is not None and isinstance(self.source, DeltaSource) and self.source.version is not None:
            raise ValueError("`source.version` is always the same table: nothing new could ever be taken in")
        return self

    @property
    def groups(self) -> tuple[str, ...]:
        """The columns that say together which rows belong together."""
        return (self.group,) if isinstance(self.group, str) else self.group or ()

    @property
    def roles(self) -> tuple[tuple[str, str], ...]:
        """The columns that are no features for what they are: each with ``key``, ``time``, ``group`` or ``weight``."""
        groups = (("group", name) for name in self.groups)
        named = (("key", self.key), ("time", self.time), *groups, ("weight", self.weight))
        return tuple((role, name) for role, name in named if name is not None)
