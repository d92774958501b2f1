"""The log of a replica: what was answered is handed over and written later; an answer waits for nothing.

The queue is bounded. What finds no room, or cannot be written, is lost, and counted: in the traffic beside it, in the
facts of the service, and with a warning in its log.
"""

from __future__ import annotations

import io
import logging
import os
import secrets
import threading
import time
from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import polars as pl

from mlops_compiler.diagnostics import MlopsError
from mlops_compiler.store.segments import PREDICTIONS, TRAFFIC, Segments
from mlops_compiler.store.served import ANSWER, INPUT, OUTPUT, PREDICTION
from mlops_compiler.store.served import TRAFFIC as TRAFFIC_COLUMNS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from mlops_compiler.store.location import StoreLocation

_MOST_ROWS = 100_000
"""Rows that wait at most, some 50 MB of a wide table; then they are lost."""
_SEGMENT_ROWS = 10_000
_SECONDS = 5.0
_LATENCIES = 4096
"""Latencies of one minute and status that quantiles are taken of; the sum counts all."""
logger = logging.getLogger(__name__)


def new_id(now: float | None = None) -> str:
    """Make the name of a prediction: 32 hexadecimal digits that sort by the millisecond, as of UUIDs of version 7."""
    milliseconds = int((time.time() if now is None else now) * 1000)
    return f"{milliseconds:012x}{secrets.token_hex(10)}"


@dataclass(slots=True, kw_only=True)
class Exchange:
    """A request, as far as it has come.

    Attributes:
        id: Its name; of a list each row is named ``ID-INDEX``.
        came: When, in seconds since 1970.
        clock: The same by `time.perf_counter`.
        client: The name of the API key; empty without.
        role: The part that this release has in it.
        rows: How many rows were scored.
        code: Why it was refused; None where it was not.
    """

    id: str = field(default_factory=new_id)
    came: float = field(default_factory=time.time)
    clock: float = field(default_factory=time.perf_counter)
    client: str = ""
    role: str = ANSWER
    rows: int = 0
    code: str | None = None

    def names(self, rows: int, *, single: bool) -> list[str]:
        """Name each row."""
        return [self.id] if single else [f"{self.id}-{index}" for index in range(rows)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """Rows that were scored.

    Attributes:
        exchange: What they came with.
        ids: The name of each.
        keys: The recipe's key of those that came with one, by index.
        inputs: The columns of the contract, typed.
        outputs: What the predictor said.
        seconds: How long the request took until then.
    """

    exchange: Exchange
    ids: list[str]
    keys: Mapping[int, Any]
    inputs: pl.DataFrame
    outputs: pl.DataFrame
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class LogSettings:
    """What is logged.

    Attributes:
        sample: The share of requests whose rows are kept, from 0 to 1; traffic is counted whole.
        exclude: Fields that are not kept.
    """

    sample: float = 1.0
    exclude: tuple[str, ...] = ()


@dataclass(slots=True)
class _Minute:
    """What happened in a minute, with one status, code and role."""

    requests: int = 0
    rows: int = 0
    sum: float = 0.0
    seconds: list[float] = field(default_factory=list)

    def add(self, seconds: float, rows: int) -> None:
        self.requests += 1
        self.rows += rows
        self.sum += seconds
        if len(self.seconds) < _LATENCIES:
            self.seconds.append(seconds)


class PredictionLog:
    """Takes what a replica answered, and writes it in segments.

    Args:
        location: The store.
        recipe: Whose service it is.
        release: The release of the replica.
        settings: What is kept.
        clock: Tells the time; in seconds since 1970.
    """

    def __init__(
        self,
        location: StoreLocation,
        recipe: str,
        release: int,
        settings: LogSettings | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._segments = {kind: Segments(location, kind, recipe) for kind in (PREDICTIONS, TRAFFIC)}
        self._release, self._settings, self._clock = release, settings or LogSettings(), clock
        self._replica = f"{os.uname().nodename}:{os.getpid()}"
        self._queue: deque[Served] = deque()
        self._waiting = 0
        self._minutes: dict[tuple[int, str, int, str | None], _Minute] = {}
        self._lost = self._lost_in_all = 0
        self._lock, self._wake, self._writing = threading.Lock(), threading.Event(), threading.Lock()
        self._closed = False
        self._thread: threading.Thread | None = None

    @property
    def facts(self) -> dict[str, int]:
        """``waiting`` rows that are not written yet, and ``lost`` ones since the replica began."""
        return {"waiting": self._waiting, "lost": self._lost_in_all}

    def start(self) -> None:
        """Write again and again, until `close`."""
        self._thread = threading.Thread(target=self._work, name="prediction-log", daemon=True)
        self._thread.start()

    def record(self, served: Served) -> None:
        """Take rows that were answered; returns at once."""
        if not self._keeps(served.exchange.id):
            return
        rows = len(served.ids)
        with self._lock:
            if self._waiting + rows > _MOST_ROWS or self._closed:
                self._lose(rows)
                return
            self._queue.append(served)
            self._waiting += rows
            full = self._waiting >= _SEGMENT_ROWS
        if full:
            self._wake.set()

    def count(self, status: int, seconds: float, *, role: str = ANSWER, rows: int = 0, code: str | None = None) -> None:
        """Count a request that was answered; returns at once."""
        minute = int(self._clock() // 60)
        with self._lock:
            self._minutes.setdefault((minute, role, status, code), _Minute()).add(seconds, rows)

    def _keeps(self, name: str) -> bool:
        """Draw by the random end of the id, so that a release on trial keeps the same requests."""
        sample = self._settings.sample
        return sample >= 1 or int(name[-8:].partition("-")[0] or "0", 16) < sample * 16**8

    def _lose(self, rows: int) -> None:
        if not self._lost:
            logger.warning("the log of predictions has no room: rows are lost")
        self._lost += rows
        self._lost_in_all += rows

    def _work(self) -> None:
        while not self._closed:
            self._wake.wait(_SECONDS)
            self._wake.clear()
            self.flush()

    def close(self) -> None:
        """Write what waits, and take nothing more."""
        with self._lock:
            self._closed = True
        self._wake.set()
        if self._thread is not None:
            self._thread.join(_SECONDS)
        self.flush(whole=True)

    def flush(self, *, whole: bool = False) -> None:
        """Write what waits.

        Args:
            whole: Whether to write the minute that is not over, too.
        """
        with self._writing:
            self._flush_rows()
            self._flush_traffic(whole=whole)

    def _flush_rows(self) -> None:
        with self._lock:
            taken, self._queue, self._waiting = list(self._queue), deque(), 0
        for part in _parts(taken):
            try:
                self._segments[PREDICTIONS].append(_parquet(self._table(part)))
            except (MlopsError, pl.exceptions.PolarsError, OSError) as error:
                logger.warning("predictions could not be logged: %s", error)
                with self._lock:
                    self._lose(sum(len(served.ids) for served in part))

    def _table(self, part: list[Served]) -> pl.DataFrame:
        drop = [name for name in self._settings.exclude if name in part[0].inputs.columns]
        inputs = pl.concat(served.inputs for served in part).drop(drop)
        outputs = pl.concat(served.outputs for served in part)
        rows = [
            (name, served.exchange, served.keys.get(index), served.seconds)
            for served in part
            for index, name in enumerate(served.ids)
        ]
        columns = {
            "id": [name for name, _, _, _ in rows],
            "time": [datetime.fromtimestamp(request.came, UTC) for _, request, _, _ in rows],
            "release": [self._release] * len(rows),
            "role": [request.role for _, request, _, _ in rows],
            "client": [request.client for _, request, _, _ in rows],
            "key": [None if key is None else str(key) for _, _, key, _ in rows],
            "seconds": [seconds for _, _, _, seconds in rows],
        }
        table = pl.DataFrame(columns, schema=PREDICTION)
        return table.with_columns(inputs.to_struct(INPUT), outputs.to_struct(OUTPUT))

    def _flush_traffic(self, *, whole: bool) -> None:
        now = int(self._clock() // 60)
        with self._lock:
            over = {key: value for key, value in self._minutes.items() if whole or key[0] < now}
            for key in over:
                del self._minutes[key]
            lost = self._lost if over else 0
            self._lost -= lost
        if not over:
            return
        rows = [self._line(key, minute) for key, minute in sorted(over.items(), key=lambda item: str(item[0]))]
        rows[0]["lost"] = lost
        try:
            self._segments[TRAFFIC].append(_parquet(pl.DataFrame(rows, schema=TRAFFIC_COLUMNS)))
        except (MlopsError, pl.exceptions.PolarsError, OSError) as error:
            logger.warning("traffic could not be logged: %s", error)
            with self._lock:
                self._lost += lost

    def _line(self, key: tuple[int, str, int, str | None], minute: _Minute) -> dict[str, Any]:
        start, role, status, code = key
        seconds = pl.Series(minute.seconds, dtype=pl.Float64)
        return {
            "time": datetime.fromtimestamp(start * 60, UTC),
            "replica": self._replica,
            "release": self._release,
            "role": role,
            "status": status,
            "code": code,
            "requests": minute.requests,
            "rows": minute.rows,
            "seconds_sum": minute.sum,
            **{f"seconds_p{share}": seconds.quantile(share / 100, "nearest") for share in (50, 95, 99)},
            "lost": 0,
        }


def _parts(taken: list[Served]) -> list[list[Served]]:
    """Cut what waits into segments."""
    parts: list[list[Served]] = []
    rows = _SEGMENT_ROWS
    for served in taken:
        if rows >= _SEGMENT_ROWS:
            parts.append([])
            rows = 0
        parts[-1].append(served)
        rows += len(served.ids)
    return parts


def _parquet(table: pl.DataFrame) -> bytes:
    buffer = io.BytesIO()
    table.write_parquet(buffer)
    return buffer.getvalue()
