"""What a table promises as a whole: how many rows, how much of a column may be missing, its mean, its newest time."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import polars as pl

from mlops_compiler.diagnostics import Diagnostic

if TYPE_CHECKING:
    from collections.abc import Iterator

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
    for column in check.columns:
        for finding in _of_column(column, rows[column.name]):
            yield finding, column.severity
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


def _of_column(column: ColumnCheck, values: pl.Series) -> Iterator[Diagnostic]:
    if column.missing is not None and len(values):
        share = values.null_count() / len(values)
        if share > column.missing:
            told = f"column `{column.name}` may be missing in {column.missing:.1%} of the rows, and is in {share:.1%}"
            yield Diagnostic(
                code="contract-missing",
                headline=told,
                span=column.span,
                help="look why it is not filled any more, or raise `missing`",
            )
    if column.mean is not None and values.count():
        low, high = column.mean
        mean = float(values.cast(pl.Float64).to_frame().select(pl.all().mean()).item())
        if not low <= mean <= high:
            yield Diagnostic(
                code="contract-mean",
                headline=f"the mean of column `{column.name}` must lie between {low:g} and {high:g}, and is {mean:g}",
                span=column.span,
                help="look whether its unit or its population changed, or widen `mean`",
            )


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
