"""Rows on their way through fitted steps, some at a time: what is asked for at the end is all that is computed.

Batches are prepared as tables at hand are: eagerly, each in one piece, and a row alone beside a copy of itself. What
depends on the place of a row counts the rows that went before. So no bit depends on where the rows were cut.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import polars as pl

from mlops_compiler.diagnostics import DataError
from mlops_compiler.ir.ops.prepare import Balance
from mlops_compiler.tables.applied import FittedStep, step_failed
from mlops_compiler.tables.refusals import Refusals
from mlops_compiler.tables.steps import LABEL, narrow, opens, reads, writes
from mlops_compiler.tables.stream import Stream

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from mlops_compiler.tables.steps import Mode

Watch: TypeAlias = "Callable[[int, pl.DataFrame, pl.DataFrame], None]"
"""Is shown each step's number and a batch before and after it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Keep:
    """Copies columns as they are here, under names of their own: a later step may change them."""

    names: dict[str, str]


Stop: TypeAlias = FittedStep | Keep


def flow(stops: Sequence[Stop], rows: Stream, mode: Mode, watch: Watch | None = None) -> Stream:
    """Send rows through steps.

    Args:
        stops: The steps, fitted, in order.
        rows: The rows that reach the first of them; with their label, where they are to learn from.
        mode: What they are for.
        watch: Is shown all that happens. All columns are then computed, whether they are asked for or not.

    Returns:
        The rows that leave the last step. A value that a step does not take is told once all rows were read.
    """
    begin, quiet = 0, rows
    for index, stop in enumerate(stops):
        if mode == "training" and isinstance(stop, FittedStep) and stop.change.resample is not None:
            quiet = _flow(stops[begin:index], quiet, mode, None)  # what it chooses by is computed out of sight
            seen = _flow(stops[begin:index], rows, mode, _from(watch, begin)) if watch is not None else quiet
            rows, quiet = _resampled(stop, seen, quiet, _from(watch, index)), _resampled(stop, quiet, quiet, None)
            begin = index + 1
    return _flow(stops[begin:], rows, mode, _from(watch, begin))


def _from(watch: Watch | None, begin: int) -> Watch | None:
    return None if watch is None else lambda index, before, after: watch(begin + index, before, after)


def _flow(stops: Sequence[Stop], rows: Stream, mode: Mode, watch: Watch | None) -> Stream:
    if not stops:
        return rows
    schema = rows.schema
    empty = pl.DataFrame(schema=schema)
    for stop in stops:
        empty = stop.change.apply(empty, mode) if isinstance(stop, FittedStep) else _kept(stop, empty)
    return Stream(schema=empty.schema, read=lambda names: _read(stops, rows, mode, names, watch), height=rows.height)


def _read(
    stops: Sequence[Stop], rows: Stream, mode: Mode, names: list[str], watch: Watch | None
) -> Iterator[pl.DataFrame]:
    if watch is None:
        chosen, needed = narrowed(stops, names)
        columns = [name for name in rows.schema if name in needed] or list(rows.schema)[:1]
    else:
        chosen, columns = list(stops), list(rows.schema)
    refusals, places = Refusals(), [0] * len(chosen)
    for part in rows.batches(columns):
        batch = part
        for index, stop in enumerate(chosen):
            before = batch
            if isinstance(stop, FittedStep):
                batch = stop.pass_on(before, mode, places[index])
                refusals.look(stop.name, stop.step, before, batch, mode)
            else:
                batch = _kept(stop, before)
            places[index] += before.height
            if watch is not None:
                watch(index, before, batch)
        yield batch
    for name, reason in refusals.reasons():
        raise DataError([step_failed(name, reason)])


def _kept(stop: Keep, rows: pl.DataFrame) -> pl.DataFrame:
    return rows.with_columns(pl.col(name).alias(kept) for kept, name in stop.names.items())


def narrowed(stops: Sequence[Stop], names: Sequence[str]) -> tuple[list[Stop], set[str]]:
    """Cut steps down to what some columns at the end need.

    Returns:
        The steps that are left, and the columns that they and the end read at the beginning.
    """
    live, chosen = set(names), list[Stop]()
    for stop in reversed(stops):
        if isinstance(stop, Keep):
            wanted = {kept: name for kept, name in stop.names.items() if kept in live}
            live = (live - set(wanted)) | set(wanted.values())
            chosen += [Keep(names=wanted)] if wanted else []
            continue
        made = {name for name in live for opened in opens(stop.step) if name.startswith(opened[:-1])}
        step = narrow(stop.step, live | set(opens(stop.step)) if made else live)
        if step is not None:
            chosen.append(stop if step == stop.step else replace(stop, step=step))
            live = (live - made - {*writes(step), *opens(step)}) | set(reads(step))
    weighs = any(isinstance(stop, FittedStep) and isinstance(stop.step, Balance) for stop in chosen)
    return chosen[::-1], live | {LABEL} if weighs else live


def _resampled(stop: FittedStep, rows: Stream, quiet: Stream, watch: Watch | None) -> Stream:
    """Choose rows by numbers that are computed from all of them; where one comes out of turn, all are held.

    Args:
        stop: The step that chooses.
        rows: The rows that reach it.
        quiet: The same ones, whom nobody watches.
        watch: Is shown what happens here.
    """
    chosen: list[pl.Series] = []

    def numbers() -> pl.Series:
        if not chosen:
            needed = [name for name in (*reads(stop.step), LABEL) if name in rows.schema]
            try:
                chosen.append(quiet.collect(needed).select(place=stop.change.resample).to_series())
            except pl.exceptions.PolarsError as error:
                raise DataError([step_failed(stop.name, str(error))]) from error
        return chosen[0]

    def read(names: list[str]) -> Iterator[pl.DataFrame]:
        wanted = numbers()
        if (wanted.diff().drop_nulls() <= 0).any():
            whole = rows.collect(names)
            found = whole[wanted]
            if watch is not None:
                watch(0, whole, found)
            yield found
            return
        taken, place = wanted.to_numpy(), 0
        for part in rows.batches(names):
            first, last = np.searchsorted(taken, (place, place + part.height))
            found = part[taken[first:last] - place]
            if watch is not None:
                watch(0, part, found)
            place += part.height
            yield found

    return Stream(schema=rows.schema, read=read, height=rows.height)
