"""Watching a cron: something is done each time that it fires; what came too late, or not at all, is told.

Time is asked of the clock again and again, for a machine that sleeps does not count seconds.
"""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

_LOOK_SECONDS = 20.0
_TOLERATED_SECONDS = 60.0


class Clock(Protocol):
    """Tells the time, and lets it pass."""

    def now(self) -> datetime:
        """Tell the time, in UTC."""

    def wait(self, seconds: float) -> None:
        """Let time pass."""


class WallClock:
    """The clock of this machine."""

    def now(self) -> datetime:
        """Tell the time, in UTC."""
        return datetime.now(UTC)

    def wait(self, seconds: float) -> None:
        """Wait; a signal ends it."""
        threading.Event().wait(seconds)


def watch(cron: str, act: Callable[[], None], late: Callable[[str], None], clock: Clock, last: datetime | None) -> None:
    """Act each time that a cron fires, until something is raised.

    Where it fired since the last time, or there was none, the first act is at once. Of several times that were missed
    only the last one is made good.

    Args:
        cron: When; in UTC.
        act: What to do.
        late: Is told of an act that is late, and of those that were missed.
        clock: The time.
        last: When it was done last.
    """
    now = clock.now()
    if last is None or _next(cron, last) <= now:
        act()
        last = now
    due = _next(cron, last)
    while True:
        while (left := (due - clock.now()).total_seconds()) > 0:
            clock.wait(min(left, _LOOK_SECONDS))
        fired, now = _passed(cron, due, clock.now()), clock.now()
        if (now - due).total_seconds() > _TOLERATED_SECONDS:
            late(_told(fired, now))
        act()
        due = _next(cron, fired[-1])


def _next(cron: str, after: datetime) -> datetime:
    from cronsim import CronSim

    return next(CronSim(cron, after))


def _passed(cron: str, first: datetime, now: datetime) -> list[datetime]:
    """List the times from the first one until now."""
    times = [first]
    while (then := _next(cron, times[-1])) <= now:
        times.append(then)
    return times


def _told(fired: list[datetime], now: datetime) -> str:
    told, missed = f"the intake of {fired[-1]:%Y-%m-%d %H:%M} UTC begins at {now:%H:%M}", len(fired) - 1
    if missed:
        told += f", and {missed} since {fired[0]:%Y-%m-%d %H:%M} {'was' if missed == 1 else 'were'} missed"
    return f"{told}: the machine slept, or the one before took as long"
