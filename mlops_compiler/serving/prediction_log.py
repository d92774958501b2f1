"""The log of a replica: what was answered is handed over and written later; an answer waits for nothing.

The queue is bounded. What the store does not take now is written later, as long as there is room; what finds none is
lost, and counted: in the traffic beside it, in the facts of the service, and with a warning in its log.
"""

from __future__ import annotations

import io
import logging
import random
import threading
import time
from collections import deque
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import polars as pl

from mlops_compiler.diagnostics import MlopsError
from mlops_compiler.serving.exchange import stacked
from mlops_compiler.serving.minutes import Minutes
from mlops_compiler.store.records import logs_of
from mlops_compiler.store.segments import LABELS, PREDICTIONS, TRAFFIC, Segments
from mlops_compiler.store.served import ANSWER, INPUT, OUTPUT, PREDICTION
from mlops_compiler.store.tending import tend

if TYPE_CHECKING:
    from collections.abc import Callable

    from mlops_compiler.serving.exchange import Served
    from mlops_compiler.store.location import StoreLocation
    from mlops_compiler.store.records import ServiceName

_MOST_REQUESTS = 5_000
"""Requests that wait to be packed at most: of one row each, some 100 MB of a wide table."""
_MOST_ROWS = 100_000
"""Rows that wait at most, packed or not; packed they are some 50 MB of a wide table."""
_PACKED_REQUESTS = 500
_SEGMENT_ROWS = 10_000
_PACK_SECONDS = 1.0
_SEGMENT_SECONDS = 10.0
"""How old rows may become before they are written; a replica that is killed loses as much."""
_TEND_SECONDS = 3600.0
_CLOSE_SECONDS = 5.0
_NOTHING = {"nothing": None}
_KINDS = (PREDICTIONS, TRAFFIC, LABELS)
logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class LogSettings:
    """What is logged.

    Attributes:
        sample: The share of requests whose rows are kept, from 0 to 1; traffic is counted whole.
        exclude: Fields that are not kept; the recipe's key may be one.
        keep: Seconds after which they are removed.
    """

    sample: float = 1.0
    exclude: tuple[str, ...] = ()
    keep: float = 90 * 86400.0


class PredictionLog:
    """Takes what a replica answered, and writes it in segments.

    Args:
        location: The store.
        service: Which one it is of.
        release: The release of the replica.
        settings: What is kept.
        clock: Tells the time; in seconds since 1970.
        key: The recipe's key.
    """

    def __init__(
        self,
        location: StoreLocation,
        service: ServiceName,
        release: int,
        settings: LogSettings | None = None,
        clock: Callable[[], float] = time.time,
        *,
        key: str | None = None,
    ) -> None:
        self._segments = {kind: Segments(location, kind, service) for kind in _KINDS}
        self._tends = [(kind, Segments(location, kind, log)) for kind in _KINDS for log in logs_of(service)]
        self._release, self._settings, self._clock = release, settings or LogSettings(), clock
        self._keeps_keys = key not in self._settings.exclude
        self._queue: deque[Served] = deque()
        self._packed: deque[pl.DataFrame] = deque()
        self._waiting, self._oldest = 0, clock()
        self._tended = clock() - _TEND_SECONDS * random.random()  # noqa: S311 - replicas need not tend at once
        self._minutes = Minutes(release, clock)
        self._lost = self._lost_in_all = 0
        self._lock, self._wake, self._writing = threading.Lock(), threading.Event(), threading.Lock()
        self._closed = False
        self._thread: threading.Thread | None = None
        self.on_loss: Callable[[int], None] = lambda _: None
        self.on_waiting: Callable[[int], None] = lambda _: None

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
            if self._waiting + rows > _MOST_ROWS or len(self._queue) >= _MOST_REQUESTS or self._closed:
                self._lose(rows, "has no room")
                return
            self._queue.append(served)
            self._waiting += rows
            many = len(self._queue) == _PACKED_REQUESTS or self._waiting >= _SEGMENT_ROWS
        if many:
            self._wake.set()

    def count(self, status: int, seconds: float, *, role: str = ANSWER, rows: int = 0, code: str | None = None) -> None:
        """Count a request that was answered; returns at once."""
        self._minutes.add(status, seconds, role=role, rows=rows, code=code)

    def _keeps(self, name: str) -> bool:
        """Draw by the random end of the id, so that a release on trial keeps the same requests."""
        sample = self._settings.sample
        return sample >= 1 or int(name[-8:].partition("-")[0] or "0", 16) < sample * 16**8

    def _lose(self, rows: int, why: str) -> None:
        if not self._lost:
            logger.warning("the log of predictions %s: rows are lost", why)
        self._lost += rows
        self._lost_in_all += rows
        self.on_loss(rows)

    def _work(self) -> None:
        while not self._closed:
            self._wake.wait(_PACK_SECONDS)
            self._wake.clear()
            try:
                self._turn()
            except Exception:  # whatever fails: a thread that ended would lose all that is answered from now on
                logger.exception("the log of predictions could not be written, and goes on")

    def _turn(self) -> None:
        with self._writing:
            self._pack()
            if self._is_due():
                self._write_rows()
            self._write_traffic(whole=False)
        self.on_waiting(self._waiting)
        if self._clock() - self._tended >= _TEND_SECONDS:
            self._tended = self._clock()
            self._tend()

    def _tend(self) -> None:
        """Put small segments together, and remove old ones; outcomes stay, for models were judged by them."""
        for kind, segments in self._tends:
            try:
                tend(segments, keep=None if kind == LABELS else self._settings.keep, now=self._clock())
            except (MlopsError, OSError) as error:
                logger.warning("the segments of %s could not be tended: %s", kind, error)

    def close(self) -> None:
        """Write what waits, and take nothing more."""
        with self._lock:
            self._closed = True
        self._wake.set()
        if self._thread is not None:
            self._thread.join(_CLOSE_SECONDS)
        if self._writing.acquire(timeout=_CLOSE_SECONDS):  # a store that hangs must not keep the replica
            try:
                self._write(whole=True)
            finally:
                self._writing.release()
        if self._waiting:
            logger.warning("%s predictions could not be logged", self._waiting)

    def flush(self, *, whole: bool = False) -> None:
        """Write what waits.

        Args:
            whole: Whether to write the minute that is not over, too.
        """
        with self._writing:
            self._write(whole=whole)

    def _write(self, *, whole: bool) -> None:
        self._pack()
        self._write_rows()
        self._write_traffic(whole=whole)

    def _is_due(self) -> bool:
        rows = sum(table.height for table in self._packed)
        return rows >= _SEGMENT_ROWS or self._clock() - self._oldest >= _SEGMENT_SECONDS

    def _pack(self) -> None:
        """Make one table of what came: a frame for each request takes a hundred times as much room."""
        with self._lock:
            taken, self._queue = list(self._queue), deque()
        if not taken:
            return
        if not self._packed:
            self._oldest = self._clock()
        try:
            self._packed.append(self._table(taken))
        except (pl.exceptions.PolarsError, TypeError, ValueError, OverflowError):
            logger.exception("predictions could not be made a table")
            with self._lock:
                rows = sum(len(served.ids) for served in taken)
                self._waiting -= rows
                self._lose(rows, "cannot hold what was answered")

    def _write_rows(self) -> None:
        """Write what was packed; what the store does not take waits for the next time."""
        while self._packed:
            part: list[pl.DataFrame] = []
            for table in self._packed:
                part.append(table)
                if sum(table.height for table in part) >= _SEGMENT_ROWS:
                    break
            if not self._append(PREDICTIONS, pl.concat(part)):
                self._oldest = self._clock()
                return
            for table in part:
                self._packed.popleft()
                with self._lock:
                    self._waiting -= table.height

    def _table(self, taken: list[Served]) -> pl.DataFrame:
        rows = [(name, served, index) for served in taken for index, name in enumerate(served.ids)]
        keys = [served.keys.get(index) if self._keeps_keys else None for _, served, index in rows]
        columns = {
            "id": [name for name, _, _ in rows],
            "time": [datetime.fromtimestamp(served.exchange.came, UTC) for _, served, _ in rows],
            "release": [self._release] * len(rows),
            "role": [served.exchange.role for _, served, _ in rows],
            "client": [served.exchange.client for _, served, _ in rows],
            "key": [None if key is None else str(key) for key in keys],
            "seconds": [served.seconds for _, served, _ in rows],
        }
        inputs = stacked(served.inputs for served in taken)
        kept = [name for name in inputs.columns if name not in self._settings.exclude]
        # Parquet knows no struct without fields.
        input_ = inputs.select(kept).to_struct(INPUT) if kept else pl.Series(INPUT, [_NOTHING] * len(rows))
        outputs = stacked(served.outputs for served in taken).to_struct(OUTPUT)
        return pl.DataFrame(columns, schema=PREDICTION).with_columns(input_, outputs)

    def _write_traffic(self, *, whole: bool) -> None:
        lines = self._minutes.over(whole=whole)
        if not lines.height:
            return
        with self._lock:
            lost = self._lost
        first = pl.int_range(lines.height) == 0
        if self._append(TRAFFIC, lines.with_columns(lost=pl.when(first).then(lost).otherwise(0).cast(pl.Int64))):
            self._minutes.written(lines.height)
            with self._lock:
                self._lost -= lost

    def _append(self, kind: str, table: pl.DataFrame) -> bool:
        """Write a segment; says whether the store took it."""
        buffer = io.BytesIO()
        table.write_parquet(buffer)
        try:
            self._segments[kind].append(buffer.getvalue())
        except (MlopsError, OSError) as error:
            logger.warning("%s cannot be logged now: %s", kind, error)
            return False
        return True
