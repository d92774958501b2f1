"""Watching a clock: something is done each time that a cron fires, or that so long has passed; what came late is told.

Time is asked of the clock again and again, for a machine that sleeps does not count seconds.
"""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
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


def watch(
    when: str | float,
    act: Callable[[], None],
    late: Callable[[str], None],
    clock: Clock,
    last: datetime | None,
    what: str = "intake",
) -> None:
    """Act each time that a cron fires, or every so many seconds, until something is raised.

    Where it fired since the last time, or there was none, the first act is at once. Of several times that were missed
    only the last one is made good.

    Args:
        when: A cron expression, in UTC; or seconds.
        act: What to do.
        late: Is told of an act that is late, and of those that were missed.
        clock: The time.
        last: When it was done last.
        what: What is done, as it is told.
    """
    now = clock.now()
    if last is None or _next(when, last) <= now:
        act()
        last = now
    due = _next(when, last)
    while True:
        while (left := (due - clock.now()).total_seconds()) > 0:
            clock.wait(min(left, _LOOK_SECONDS))
        fired, now = _passed(when, due, clock.now()), clock.now()
        if (now - due).total_seconds() > _TOLERATED_SECONDS:
            late(_told(what, fired, now))
        act()
        due = _next(when, fired[-1])


def _next(when: str | float, after: datetime) -> datetime:
    if not isinstance(when, str):
        return after + timedelta(seconds=when)
    from cronsim import CronSim

    return next(CronSim(when, after))


def _passed(when: str | float, first: datetime, now: datetime) -> list[datetime]:
    """List the times from the first one until now."""
    times = [first]
    while (then := _next(when, times[-1])) <= now:
        times.append(then)
    return times


def _told(what: str, fired: list[datetime], now: datetime) -> str:
    told, missed = f"the {what} of {fired[-1]:%Y-%m-%d %H:%M} UTC begins at {now:%H:%M}", len(fired) - 1
    if missed:
        told += f", and {missed} since {fired[0]:%Y-%m-%d %H:%M} {'was' if missed == 1 else 'were'} missed"
    return f"{told}: the machine slept, or the one before took as long"
