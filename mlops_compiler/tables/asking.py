"""Asks rows for the statistics of a group of steps, in one scan of what they are asked of.

Counts add up over batches. For all else the columns are held: all that fit together, or else a few at a time, so that
memory is bounded by the largest of them. A statistic always sees its columns in one piece: sums over pieces would
differ in their last bit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import polars as pl

from mlops_compiler.diagnostics import DataError
from mlops_compiler.ir.ops.prepare import is_fitted
from mlops_compiler.tables.applied import FittedStep, step_failed
from mlops_compiler.tables.flow import Keep, Stop, flow
from mlops_compiler.tables.fusion import Taint
from mlops_compiler.tables.steps import PLACE, adds_up, reads, statistics
from mlops_compiler.tables.stream import in_one_piece

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlops_compiler.ir.ops.preparation import NamedStep
    from mlops_compiler.tables.stream import Stream

BUDGET = 2**28
"""Bytes of the columns that are held together; a column that is larger is held alone."""
_CELL = 8
_MANY = 1_000_000
"""Counts of batches that wait to be added up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ask:
    """One statistic: the step that wants it, under which name, and whether it is a count."""

    index: int
    key: str
    expression: pl.Expr
    counts: bool

    @property
    def roots(self) -> set[str]:
        return set(self.expression.meta.root_names())


def answers(group: Sequence[NamedStep], rows: Stream) -> list[dict[str, Any]]:
    """Ask for all that a group of steps learns.

    Args:
        group: Steps that `fusion.group_steps` puts together.
        rows: The training rows as they reach the group.

    Returns:
        For each step the answers to its `statistics`.

    Raises:
        DataError: The rows do not suit a step.
    """
    stops, asks, taint = list[Stop](), list[_Ask](), Taint()
    for index, named in enumerate(group):
        if is_fitted(named.step):
            stops.append(Keep(names={_kept(index, name): name for name in reads(named.step)}))
            asked = statistics(named.step, lambda name, index=index: pl.col(_kept(index, name)))  # type: ignore[misc]
            counts = adds_up(named.step)
            asks += [_Ask(index=index, key=key, expression=it, counts=counts) for key, it in asked.items()]
        if taint.follow(named.step):
            stops.append(FittedStep(name=named.name, step=named.step, learned={}))
    found: list[dict[str, Any]] = [{} for _ in group]
    try:
        for part in _parts(asks, rows.height):
            _scan(part, flow(stops, rows, "training"), found)
    except pl.exceptions.PolarsError as error:
        names = ", ".join(named.name for named in group)
        raise DataError([step_failed(names, str(error))]) from error
    return found


def _kept(index: int, name: str) -> str:
    return f"\x00{index}\x00{name}"


def _parts(asks: Sequence[_Ask], height: int | None) -> list[list[_Ask]]:
    """Deal what is asked to scans, by the columns that fit together; counts go with the first."""
    counted = [ask for ask in asks if ask.counts]
    parts: list[list[_Ask]] = [counted] if counted else []
    held: set[str] = set()
    for ask in asks:
        if ask.counts:
            continue
        together = held | ask.roots
        if not parts or (held and not ask.roots <= held and len(together) * _CELL * (height or 0) > BUDGET):
            parts.append([])
            together = ask.roots
        parts[-1].append(ask)
        held = together
    return parts


def _scan(part: Sequence[_Ask], rows: Stream, found: list[dict[str, Any]]) -> None:
    """Answer what is asked by reading its columns once."""
    counted = [ask for ask in part if ask.counts]
    whole = [ask for ask in part if not ask.counts]
    names = {root for ask in part for root in ask.roots} - {PLACE}
    held = sorted({root for ask in whole for root in ask.roots} - {PLACE})
    counts, pieces, place = _Counts(), list[pl.DataFrame](), 0
    for batch in rows.batches(sorted(names)):
        counts.add(counted, batch.with_row_index(PLACE, offset=place) if counted else batch)
        if whole:
            pieces.append(batch.select(held))
        place += batch.height
    for ask in counted:
        found[ask.index][ask.key] = counts.total(ask)
    if whole:
        _answer(whole, pieces, found)


def _answer(whole: Sequence[_Ask], pieces: list[pl.DataFrame], found: list[dict[str, Any]]) -> None:
    """Answer what takes all rows: at once where they came in one piece, else one by one, for each takes room."""
    many = len(pieces) > 1
    table = in_one_piece(pl.concat(pieces) if many else pieces[0])
    pieces.clear()
    if any(PLACE in ask.roots for ask in whole):
        table = table.with_row_index(PLACE)
    for asked in [[ask] for ask in whole] if many else [whole]:
        told = table.select(ask.expression.alias(f"{ask.index}|{ask.key}") for ask in asked)
        for ask in asked:
            found[ask.index][ask.key] = told[f"{ask.index}|{ask.key}"][0]


class _Counts:
    """Counts of rows by value, added up over batches."""

    def __init__(self) -> None:
        self._found: dict[tuple[int, str], list[pl.DataFrame]] = {}

    def add(self, asked: Sequence[_Ask], batch: pl.DataFrame) -> None:
        if not asked:
            return
        told = batch.select(ask.expression.alias(f"{ask.index}|{ask.key}") for ask in asked)
        for ask in asked:
            waiting = self._found.setdefault((ask.index, ask.key), [])
            part = told[f"{ask.index}|{ask.key}"][0].struct.unnest()
            waiting.append(part.with_columns(pl.col("count").cast(pl.UInt64)))
            if len(waiting) > 1 and sum(item.height for item in waiting) > _MANY:
                self._found[ask.index, ask.key] = [_sum(waiting)]

    def total(self, ask: _Ask) -> pl.Series:
        """Give what the statistic would say of all rows: each value with its rows, in no order."""
        return _sum(self._found[ask.index, ask.key]).to_struct("")


def _sum(parts: Sequence[pl.DataFrame]) -> pl.DataFrame:
    if len(parts) == 1:
        return parts[0]
    (value,) = (name for name in parts[0].columns if name != "count")
    return pl.concat(parts).group_by(value).agg(pl.col("count").sum())
