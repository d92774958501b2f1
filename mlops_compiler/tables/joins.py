"""Joins at intake: each row meets at most one row of the other table, and never one of its own future.

Keys and times are compared as the recipe's types. The columns themselves stay as the sources give them, and are cast
and counted with all others.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from mlops_compiler.diagnostics import DataError, Diagnostic, Note, listing
from mlops_compiler.ir.schema import DTYPES
from mlops_compiler.tables.casts import SAMPLES, cast_expression

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlops_compiler.diagnostics import Span
    from mlops_compiler.ir.ops.intake import AsOf, Join

_ROW, _TIME, _HIT = "\x00row", "\x00time", "\x00hit"
"""Columns of our own, under names that no recipe can write."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Joined:
    """What a join gave.

    Attributes:
        rows: The rows with the columns added, in their order.
        matched: Rows that found a match.
        unmatched: Rows that found none; an inner join dropped them.
    """

    rows: pl.DataFrame
    matched: int
    unmatched: int


def join(name: str, op: Join, rows: pl.DataFrame, other: pl.DataFrame, span: Span | None = None) -> Joined:
    """Join two tables.

    Args:
        name: The join, for messages.
        op: What is matched and added.
        rows: The rows that get columns.
        other: The other table, as its source gives it.
        span: Where the recipe says it.

    Raises:
        DataError: A key stands more than once in the other table, or nothing matches.
    """
    keys = [f"\x00key{index}" for index in range(len(op.on))]
    left = _keyed(rows.with_row_index(_ROW), [pair[0] for pair in op.on], keys, op.types)
    right = _keyed(other, [pair[1] for pair in op.on], keys, op.types)
    if op.as_of is not None:
        left, right = _timed(left, op.as_of.left, 0.0), _timed(right, op.as_of.right, op.as_of.known_after)
    compared = [*keys, *([_TIME] if op.as_of is not None else [])]
    right = right.drop_nulls(compared)
    _must_be_unique(name, op, right, compared, span)
    added = [pl.col(theirs).alias(ours) for theirs, ours in op.columns]
    right = right.select(*compared, *added, pl.lit(value=True).alias(_HIT))
    found = _as_of(left, right, keys, op.as_of) if op.as_of is not None else _equal(left, right, keys)
    found = found.select(_ROW, _HIT, *(ours for _, ours in op.columns)).sort(_ROW)
    matched = int(found[_HIT].is_not_null().sum())
    if matched == 0:
        raise DataError([_no_match(name, op, span)])
    if rows.height - matched > op.max_unmatched * rows.height:
        raise DataError([_too_few_matches(name, op, rows, found[_HIT].is_null().arg_true().to_list(), span)])
    joined = pl.concat([rows, found.drop(_ROW)], how="horizontal")
    if op.how == "inner":
        joined = joined.filter(pl.col(_HIT).is_not_null())
    return Joined(rows=joined.drop(_HIT), matched=matched, unmatched=rows.height - matched)


def _too_few_matches(name: str, op: Join, rows: pl.DataFrame, lonely: list[int], span: Span | None) -> Diagnostic:
    compared = [ours for ours, _ in op.on] or [op.as_of.left if op.as_of is not None else ""]
    samples = [", ".join(map(repr, rows.select(compared).row(index))) for index in lonely[:SAMPLES]]
    found = f"{len(lonely):,} of {rows.height:,} rows find no match"
    return Diagnostic(
        code="join-unmatched",
        headline=f"join `{name}`: {found}, and {op.max_unmatched:.1%} may",
        span=span,
        notes=(Note(text=f"for instance {listing(compared)}: {'; '.join(dict.fromkeys(samples))}"),),
        help="look whether the other table is whole, or raise `max_unmatched`",
    )


def _keyed(frame: pl.DataFrame, names: Sequence[str], keys: Sequence[str], types: Sequence[str]) -> pl.DataFrame:
    """Add the columns that are compared, each cast to the type that both sides share."""
    return frame.with_columns(
        cast_expression(pl.col(name), to, strict=False, given=frame.schema[name]).alias(key)
        for name, key, to in zip(names, keys, types, strict=True)
    )


def _timed(frame: pl.DataFrame, name: str, delay: float) -> pl.DataFrame:
    """Add the time that is compared: when a row was known, in microseconds; numbers stay numbers."""
    given = frame.schema[name]
    if given.is_numeric():
        return frame.with_columns((pl.col(name).cast(pl.Float64) + delay).alias(_TIME))
    when = cast_expression(pl.col(name), "datetime", strict=False, given=given).cast(DTYPES["datetime"])
    return frame.with_columns((when + pl.duration(microseconds=round(delay * 1e6))).alias(_TIME))


def _equal(left: pl.DataFrame, right: pl.DataFrame, keys: Sequence[str]) -> pl.DataFrame:
    return left.select(_ROW, *keys).join(right, on=list(keys), how="left")


def _as_of(left: pl.DataFrame, right: pl.DataFrame, keys: Sequence[str], op: AsOf) -> pl.DataFrame:
    rows = left.select(_ROW, _TIME, *keys)
    known = rows.drop_nulls([_TIME, *keys]).sort(_TIME)
    within: float | str | None = None if op.within is None else op.within - op.known_after
    if within is not None and not rows.schema[_TIME].is_numeric():
        within = f"{round(float(within) * 1e6)}us"
    found = known.join_asof(
        right.sort(_TIME),
        on=_TIME,
        by=list(keys) or None,
        strategy="backward",
        tolerance=within,
        check_sortedness=False,
    )
    return rows.select(_ROW).join(found.drop(_TIME, *keys), on=_ROW, how="left")


def _must_be_unique(name: str, op: Join, right: pl.DataFrame, compared: list[str], span: Span | None) -> None:
    repeated = right.filter(right.select(compared).is_duplicated())
    if repeated.is_empty():
        return
    named = [theirs for _, theirs in op.on] + ([op.as_of.right] if op.as_of else [])
    keys = repeated.select(named).unique(maintain_order=True)
    samples = "; ".join(", ".join(map(str, row)) for row in keys.head(SAMPLES).iter_rows())
    raise DataError(
        [
            Diagnostic(
                code="join-repeats-keys",
                headline=f"join `{name}`: {keys.height} keys stand more than once in the other table, and a row would "
                "meet several",
                span=span,
                notes=(Note(text=f"{', '.join(named)}: {samples}{'; …' if keys.height > SAMPLES else ''}"),),
                help="match by more columns, by time (`as_of`), or mend the table: repeated rows would weigh more, and "
                "could stand on both sides of the split",
            )
        ]
    )


def _no_match(name: str, op: Join, span: Span | None) -> Diagnostic:
    pairs = [f"{ours} = {theirs}" for ours, theirs in op.on]
    pairs += [f"{op.as_of.left} at or after {op.as_of.right}"] if op.as_of else []
    return Diagnostic(
        code="join-matches-nothing",
        headline=f"join `{name}`: no row finds a match",
        span=span,
        notes=(Note(text=f"matched by {' and '.join(pairs)}"),),
        help="compare some values of both tables: they may be written in different ways",
    )
