"""What was observed: predictions that a service logged, outcomes that were told, and the one beside the other.

An outcome names its prediction by the id that the answer carried, or by the recipe's key; a key stands for the newest
prediction for it that was answered before the outcome was told. Of several outcomes of one prediction the first one
told counts, whatever comes later: so a prediction that was judged is not judged otherwise afterwards.

Each environment has a log of its own. What was logged before there were several is in none of them, and read in each.
"""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import polars as pl

from mlops_compiler.diagnostics import EngineError
from mlops_compiler.store.records import logs_of
from mlops_compiler.store.segments import LABELS, PREDICTIONS, TRAFFIC, Segments
from mlops_compiler.store.served import ANSWER, CANARY, INPUT, LABEL, OUTPUT, PREDICTION, SHADOW
from mlops_compiler.store.served import TRAFFIC as TRAFFIC_COLUMNS

if TYPE_CHECKING:
    from collections.abc import Collection

    from mlops_compiler.store.location import StoreLocation
    from mlops_compiler.store.records import ServiceName

_STRUCTS = (INPUT, OUTPUT)
ANSWERED = (ANSWER, CANARY)
"""The parts in which a release answered a client."""
_DAY = timedelta(days=1)


def predictions(
    location: StoreLocation,
    service: ServiceName,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    release: int | None = None,
    roles: Collection[str] = ANSWERED,
) -> pl.DataFrame:
    """Read the rows that were answered, the oldest first.

    Args:
        location: The store.
        service: Which one answered, as `records.service_name` says.
        since: The earliest time; all, where not given.
        until: The time before which they were answered.
        release: Of this release alone.
        roles: Of these parts alone; of `SHADOW` nobody saw the answers.

    Returns:
        The columns of `store.served.PREDICTION`, ``input`` and ``output``. A field that a release did not have is null.

    Raises:
        EngineError: A segment cannot be read.
    """
    found = _read(location, PREDICTIONS, service, since)
    if not found:
        return pl.DataFrame(schema={**PREDICTION, INPUT: pl.Struct([]), OUTPUT: pl.Struct([])})
    rows = _within(_together(found), since, until).filter(pl.col("role").is_in(list(roles)))
    rows = rows.unique(["id", "role", "release"], keep="first", maintain_order=True)
    if release is not None:
        rows = rows.filter(pl.col("release") == release)
    return rows.sort("time", "id", maintain_order=True)


def outcomes(location: StoreLocation, service: ServiceName) -> pl.DataFrame:
    """Read all outcomes that were told, the first one told first; the columns of `store.served.LABEL`.

    Of a key the same may be told again, of a later prediction.

    Raises:
        EngineError: A segment cannot be read.
    """
    found = _read(location, LABELS, service, None)
    if not found:
        return pl.DataFrame(schema=LABEL)
    told = pl.concat(found).sort("time", maintain_order=True)
    return told.unique(maintain_order=True)


def joined(
    location: StoreLocation,
    service: ServiceName,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    release: int | None = None,
) -> pl.DataFrame:
    """Read predictions beside their outcomes.

    Args:
        location: The store.
        service: Which one answered, as `records.service_name` says.
        since: As for `predictions`.
        until: Likewise.
        release: Likewise.

    Returns:
        As `predictions`, with ``outcome``, ``outcome_time`` and ``outcome_source``; null where nothing was told.

    Raises:
        EngineError: A segment cannot be read.
    """
    # A key stands for its newest prediction of all, not only of those asked for.
    every = predictions(location, service)
    matched = match(every, outcomes(location, service))
    rows = _within(every, since, until)
    if release is not None:
        rows = rows.filter(pl.col("release") == release)
    return rows.join(matched, on="id", how="left", maintain_order="left")


def match(answered: pl.DataFrame, told: pl.DataFrame) -> pl.DataFrame:
    """Find for each outcome its prediction, and for each prediction the outcome that counts.

    Args:
        answered: Predictions, as `predictions` gives them.
        told: Outcomes, as `outcomes` gives them.

    Returns:
        ``id`` of the prediction, ``outcome``, ``outcome_time`` and ``outcome_source``, one row each.
    """
    found = resolved(answered, told).filter(pl.col("id").is_not_null())
    first = found.sort("time", maintain_order=True).unique("id", keep="first", maintain_order=True)
    return first.select("id", "outcome", outcome_time="time", outcome_source="source")


def resolved(answered: pl.DataFrame, told: pl.DataFrame) -> pl.DataFrame:
    """Give outcomes the id of their prediction; null where there is none.

    Args:
        answered: Predictions, as `predictions` gives them.
        told: Outcomes, as `outcomes` gives them.
    """
    known = answered.select("id", "key", "time")
    named = told.filter(pl.col("id").is_not_null()).join(known.select("id", found="id"), on="id", how="left")
    by_key = told.filter(pl.col("id").is_null() & pl.col("key").is_not_null()).drop("id")
    keyed = by_key.sort("time").join_asof(
        known.drop_nulls("key").sort("time").rename({"id": "found"}),
        on="time",
        by="key",
        strategy="backward",
        check_sortedness=False,  # sorted in the line above; of groups it cannot be checked
    )
    both = pl.concat([named.select(*LABEL, "found"), keyed.with_columns(id=pl.col("found")).select(*LABEL, "found")])
    return both.with_columns(id="found").drop("found").sort("time", maintain_order=True)


def traffic(location: StoreLocation, service: ServiceName, *, since: datetime | None = None) -> pl.DataFrame:
    """Read what requests met with, minute by minute; the columns of `store.served.TRAFFIC`.

    A minute that had begun before `since` is read whole. No two lines are alike: they differ in the sum of seconds at
    least. What is there twice was read twice.

    Raises:
        EngineError: A segment cannot be read.
    """
    since = since and since.replace(second=0, microsecond=0)
    found = _read(location, TRAFFIC, service, since)
    rows = pl.concat(found).unique(maintain_order=True) if found else pl.DataFrame(schema=TRAFFIC_COLUMNS)
    return _within(rows, since, None).sort("time", maintain_order=True)


def _name(kind: str, log: str, time: datetime) -> str:
    return f"{kind}/{log}/{time.astimezone(UTC):%Y-%m-%d/%H%M%S.%f}"


def _read(location: StoreLocation, kind: str, service: ServiceName, since: datetime | None) -> list[pl.DataFrame]:
    return [frame for log in logs_of(service) for frame in _segments(location, kind, log, since)]


def _segments(location: StoreLocation, kind: str, log: str, since: datetime | None) -> list[pl.DataFrame]:
    """Read the segments that may hold rows of a time and later: none is written before its rows happened.

    The clocks of machines differ; a day is more than they do. While a service puts segments together, some rows are in
    two of them.
    """
    segments = Segments(location, kind, log)
    after = _name(kind, log, since - _DAY) if since is not None else ""
    contents: dict[str, pl.DataFrame] = {}
    while True:
        names = segments.names(after)
        contents = {name: contents[name] for name in names if name in contents}
        try:
            for name in names:
                if name not in contents:
                    contents[name] = pl.read_parquet(io.BytesIO(segments.read(name)))
        except EngineError:
            if name in segments.names(after):
                raise
            continue  # a service put segments together meanwhile: what it held is in another one
        return [contents[name] for name in names]


def _within(rows: pl.DataFrame, since: datetime | None, until: datetime | None) -> pl.DataFrame:
    if since is not None:
        rows = rows.filter(pl.col("time") >= since)
    return rows if until is None else rows.filter(pl.col("time") < until)


def _together(frames: list[pl.DataFrame]) -> pl.DataFrame:
    """Put segments together, those of releases as well that had other fields."""
    if all(frame.schema == frames[0].schema for frame in frames):
        return pl.concat(frames)
    flat = pl.concat([_flat(frame) for frame in frames], how="diagonal_relaxed")
    structs = [
        pl.struct(
            pl.col(name).alias(name.partition(".")[2]) for name in flat.columns if name.startswith(f"{part}.")
        ).alias(part)
        for part in _STRUCTS
    ]
    return flat.select(*PREDICTION, *structs)


def _flat(frame: pl.DataFrame) -> pl.DataFrame:
    """Give each field of the structs a column of its own, named by both."""
    fields = [
        pl.col(part).struct.field(field.name).alias(f"{part}.{field.name}")
        for part in _STRUCTS
        for field in frame.schema[part].fields  # type: ignore[attr-defined]
    ]
    return frame.select(*PREDICTION, *fields)


__all__ = ["ANSWERED", "SHADOW", "joined", "match", "outcomes", "predictions", "resolved", "traffic"]
