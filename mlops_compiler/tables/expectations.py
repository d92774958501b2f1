"""What a table promises as a whole: how many rows, what its columns are like as a whole, its newest time."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import polars as pl

from mlops_compiler.diagnostics import Diagnostic
from mlops_compiler.tables.distribution import asks, departures

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mlops_compiler.diagnostics import Span
    from mlops_compiler.ir.ops.intake import Check, ColumnCheck


def expectations(check: Check, rows: pl.DataFrame, now: datetime | None = None) -> Iterator[tuple[Diagnostic, str]]:
    """Find what a table breaks of its promises.

    Args:
        check: The promises.
        rows: Typed.
        now: What time it is, in UTC.

    Yields:
        Each breach, with the severity that the recipe gives it.
    """
    for finding in _rows(check, rows.height):
        yield finding, "error"
    yield from _of_columns(check.columns, rows)
    if check.fresh is not None:
        name, seconds = check.fresh
        newest = newest_time(rows, name)
        stale = too_old(name, newest, seconds, now or datetime.now(UTC)) if newest is not None else None
        if stale is not None:
            yield stale, "error"


def _rows(check: Check, height: int) -> Iterator[Diagnostic]:
    fewest, most = check.rows
    if fewest is not None and height < fewest:
        yield _row_count(height, f"at least {fewest:,}")
    if most is not None and height > most:
        yield _row_count(height, f"at most {most:,}")


def _row_count(height: int, wanted: str) -> Diagnostic:
    return Diagnostic(
        code="contract-rows",
        headline=f"there must be {wanted} rows, and there are {height:,}",
        help="look whether the source is whole, or change `data.rows`",
    )


def _of_columns(columns: Sequence[ColumnCheck], rows: pl.DataFrame) -> Iterator[tuple[Diagnostic, str]]:
    """Look at all columns in one scan."""
    asked = {
        f"{index}|{key}": expression
        for index, column in enumerate(columns)
        for key, expression in asks(
            column, column.name, is_float=rows.schema[column.name].is_float(), shares=column.shares
        ).items()
    }
    if not asked or not rows.height:
        return
    answers = rows.select(**asked).row(0, named=True)
    for index, column in enumerate(columns):
        own = {key.removeprefix(f"{index}|"): value for key, value in answers.items() if key.startswith(f"{index}|")}
        for finding in departures(column, column.name, own, column.shares):
            yield finding, column.severity


def newest_time(rows: pl.DataFrame, name: str) -> datetime | None:
    """Give the newest time of a column, in UTC; None where it has none."""
    found = rows[name].cast(pl.Datetime("us")).max()
    return found.replace(tzinfo=UTC) if isinstance(found, datetime) else None


def too_old(name: str, newest: datetime, seconds: float, now: datetime, span: Span | None = None) -> Diagnostic | None:
    """Say that the newest row is older than the recipe allows; None where it is not."""
    age = (now - newest).total_seconds()
    if age <= seconds:
        return None
    when = f"{newest:%Y-%m-%d %H:%M} UTC, {_days(age)} ago"
    return Diagnostic(
        code="contract-stale",
        headline=f"the newest `{name}` is {when}; `data.fresh` allows {_days(seconds)}",
        span=span,
        help="look whether the source is still filled, or take newer rows",
    )


def _days(seconds: float) -> str:
    hours = seconds / 3600
    return f"{hours / 24:,.0f} days" if hours >= 48 else f"{hours:.3g} hours"  # noqa: PLR2004
