"""Reads of a source what lies beyond a watermark, and leaves the rest unread where the source can find it by itself.

A database is asked for those rows only; of Parquet files and Delta tables, whole groups of rows are passed over by the
statistics that they keep. Lines of CSV and JSON have no order that could be trusted: they are read, and filtered after.
What is given may hold more rows than were asked for, and never fewer.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, TypeAlias
from zoneinfo import ZoneInfo

import polars as pl

from mlops_compiler.diagnostics import DataError, Diagnostic, Note
from mlops_compiler.tables import postgres, sqlite
from mlops_compiler.tables.casts import cast_expression
from mlops_compiler.tables.table import files, head, rows

if TYPE_CHECKING:
    from pathlib import Path

    from mlops_compiler.diagnostics import Span
    from mlops_compiler.ir.ops.intake import Read

Value: TypeAlias = int | float | date
"""The value of a watermark; a time has no zone and is in UTC."""
_NATIVE = {"int": pl.Int64, "float": pl.Float64, "date": pl.Date}


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A watermark.

    Attributes:
        column: Its column.
        kind: The type of that: ``int``, ``float``, ``date`` or ``datetime``.
        value: The greatest that was taken; None before the first intake.
        late: How far behind it rows may come; seconds, or in the unit of a number.
    """

    column: str
    kind: str
    value: Value | None = None
    late: float = 0.0

    @property
    def bound(self) -> Value | None:
        """The least value that a row may have which is taken now; None where any may."""
        if isinstance(self.value, date):
            return self.value - timedelta(seconds=self.late)  # from a day, whole days are taken away
        return None if self.value is None else self.value - (int(self.late) if self.kind == "int" else self.late)

    def of(self, schema: pl.Schema) -> pl.Expr:
        """The watermark of each row; missing where there is none, or none that can be read."""
        values = cast_expression(pl.col(self.column), self.kind, strict=False, given=schema[self.column])
        return values.fill_nan(None) if self.kind == "float" else values


def rows_beyond(read: Read, root: Path, mark: Mark, span: Span | None = None) -> pl.DataFrame:
    """Read the rows that lie beyond a watermark, or have none; perhaps some more.

    Args:
        read: How the source is read.
        root: The folder that its path is relative to.
        mark: The watermark; all rows are read where it has no value yet.
        span: Where the recipe names the source.

    Returns:
        The rows, in the order of the source; those without types of their own as texts. There may be none.

    Raises:
        DataError: The source is missing or unreadable.
    """
    bound = mark.bound
    if bound is None:
        return rows(read, root, span)
    if read.kind in ("parquet", "delta"):
        return _scanned(read, root, mark, bound, span)
    if read.kind == "postgresql":
        return _asked(postgres.beyond(read, mark.column, mark.kind, bound, span), root, span)
    if read.kind == "sql":
        head(read, root, span)  # tells what is wrong with it
        try:
            read = sqlite.beyond(read, root / read.path, mark.column, mark.kind, bound)
        except sqlite3.Error as error:
            raise _unreadable(read, error, span) from error
        return _asked(read, root, span)
    return rows(read, root, span)


def _asked(read: Read, root: Path, span: Span | None) -> pl.DataFrame:
    """Ask a database; no answer is one as well here."""
    try:
        return rows(read, root, span)
    except DataError as error:
        if [item.code for item in error.diagnostics] == ["source-empty"]:
            return pl.DataFrame()
        raise


def _scanned(read: Read, root: Path, mark: Mark, bound: Value, span: Span | None) -> pl.DataFrame:
    head(read, root, span)
    if read.kind == "delta":
        scans = [pl.scan_delta(str(root / read.path), version=read.version)]
    else:
        scans = [pl.scan_parquet(path, glob=False) for path in files(read, root)]
    try:
        found = [scan.filter(_reaches(scan.collect_schema(), mark, bound)).collect() for scan in scans]
        names = found[0].columns
        return pl.concat([frame.select(names) for frame in found], how="vertical_relaxed")
    except (pl.exceptions.PolarsError, OSError) as error:
        raise _unreadable(read, error, span) from error


def _reaches(schema: pl.Schema, mark: Mark, bound: Value) -> pl.Expr:
    """Compare the column as the files have it, where they can pass over groups of rows by that."""
    column, dtype = pl.col(mark.column), schema[mark.column]
    if isinstance(dtype, pl.Datetime) and isinstance(bound, datetime):
        least = bound
        if dtype.time_zone is not None:
            least = bound.replace(tzinfo=UTC).astimezone(ZoneInfo(dtype.time_zone))
        return (column >= pl.lit(least, dtype=dtype)) | column.is_null()
    if dtype == _NATIVE.get(mark.kind):
        return (column >= bound) | column.is_null()
    values = mark.of(schema)
    return (values >= bound) | values.is_null()


def _unreadable(read: Read, error: Exception, span: Span | None) -> DataError:
    return DataError(
        [
            Diagnostic(
                code="source-unreadable",
                headline=f"the source {read.path} cannot be read beyond its watermark",
                span=span,
                notes=(Note(text=str(error).strip().split("\n", 1)[0]),),
            )
        ]
    )
