"""Adds what was delivered to what was taken before: each row once, though it comes again, late, or in other pieces.

A row is known by its key, or by all of its values where it has none. Of equal rows without a key there are then as many
as the delivery with the most of them has: rows that are equal for good reasons stay, a file that comes again adds none.
Deliveries taken one by one, or many at once, give the same rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Literal

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from mlops_compiler.tables.beyond import Mark, Value

PART = "__part"
"""The column that says which delivery a row is of."""
_PLACE, _MARK, _TIME, _OLD = "__place", "__mark", "__time", "__old_mark"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """How rows that come again are known.

    Attributes:
        key: The columns that name a row; none where all do.
        keep: Which row stays where a key comes again with other values.
        mark: The watermark, where there is one.
    """

    key: tuple[str, ...] = ()
    keep: Literal["last", "first"] = "last"
    mark: Mark | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Accumulated:
    """What became of a delivery.

    Attributes:
        added: The rows that are put below those that were there.
        gone: The keys of the rows that were there and whose place others take.
        new: Rows that were added; those that are `late` among them.
        late: Rows that were added although they lie behind the watermark.
        changed: Rows that took the place of others of their key, with other values.
        superseded: Rows that came with a key of which another row stays, with other values.
        repeated: Rows that were there already.
        unmarked: Rows that were left out, for they have no watermark.
        too_late: Rows that were left out, for they lie further behind the watermark than they may.
        mark: The watermark now: the greatest, but never past the clock.
    """

    added: pl.DataFrame
    gone: pl.DataFrame
    new: int
    late: int
    changed: int
    superseded: int
    repeated: int
    unmarked: int
    too_late: int
    mark: Value | None


def accumulate(stored: pl.LazyFrame | None, delivered: pl.DataFrame, rules: Rules, now: datetime) -> Accumulated:
    """Add a delivery.

    Args:
        stored: What was taken before, of the columns and types of `delivered`; None where nothing was.
        delivered: The rows that came, with the number of their delivery in `PART`.
        rules: How rows that come again are known.
        now: What time it is, in UTC: a row that is dated tomorrow is taken, and hides none that come after it.
    """
    columns = [name for name in delivered.columns if name != PART]
    marks = rules.mark.of(delivered.schema) if rules.mark is not None else pl.lit(0)
    fresh = delivered.with_row_index(_PLACE).with_columns(marks.alias(_MARK))
    marked = fresh.filter(pl.col(_MARK).is_not_null())
    old = delivered.clear().select(columns).lazy() if stored is None else stored.select(columns)
    found = _by_key(old, marked, columns, rules) if rules.key else _by_content(old, marked, columns)
    taken, too_late = _in_time(found.new, rules.mark)
    added = pl.concat([taken, found.changed.select(taken.columns)]).sort(_PLACE).select(columns)
    return Accumulated(
        added=added,
        gone=found.changed.select(rules.key),
        new=taken.height,
        late=_late(taken, rules.mark),
        changed=found.changed.height,
        superseded=found.superseded,
        repeated=found.repeated,
        unmarked=fresh.height - marked.height,
        too_late=too_late,
        mark=_advanced(rules.mark, marked, now),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """Rows that are new, those that take the place of others, and how many are of no more use."""

    new: pl.DataFrame
    changed: pl.DataFrame
    superseded: int
    repeated: int


def _by_key(stored: pl.LazyFrame, fresh: pl.DataFrame, columns: list[str], rules: Rules) -> _Found:
    key = list(rules.key)
    distinct = fresh.unique(columns, keep=rules.keep, maintain_order=True)
    ordered = distinct.sort(_MARK, _PLACE) if rules.keep == "last" else distinct
    chosen = ordered.unique(key, keep=rules.keep, maintain_order=True).sort(_PLACE)
    marks = rules.mark.of(fresh.schema) if rules.mark is not None else pl.lit(0)
    old = (
        stored.join(chosen.lazy().select(key), on=key, how="semi", nulls_equal=True)
        .with_columns(marks.alias(_OLD))
        .collect(engine="streaming")
    )
    other = chosen.join(old, on=columns, how="anti", nulls_equal=True, maintain_order="left")
    new = other.join(old, on=key, how="anti", nulls_equal=True, maintain_order="left")
    met = other.join(old.select(*key, _OLD), on=key, how="inner", nulls_equal=True, maintain_order="left")
    wins = met.filter((pl.col(_MARK) >= pl.col(_OLD)) if rules.keep == "last" else pl.lit(value=False)).drop(_OLD)
    return _Found(
        new=new,
        changed=wins,
        superseded=distinct.height - chosen.height + met.height - wins.height,
        repeated=fresh.height - distinct.height + chosen.height - other.height,
    )


def _by_content(stored: pl.LazyFrame, fresh: pl.DataFrame, columns: list[str]) -> _Found:
    """Count of each row how often a delivery has it, and take what goes beyond what is there."""
    counted = fresh.with_columns(pl.int_range(pl.len()).over([*columns, PART]).alias(_TIME))
    most = counted.unique([*columns, _TIME], keep="first", maintain_order=True)
    known = stored.join(fresh.lazy().select(columns), on=columns, how="semi", nulls_equal=True).collect(
        engine="streaming"
    )
    known = known.with_columns(pl.int_range(pl.len()).over(columns).alias(_TIME))
    new = most.join(known, on=[*columns, _TIME], how="anti", nulls_equal=True, maintain_order="left").drop(_TIME)
    return _Found(new=new, changed=new.clear(), superseded=0, repeated=fresh.height - new.height)


def _in_time(new: pl.DataFrame, mark: Mark | None) -> tuple[pl.DataFrame, int]:
    if mark is None or (bound := mark.bound) is None:
        return new, 0
    taken = new.filter(pl.col(_MARK) >= bound)
    return taken, new.height - taken.height


def _late(taken: pl.DataFrame, mark: Mark | None) -> int:
    return 0 if mark is None or mark.value is None else taken.filter(pl.col(_MARK) < mark.value).height


def put_together(stored: Iterable[pl.DataFrame], delivered: Accumulated) -> Iterator[pl.DataFrame]:
    """Put what is added below what was there, batch by batch; rows that take the place of others come below, too."""
    gone = delivered.gone
    for part in stored:
        if gone.height:
            yield part.join(gone, on=gone.columns, how="anti", nulls_equal=True, maintain_order="left")
        else:
            yield part
    yield delivered.added


def _advanced(mark: Mark | None, marked: pl.DataFrame, now: datetime) -> Value | None:
    """The watermark after a delivery; a day or time that is yet to come would hide all rows before it."""
    if mark is None:
        return None
    greatest = marked[_MARK].max()
    clock = now.astimezone(UTC).replace(tzinfo=None)
    if isinstance(greatest, datetime):
        greatest = min(greatest, clock)
    elif isinstance(greatest, date):
        greatest = min(greatest, clock.date())
    known = [value for value in (mark.value, greatest) if value is not None]
    return max(known, default=None)  # type: ignore[return-value]
