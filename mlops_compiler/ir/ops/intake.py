"""The verbs of intake: from sources to one typed, checked table that is kept."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, Literal

if TYPE_CHECKING:
    from mlops_compiler.diagnostics import Span
    from mlops_compiler.ir.domain import Scalar


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """Read a source.

    Attributes:
        path: As the recipe writes it; where it lies is the run's business. A pattern stands for many files. Of
            PostgreSQL its address, or ``secret:`` and the variable of the environment that holds it.
        separator: CSV only.
        null_values: Texts that mean a missing value; CSV only.
        table: The table of a database; SQL only, as is `query`.
        query: What is asked of a database.
        version: Of a Delta table, the last where it is not given.
        origin: The path of the source, where its rows are read from where intakes put them.
    """

    verb: ClassVar[str] = "read"
    kind: Literal["csv", "parquet", "ndjson", "delta", "sql", "postgresql"]
    path: str
    separator: str = ","
    null_values: tuple[str, ...] = ()
    table: str | None = None
    query: str | None = None
    version: int | None = None
    origin: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """Put the rows of another table below.

    Attributes:
        columns: The columns that both have: the other table's name, and the name here.
    """

    verb: ClassVar[str] = "stack"
    columns: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AsOf:
    """Match the last row that was known at a time.

    Attributes:
        left: The column of time of the rows.
        right: That of the other table.
        within: How old a match may be by its own time, in seconds (in the column's unit where times are numbers).
        known_after: How long after its time a row of the other table is known; in the same unit.
    """

    left: str
    right: str
    within: float | None = None
    known_after: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Join:
    """Add columns of another table to each row.

    Attributes:
        on: Pairs of columns that must be equal: one of the rows, one of the other table.
        types: The type of the recipe language that each pair is compared as.
        as_of: How times are matched, if they are.
        columns: What is added: the other table's name, and the name here.
        how: ``left`` keeps rows without a match, ``inner`` drops them.
        times: Columns of time of the other table that are not matched; for those who check, not for the join.
    """

    verb: ClassVar[str] = "join"
    on: tuple[tuple[str, str], ...]
    types: tuple[str, ...]
    as_of: AsOf | None
    columns: tuple[tuple[str, str], ...]
    how: Literal["left", "inner"]
    max_unmatched: float = 1.0
    times: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class References:
    """Check that values stand in another table; the rows stay as they are.

    Attributes:
        on: Pairs of columns: one of the rows, one of the other table.
        types: The type of the recipe language that each pair is compared as.
        max_unmatched: The greatest share of rows whose values do not stand there.
        severity: Whether a breach ends the run.
    """

    verb: ClassVar[str] = "match"
    on: tuple[tuple[str, str], ...]
    types: tuple[str, ...]
    max_unmatched: float = 0.0
    severity: Literal["error", "warn"] = "error"


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """Add what other rows of the same group say, in the order of time.

    Attributes:
        kind: ``lag``, ``difference``, ``rolling`` or ``forward_fill``.
        columns: Columns of numbers.
        by: The columns that make the groups.
        time: The column that orders the rows.
        periods: How many rows back, of a lag or a difference; a negative number looks ahead.
        window: Of how many rows a rolling statistic is.
        statistics: Which rolling statistics.
        limit: Over how many rows a value is carried at most; None for any number.
    """

    verb: ClassVar[str] = "history"
    kind: Literal["lag", "difference", "rolling", "forward_fill"]
    columns: tuple[str, ...]
    by: tuple[str, ...]
    time: str
    periods: tuple[int, ...] = ()
    window: int = 0
    statistics: tuple[str, ...] = ()
    limit: int | None = None

    @property
    def made(self) -> dict[str, tuple[str, str, int]]:
        """Map each column that is made to the column that it comes from, how, and over how many rows."""
        if self.kind == "rolling":
            return {
                f"{name}_{kind}_of_{self.window}": (name, kind, self.window)
                for name in self.columns
                for kind in self.statistics
            }
        if self.kind == "forward_fill":
            return {f"{name}_filled": (name, "forward_fill", self.limit or 0) for name in self.columns}
        words = {"lag": "lag", "difference": "diff"}
        return {
            f"{name}_{words[self.kind] if number > 0 else 'lead'}_{abs(number)}": (name, self.kind, number)
            for name in self.columns
            for number in self.periods
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Population:
    """Keep the rows that the recipe is about, and compute their target.

    Attributes:
        where: A SQL expression that is true for the rows to keep; None for all.
        target: The target's name and the SQL expression that it is; None where the source has it.
    """

    verb: ClassVar[str] = "select"
    where: str | None
    target: tuple[str, str] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Like:
    """Be distributed as in a version of the data that was kept.

    Attributes:
        version: Its number; None for the newest other one.
        measure: ``distance`` or ``psi``.
        at_most: How far a column may be from it.
    """

    version: int | None
    measure: Literal["distance", "psi"]
    at_most: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnCheck:
    """What one column must keep; a type of the recipe language, and bounds."""

    name: str
    type: str
    nullable: bool
    unique: bool = False
    range: tuple[float, float] | None = None
    one_of: tuple[Scalar, ...] | None = None
    pattern: str | None = None
    weighs: bool | None = None
    """Set where it is the weight of its row: a finite number above 0."""
    missing: float | None = None
    mean: tuple[float, float] | None = None
    std: tuple[float, float] | None = None
    quantiles: tuple[tuple[str, float, float], ...] | None = None
    """Such as ``("p50", 10, 30)``."""
    shares: tuple[tuple[str, float, float], ...] | None = None
    """Of levels, each with the least and the greatest share of the values."""
    like: Like | None = None
    severity: Literal["error", "warn"] = "error"
    description: str | None = None
    inferred: bool | None = None
    """Set where the type is what the first rows suggest, and nothing declares it."""
    span: Span | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """Give every column its type and check the contract."""

    verb: ClassVar[str] = "check"
    columns: tuple[ColumnCheck, ...]
    max_loss: float
    key: str | None = None
    """The column that names a row."""
    rows: tuple[int | None, int | None] = (None, None)
    """The fewest and the most rows."""
    fresh: tuple[str, float] | None = None
    """The column of time, and how many seconds old its newest value may be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """Keep the checked table as an immutable, content-addressed file."""

    verb: ClassVar[str] = "snapshot"
