"""What a service met with: requests, refusals, failures and latency over time, and how traffic passes to a release."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from mlops_compiler.store.served import ANSWER, CANARY
from mlops_compiler.ui import charts
from mlops_compiler.ui.drawing import figure

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import polars as pl

    from mlops_compiler.report.page import Figure
    from mlops_compiler.store.location import StoreLocation
    from mlops_compiler.store.records import ServiceName

SPANS = {1: 60, 6: 300, 24: 900, 168: 7200}
"""Hours that can be shown, and how many seconds one bar stands for."""
_BARS = {60: "a minute", 300: "5 minutes", 900: "15 minutes", 7200: "2 hours"}
ANSWERED = (ANSWER, CANARY)
"""The parts in which a release answered a client; in others it was only looked at."""
CLASSES = {"answered": "accent", "refused": "warm", "failed": "bad"}
"""How requests ended, and the colour of each."""
_REFUSED, _FAILED = 400, 500
_LOOK_SECONDS = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Traffic:
    """The requests of some hours.

    Attributes:
        hours: How many.
        width: Seconds that one bar stands for.
        counts: By how requests ended: seconds since 1970 and how many.
        latency: By percentile: seconds since 1970 and seconds.
        releases: By release and role, what each met with.
        codes: Of each status, and each code of a refusal, how many requests got it.
        lost: Rows that were answered and could not be logged.
        requests: How many there were in all.
        failed: How many failed.
        refused: How many were refused.
    """

    hours: int
    width: int
    counts: Mapping[str, Sequence[tuple[float, float]]]
    latency: Mapping[str, Sequence[tuple[float, float | None]]]
    releases: Sequence[Mapping[str, Any]]
    codes: Sequence[tuple[int, str | None, int]]
    lost: int
    requests: int
    failed: int
    refused: int


def traffic_of(location: StoreLocation, service: ServiceName, hours: int, now: float | None = None) -> Traffic | None:
    """Sum up what replicas told of the last hours; None where they told nothing.

    Args:
        location: The store.
        service: Which one.
        hours: One of `SPANS`.
        now: The end of it, in seconds since 1970.
    """
    import polars as pl

    until = datetime.fromtimestamp(time.time() if now is None else now, tz=UTC)
    since = until - timedelta(hours=hours)
    rows = _minutes(location, service, hours, int(time.monotonic() / _LOOK_SECONDS))
    rows = rows.filter(pl.col("time").is_between(since, until), pl.col("role").is_in(ANSWERED))
    if rows.is_empty():
        return None
    width = SPANS[hours]
    wrong = pl.when(pl.col("status") >= _FAILED).then(pl.lit("failed"))
    ended = wrong.when(pl.col("status") >= _REFUSED).then(pl.lit("refused")).otherwise(pl.lit("answered"))
    rows = rows.with_columns(ended=ended, bar=pl.col("time").dt.truncate(f"{width}s").dt.epoch("s"))
    total = dict(rows.group_by("ended").agg(pl.col("requests").sum()).iter_rows())
    return Traffic(
        hours=hours,
        width=width,
        counts={name: _series(rows.filter(pl.col("ended") == name), pl.col("requests").sum()) for name in CLASSES},
        latency=_latency(rows.filter(pl.col("ended") == "answered")),
        releases=_releases(rows),
        codes=list(rows.group_by("status", "code").agg(pl.col("requests").sum()).sort("status", "code").iter_rows()),
        lost=int(rows["lost"].sum()),
        requests=int(sum(total.values())),
        failed=int(total.get("failed", 0)),
        refused=int(total.get("refused", 0)),
    )


def traffic_figures(found: Traffic) -> list[Figure]:
    """Draw the requests and their latency."""
    bars = charts.stacked(found.counts, unit="requests", width=found.width, tones=CLASSES)
    lines = charts.over_time(
        {
            name: [(at, None if value is None else 1000 * value) for at, value in pairs]
            for name, pairs in found.latency.items()
        },
        unit="milliseconds",
        written=lambda value: f"{value:,.1f} ms",
    )
    made = (
        figure(
            bars,
            "Requests",
            f"A bar stands for {_BARS[found.width]}. Refused: the request was wrong, or too much.",
        ),
        figure(lines, "Latency", "Of requests that were answered; p99 is that of the slowest replica."),
    )
    return [item for item in made if item is not None]


def _series(rows: pl.DataFrame, value: pl.Expr) -> list[tuple[float, float]]:
    found = rows.group_by("bar").agg(value.alias("value")).sort("bar")
    return [(float(bar), float(number)) for bar, number in found.select("bar", "value").iter_rows()]


def _latency(rows: pl.DataFrame) -> dict[str, Sequence[tuple[float, float | None]]]:
    """Draw percentiles of percentiles together: weighted by requests, the highest one the worst of all replicas."""
    import polars as pl

    def weighted(name: str) -> pl.Expr:
        return (pl.col(name) * pl.col("requests")).sum() / pl.col("requests").sum()

    return {
        "p50": [*_series(rows, weighted("seconds_p50"))],
        "p95": [*_series(rows, weighted("seconds_p95"))],
        "p99": [*_series(rows, pl.col("seconds_p99").max())],
    }


def _releases(rows: pl.DataFrame) -> list[dict[str, Any]]:
    import polars as pl

    requests, failed = pl.col("requests").sum(), pl.col("requests").filter(pl.col("ended") == "failed").sum()
    refused = pl.col("requests").filter(pl.col("ended") == "refused").sum()
    mean = pl.col("seconds_sum").sum() / pl.col("requests").sum()
    told = rows.group_by("release", "role").agg(
        requests.alias("requests"),
        failed.alias("failed"),
        refused.alias("refused"),
        mean.alias("mean"),
        pl.col("seconds_p99").max().alias("p99"),
        pl.col("time").max().dt.epoch("s").alias("last"),
    )
    return told.sort("release", "role", descending=[True, False]).to_dicts()


@lru_cache(maxsize=8)
def _minutes(location: StoreLocation, service: ServiceName, hours: int, _moment: int) -> pl.DataFrame:
    """Read what replicas told of these hours; again every few seconds, however many pages are open."""
    from mlops_compiler.monitoring.observed import traffic

    return traffic(location, service, since=datetime.now(UTC) - timedelta(hours=hours))
