"""What requests met with, minute by minute: counted whole, with quantiles of latencies drawn fairly of each minute."""

from __future__ import annotations

import os
import random
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeAlias

import polars as pl

from mlops_compiler.store.served import TRAFFIC

if TYPE_CHECKING:
    from collections.abc import Callable

Key: TypeAlias = tuple[int, str, int, str | None]
"""The minute since 1970, the role, the status and the code of a refusal."""
_LATENCIES = 1024
"""Latencies that quantiles are taken of; each request of a minute has the same chance to be among them."""
_MOST_LINES = 10_000
"""Lines that wait for a store which cannot be written: a day of some kinds of answers a minute."""


@dataclass(slots=True)
class _Minute:
    """What happened in a minute, with one role, status and code."""

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
        elif (place := int(random.random() * self.requests)) < _LATENCIES:  # noqa: S311 - a sample, not a secret
            self.seconds[place] = seconds  # algorithm R: Vitter, "Random sampling with a reservoir", 1985


class Minutes:
    """Counts what a replica answers.

    Args:
        release: The release of the replica.
        clock: Tells the time; in seconds since 1970.
    """

    def __init__(self, release: int, clock: Callable[[], float]) -> None:
        self._release, self._clock = release, clock
        self._replica = f"{os.uname().nodename}:{os.getpid()}"
        self._minutes: dict[Key, _Minute] = {}
        self._over: list[dict[str, Any]] = []
        self._lock = threading.Lock()

    def add(self, status: int, seconds: float, *, role: str, rows: int, code: str | None) -> None:
        """Count a request."""
        key = (int(self._clock() // 60), role, status, code)
        with self._lock:
            minute = self._minutes.get(key)
            if minute is None:
                minute = self._minutes[key] = _Minute()
            minute.add(seconds, rows)

    def over(self, *, whole: bool = False) -> pl.DataFrame:
        """Give what is not written yet of the minutes that are over; the columns of `store.served.TRAFFIC`.

        Args:
            whole: Whether to take the minute that is not over, too.
        """
        now = int(self._clock() // 60)
        with self._lock:
            done = {key: value for key, value in self._minutes.items() if whole or key[0] < now}
            for key in done:
                del self._minutes[key]
        self._over += [self._line(key, minute) for key, minute in done.items()]
        self._over = self._over[-_MOST_LINES:]
        return pl.DataFrame(self._over, schema=TRAFFIC)

    def written(self, lines: int) -> None:
        """Forget so many lines, the oldest: they are written."""
        del self._over[:lines]

    def _line(self, key: Key, minute: _Minute) -> dict[str, Any]:
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
