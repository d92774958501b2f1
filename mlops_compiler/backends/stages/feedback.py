"""Feedback: rows that come back are put below the snapshot; every model learns from them, none is judged by them.

A row that comes back teaches nothing about rows that judge: where its key or its group is held out, where it is a row
that is held out, or where it came after what a model may look at, that model does not learn from it.
"""

from __future__ import annotations

import io
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from mlops_compiler.backends.stages.context import Outcome
from mlops_compiler.backends.stages.rows import JUDGES, LEARNS, part_column
from mlops_compiler.ir.ops.feedback import FeedBack
from mlops_compiler.ir.ops.lifecycle import Split
from mlops_compiler.ir.schema import dtype_name
from mlops_compiler.ir.task import has_classes
from mlops_compiler.tables.casts import cast_expression
from mlops_compiler.tables.steps import NAIVE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

    from mlops_compiler.backends.stages.context import Context

UNREADABLE, HELD_OUT, KNOWN, LATER, GROUPLESS = (
    "its outcome is none that the training rows have",
    "it is held out to judge",
    "the training rows have it",
    "it came after what the model may learn from",
    "its group is not known",
)
ROOM, SHARE = "there is room for no more", "its source has had its share"
_OWN = "key:"
"""What the source of a label begins with that was sent under an API key; others are the recipe's own files."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """The rows that were dealt.

    Attributes:
        rows: Those of the snapshot.
        split: What they are in each part.
        classes: Those of the target, by number; None where it has none.
    """

    rows: pl.DataFrame
    split: pl.DataFrame
    classes: list[Any] | None

    def judges(self, part: str) -> pl.DataFrame:
        """Give the rows that judge in a part."""
        return self.rows.filter(self.split[part] == JUDGES)

    def learns(self, part: str) -> pl.DataFrame:
        """Give the rows that are learned from in a part."""
        return self.rows.filter(self.split[part] == LEARNS)


def put_back(context: Context) -> Outcome:
    """Run the stage."""
    op, split = context.op(FeedBack), context.op(Split)
    known = Known(
        rows=context.read_table("snapshot", "snapshot"),
        split=context.read_table("split", "split"),
        classes=context.inputs["split"].summary["classes"],
    )
    came = pl.read_parquet(io.BytesIO(context.store.objects.get(str(op.table))))
    rows = as_snapshot(came, known.rows, split, op.key)
    kept, dropped = _admitted(op, split, known, came, rows)
    weight = weight_of(op, known.split, len(kept))
    below = _parts(op, split, known, rows[kept], weight)
    account = {
        "rows": len(kept),
        "came": came.height,
        "dropped": dropped,
        "sources": dict(came["source"][kept].value_counts(sort=True).sort("count", "source").rows()),
        "training_rows": int((known.split["final"] == LEARNS).sum()),
        "weight": weight,
        "table": op.table,
    }
    outputs = {
        "snapshot": context.put_table(pl.concat([known.rows, rows[kept]])),
        "split": context.put_table(_beneath(known.split, below)),
    }
    return Outcome(outputs=outputs, summary=account)


def as_snapshot(came: pl.DataFrame, like: pl.DataFrame, split: Split, key: str | None) -> pl.DataFrame:
    """Give rows that come back the columns of the snapshot; what no request holds is missing.

    Args:
        came: The rows as they were collected: ``key``, ``time``, ``outcome`` and ``input`` among their columns.
        like: The snapshot.
        split: Names the target and the time.
        key: The column that names a row.
    """
    given = came["input"].struct.unnest()
    for name, source in ((split.target, "outcome"), (key, "key")):
        if name is not None:
            given = given.with_columns(came[source].alias(name))
    if split.time is not None and split.time not in given.columns and like.schema[split.time].is_temporal():
        given = given.with_columns(came["time"].dt.replace_time_zone(None).alias(split.time))
    return given.select(
        cast_expression(pl.col(name), dtype_name(dtype), strict=False, given=given.schema[name]).cast(dtype).alias(name)
        if name in given.columns
        else pl.lit(None, dtype).alias(name)
        for name, dtype in like.schema.items()
    )


def _admitted(
    op: FeedBack, split: Split, known: Known, came: pl.DataFrame, rows: pl.DataFrame
) -> tuple[NDArray[np.intp], dict[str, int]]:
    """Choose the rows that may come back, the first ones first; say how many may not, and why."""
    why: dict[str, int] = {}
    left = np.arange(rows.height)
    final = part_column(None)
    for reason, wrong in (
        (UNREADABLE, labels_of(split, known, rows).is_null()),
        (HELD_OUT, ~_apart(op, split, known, rows, final) | _same_rows(came, rows, known.judges(final), op.key)),
        (GROUPLESS, _groupless(split, rows)),
        (LATER, ~_in_time(split, known, rows, final)),
        (KNOWN, _same_rows(came, rows, known.learns(final), op.key)),
    ):
        out = wrong.to_numpy()[left]
        why[reason] = int(out.sum())
        left = left[~out]
    sources = came["source"].to_list()
    kept, over = _within_share(left, sources, room_of(op, known.split), op.share)
    return kept, {reason: count for reason, count in (why | over).items() if count}


def room_of(op: FeedBack, split: pl.DataFrame) -> int:
    """Say how many rows there is room for beside those that are learned from anyway."""
    return math.floor(op.at_most / (1 - op.at_most) * int((split["final"] == LEARNS).sum()) + 1e-9)


def weight_of(op: FeedBack, split: pl.DataFrame, rows: int) -> float:
    """Say what each row weighs beside a mean training row: as asked, and together no more than their share."""
    learns = int((split["final"] == LEARNS).sum())
    return op.weight if not rows else min(op.weight, op.at_most / (1 - op.at_most) * learns / rows)


def _within_share(
    rows: NDArray[np.intp], sources: list[str], room: int, share: float
) -> tuple[NDArray[np.intp], dict[str, int]]:
    """Fill the room in order; no API key gets more than its share of it."""
    taken: dict[str, int] = {}
    kept: list[int] = []
    over = {SHARE: 0, ROOM: 0}
    for row in rows.tolist():
        source = sources[row]
        if len(kept) >= room:
            over[ROOM] += 1
        elif source.startswith(_OWN) and taken.get(source, 0) >= math.floor(share * room):
            over[SHARE] += 1
        else:
            kept.append(row)
            taken[source] = taken.get(source, 0) + 1
    return np.array(kept, dtype=np.intp), over


def labels_of(split: Split, known: Known, rows: pl.DataFrame) -> pl.Series:
    """Number the outcomes as those of the training rows are, or take their values; null where that cannot be."""
    outcome, dtype = rows[str(split.target)], known.split.schema["label"]
    if not has_classes(split.task):
        return outcome.cast(dtype).set(~outcome.cast(dtype).is_finite().fill_null(value=False), None)
    numbers = range(len(known.classes or ()))
    return outcome.replace_strict(known.classes or [], list(numbers), default=None, return_dtype=dtype)


def _apart(op: FeedBack, split: Split, known: Known, rows: pl.DataFrame, part: str) -> pl.Series:
    """Say of which rows neither the key nor the group is among those that judge in a part."""
    judges = known.judges(part)
    shared = pl.repeat(value=False, n=rows.height, eager=True)
    for names in _names(op, split):
        found = rows.select(names).with_row_index("row").join(judges.select(names).unique(), on=list(names), how="semi")
        shared |= pl.int_range(rows.height, eager=True).is_in(found["row"].cast(pl.Int64).implode())
    return ~shared


def _names(op: FeedBack, split: Split) -> Iterator[tuple[str, ...]]:
    if op.key is not None:
        yield (op.key,)
    if split.group is not None:
        yield split.group


def _groupless(split: Split, rows: pl.DataFrame) -> pl.Series:
    """Say of which rows nobody knows the group, where groups are kept apart."""
    if split.group is None:
        return pl.repeat(value=False, n=rows.height, eager=True)
    return rows.select(pl.any_horizontal(pl.col(name).is_null() for name in split.group)).to_series()


def _in_time(split: Split, known: Known, rows: pl.DataFrame, part: str) -> pl.Series:
    """Say which rows came no later than the last that a part learns from, and of a window not before its first."""
    if split.time is None:
        return pl.repeat(value=True, n=rows.height, eager=True)
    learned = known.learns(part)[split.time]
    inside = rows[split.time] <= learned.max()
    if split.window == "rolling":
        inside &= rows[split.time] >= learned.min()
    return inside.fill_null(value=False)


def _same_rows(came: pl.DataFrame, rows: pl.DataFrame, others: pl.DataFrame, key: str | None) -> pl.Series:
    """Say which rows are among others, by all that a request holds and by the key."""
    asked = [name for name in (*came["input"].struct.fields, *((key,) if key else ())) if name in rows.columns]
    found = rows.select(asked).with_row_index("row").join(others.select(asked), on=asked, how="semi", nulls_equal=True)
    return pl.int_range(rows.height, eager=True).is_in(found["row"].cast(pl.Int64).implode())


def _parts(op: FeedBack, split: Split, known: Known, rows: pl.DataFrame, weight: float) -> pl.DataFrame:
    """Say what rows that come back are in each part: learned from, or nothing."""
    parts = [name for name in known.split.columns if name.startswith("fold_")]
    roles = {name: _learned(op, split, known, rows, name) for name in parts}
    everywhere = pl.repeat(LEARNS, rows.height, dtype=pl.Int8, eager=True)
    found = pl.DataFrame({"label": labels_of(split, known, rows), "final": everywhere, **roles})
    if split.naive is not None:
        found = found.with_columns(rows[split.naive].cast(pl.Float64).alias(NAIVE))
    if "weight" in known.split.columns or weight != 1:
        found = found.with_columns(pl.lit(weight * _mean_weight(known.split)).alias("weight"))
    return found


def _learned(op: FeedBack, split: Split, known: Known, rows: pl.DataFrame, part: str) -> pl.Series:
    may = _apart(op, split, known, rows, part) & _in_time(split, known, rows, part)
    return (may.cast(pl.Int8) * LEARNS).alias(part)


def _mean_weight(split: pl.DataFrame) -> float:
    if "weight" not in split.columns:
        return 1.0
    return float(np.mean(split.filter(split["final"] == LEARNS)["weight"].to_numpy()))


def _beneath(split: pl.DataFrame, below: pl.DataFrame) -> pl.DataFrame:
    if "weight" in below.columns and "weight" not in split.columns:
        split = split.with_columns(weight=pl.lit(1.0))
    return pl.concat([split, below.select(split.columns)])


def with_rows_below(split: pl.DataFrame, taught: pl.DataFrame) -> pl.DataFrame:
    """Put the rows that came back below another way to deal the rows of the snapshot: every part learns from them.

    Args:
        split: The other way.
        taught: The split of this stage.
    """
    below = taught.tail(taught.height - split.height)
    parts: Iterable[str] = (name for name in split.columns if name == "final" or name.startswith("fold_"))
    roles = [pl.lit(LEARNS, pl.Int8).alias(name) for name in parts]
    return _beneath(split, below.with_columns(roles))
