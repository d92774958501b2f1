"""Joins at intake: each row meets at most one row of the other table, and never one of its own future.

Keys and times are compared as the recipe's types. The columns themselves stay as the sources give them, and are cast
and counted with all others.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import polars as pl

from mlops_compiler.diagnostics import DataError, Diagnostic, Note, listing
from mlops_compiler.ir.schema import DTYPES
from mlops_compiler.tables.casts import SAMPLES, cast_expression
from mlops_compiler.tables.stream import Stream

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

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


@dataclass(slots=True, kw_only=True)
class Tally:
    """What a join found while its rows went by.

    Attributes:
        matched: Rows that found a match.
        unmatched: Rows that found none.
        samples: What is compared, of the first of those.
    """

    matched: int = 0
    unmatched: int = 0
    samples: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Joiner:
    """A join whose other table is at hand.

    Attributes:
        name: The join, for messages.
        op: What is matched and added.
        keys: Names for the columns that must be equal.
        other: The rows that can be met: what is compared, what is added, and a mark that there was a match.
        tally: What was found by the last whole reading.
        span: Where the recipe says it.
    """

    name: str
    op: Join
    keys: list[str]
    other: pl.DataFrame
    tally: Tally
    span: Span | None

    @staticmethod
    def reads(op: Join) -> list[str]:
        """Name the columns of the other table that a join needs."""
        times = [op.as_of.right] if op.as_of is not None else []
        return list(dict.fromkeys((*(theirs for _, theirs in op.on), *times, *(theirs for theirs, _ in op.columns))))

    @classmethod
    def of(cls, name: str, op: Join, other: pl.DataFrame, span: Span | None = None) -> Joiner:
        """Make the other table ready.

        Args:
            name: The join, for messages.
            op: What is matched and added.
            other: The other table, as its source gives it.
            span: Where the recipe says it.

        Raises:
            DataError: A key stands more than once in it.
        """
        keys = [f"\x00key{index}" for index in range(len(op.on))]
        right = _keyed(other, [pair[1] for pair in op.on], keys, op.types)
        if op.as_of is not None:
            right = _timed(right, op.as_of.right, op.as_of.known_after)
        compared = [*keys, *([_TIME] if op.as_of is not None else [])]
        right = right.drop_nulls(compared)
        _must_be_unique(name, op, right, compared, span)
        added = [pl.col(theirs).alias(ours) for theirs, ours in op.columns]
        right = right.select(*compared, *added, pl.lit(value=True).alias(_HIT))
        right = right.sort(_TIME) if op.as_of is not None else right
        return cls(name=name, op=op, keys=keys, other=right, tally=Tally(), span=span)

    def join(self, rows: Stream) -> Stream:
        """Add the columns to rows, which keep their order; only the other table is held.

        Raises:
            DataError: Once all rows were read: nothing matches, or too few do.
        """
        added = {ours: self.other.schema[ours] for _, ours in self.op.columns}
        return Stream(schema={**rows.schema, **added}, read=lambda names: self._read(rows, names, set(added)))

    def meet(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Add the columns to rows that are asked for one by one: none is dropped, and none has to find a match."""
        found = self._found(rows)
        self._count(rows, found[_HIT].is_not_null())
        return pl.concat([rows, found.select(ours for _, ours in self.op.columns)], how="horizontal")

    def _read(self, rows: Stream, names: list[str], added: set[str]) -> Iterator[pl.DataFrame]:
        self.tally.matched, self.tally.unmatched, self.tally.samples = 0, 0, []
        wanted = dict.fromkeys((*(name for name in names if name not in added), *self._compared()))
        for part in _as_many(rows.batches(wanted), self.other.height):
            found = self._found(part)
            hit = found[_HIT].is_not_null()
            self._count(part, hit)
            joined = pl.concat([part, found.select(ours for _, ours in self.op.columns)], how="horizontal")
            yield joined.filter(hit) if self.op.how == "inner" else joined
        self._judge()

    def _compared(self) -> list[str]:
        return [ours for ours, _ in self.op.on] + ([self.op.as_of.left] if self.op.as_of is not None else [])

    def _found(self, part: pl.DataFrame) -> pl.DataFrame:
        """Give for each row, in order, what is added to it."""
        left = _keyed(part.with_row_index(_ROW), [pair[0] for pair in self.op.on], self.keys, self.op.types)
        if self.op.as_of is None:
            found = left.select(_ROW, *self.keys).join(self.other, on=self.keys, how="left")
        else:
            found = _as_of(_timed(left, self.op.as_of.left, 0.0), self.other, self.keys, self.op.as_of)
        return found.select(_ROW, _HIT, *(ours for _, ours in self.op.columns)).sort(_ROW)

    def _count(self, part: pl.DataFrame, hit: pl.Series) -> None:
        matched = int(hit.sum())
        self.tally.matched += matched
        self.tally.unmatched += part.height - matched
        compared = [ours for ours, _ in self.op.on] or self._compared()
        lonely = (~hit).arg_true().head(SAMPLES - len(self.tally.samples)).to_list()
        self.tally.samples += [", ".join(map(repr, part.select(compared).row(index))) for index in lonely]

    def _judge(self) -> None:
        rows = self.tally.matched + self.tally.unmatched
        if self.tally.matched == 0:
            raise DataError([_no_match(self.name, self.op, self.span)])
        if self.tally.unmatched > self.op.max_unmatched * rows:
            compared = [ours for ours, _ in self.op.on] or self._compared()
            raise DataError([_too_few_matches(self, rows, compared)])


def join(name: str, op: Join, rows: pl.DataFrame, other: pl.DataFrame, span: Span | None = None) -> Joined:
    """Join two tables that are at hand.

    Raises:
        DataError: A key stands more than once in the other table, or too few rows match, or none.
    """
    joiner = Joiner.of(name, op, other, span)
    found = joiner.join(Stream.of(rows)).collect()
    return Joined(rows=found, matched=joiner.tally.matched, unmatched=joiner.tally.unmatched)


def _as_many(batches: Iterator[pl.DataFrame], rows: int) -> Iterator[pl.DataFrame]:
    """Put batches together until they are as long as the other table, which each of them has to be matched with."""
    waiting: list[pl.DataFrame] = []
    for part in batches:
        waiting.append(part)
        if sum(item.height for item in waiting) >= rows:
            yield pl.concat(waiting, rechunk=True)
            waiting = []
    if waiting:
        yield pl.concat(waiting, rechunk=True)


def _too_few_matches(joiner: Joiner, rows: int, compared: list[str]) -> Diagnostic:
    found = f"{joiner.tally.unmatched:,} of {rows:,} rows find no match"
    return Diagnostic(
        code="join-unmatched",
        headline=f"join `{joiner.name}`: {found}, and {joiner.op.max_unmatched:.1%} may",
        span=joiner.span,
        notes=(Note(text=f"for instance {listing(compared)}: {'; '.join(dict.fromkeys(joiner.tally.samples))}"),),
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


def _as_of(left: pl.DataFrame, right: pl.DataFrame, keys: Sequence[str], op: AsOf) -> pl.DataFrame:
    rows = left.select(_ROW, _TIME, *keys)
    known = rows.drop_nulls([_TIME, *keys]).sort(_TIME)
    within: float | str | None = None if op.within is None else op.within - op.known_after
    if within is not None and not rows.schema[_TIME].is_numeric():
        within = f"{round(float(within) * 1e6)}us"
    found = known.join_asof(
        right,
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
