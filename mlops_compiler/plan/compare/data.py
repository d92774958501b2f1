"""What two runs learned from: the source, its rows and columns, and how far each column moved.

Distributions are computed when they are asked for, from the two snapshots; the same snapshot is never read.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import polars as pl

from mlops_compiler.ir.schema import dtype_name
from mlops_compiler.plan.compare.distributions import shift
from mlops_compiler.plan.compare.part import NEITHER, Pair, Part, gained_and_lost
from mlops_compiler.plan.compare.sides import not_recorded

if TYPE_CHECKING:
    import io
    from collections.abc import Callable
    from pathlib import Path

    from mlops_compiler.plan.compare.distributions import ColumnShift
    from mlops_compiler.plan.compare.sides import Side

    Open: TypeAlias = Callable[[], Path | io.BytesIO]


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnChange:
    """A column that is not what it was.

    Attributes:
        name: The column.
        change: ``gained``, ``lost`` or ``retyped``.
        before: Its type on the first side.
        after: On the second.
    """

    name: str
    change: Literal["gained", "lost", "retyped"]
    before: str | None = None
    after: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Data(Part):
    """The snapshots of two runs.

    Attributes:
        source: Where they were read from.
        rows: How many.
        snapshot: The digests of the tables.
        columns: Columns gained, lost and retyped.
        shifts: Every column of both tables, those that moved most first; empty where nothing was computed.
    """

    source: Pair = NEITHER
    rows: Pair = NEITHER
    width: Pair = NEITHER
    snapshot: Pair = NEITHER
    columns: tuple[ColumnChange, ...] = ()
    shifts: tuple[ColumnShift, ...] = ()

    @property
    def differs(self) -> bool:
        """Whether the table or the place that it came from differs."""
        return self.snapshot.differs or self.source.differs


def compare_data(before: Side, after: Side) -> Data:
    """Compare the snapshots."""
    old, new = before.summary("snapshot"), after.summary("snapshot")
    lacking = [side for side, summary in ((before, old), (after, new)) if summary is None]
    if old is None or new is None:
        return Data(missing=(not_recorded("a snapshot is", *lacking),))
    found = Data(
        source=_pair(old, new, "source"),
        rows=_pair(old, new, "rows"),
        width=_pair(old, new, "columns"),
        snapshot=Pair(before=before.output("snapshot", "snapshot"), after=after.output("snapshot", "snapshot")),
    )
    return _distributions(found, before, after) if found.snapshot.differs else found


def _distributions(found: Data, before: Side, after: Side) -> Data:
    (first, why_first), (second, why_second) = (
        side.table(str(digest)) for side, digest in ((before, found.snapshot.before), (after, found.snapshot.after))
    )
    if first is None or second is None:
        gone = tuple(f"no distributions: {why}" for why in (why_first, why_second) if why)
        return replace(found, columns=_columns(_contract(before), _contract(after)), missing=gone)
    return opened(found, first, second)


def _pair(old: dict[str, Any], new: dict[str, Any], name: str) -> Pair:
    return Pair(before=old.get(name), after=new.get(name))


def opened(found: Data, first: Open, second: Open) -> Data:
    """Compare the columns of two tables, and how each is distributed."""
    try:
        old, new = pl.read_parquet_schema(first()), pl.read_parquet_schema(second())
        shifts = [_shift(name, first, second) for name in new if name in old]
    except (pl.exceptions.PolarsError, OSError) as error:
        return replace(found, missing=(f"no distributions: a snapshot cannot be read ({type(error).__name__})",))
    moved = sorted((item for item in shifts if item is not None), key=lambda item: -item.moved)
    types = ({name: dtype_name(dtype) for name, dtype in schema.items()} for schema in (old, new))
    return replace(found, columns=_columns(*types), shifts=tuple(moved))


def _shift(name: str, first: Open, second: Open) -> ColumnShift | None:
    """Read one column at a time: two tables need not fit into memory."""
    old, new = (pl.read_parquet(source(), columns=[name])[name] for source in (first, second))
    return shift(old, new)


def _columns(old: dict[str, str], new: dict[str, str]) -> tuple[ColumnChange, ...]:
    gained, lost = gained_and_lost(old, new)
    retyped = [name for name in new if name in old and old[name] != new[name]]
    return (
        *(ColumnChange(name=name, change="gained", after=new[name]) for name in gained),
        *(ColumnChange(name=name, change="lost", before=old[name]) for name in lost),
        *(ColumnChange(name=name, change="retyped", before=old[name], after=new[name]) for name in retyped),
    )


def _contract(side: Side) -> dict[str, str]:
    """The types that the contract gave the columns, where the table itself is gone."""
    start, end = "data.columns.", ".type"
    found = side.stages["snapshot"].ingredients.items()
    return {
        key.removeprefix(start).removesuffix(end): str(value)
        for key, value in found
        if key.startswith(start) and key.endswith(end)
    }
