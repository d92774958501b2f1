"""The cron of `intake --watch`: each time once, and what is late or missed is told (L-ACQ-4)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from mlops_compiler.commands.watching import watch

START = datetime(2026, 11, 25, 10, 4, tzinfo=UTC)


class EndError(Exception):
    """The end of a watch."""


class Time:
    """A clock that jumps as it is told to, and ends the watch."""

    def __init__(self, *, jumps=(), end):
        self.time, self.jumps, self.end = START, list(jumps), end

    def now(self):
        return self.time

    def wait(self, seconds):
        self.time += timedelta(seconds=seconds)
        if self.jumps and self.time >= self.jumps[0][0]:
            self.time = self.jumps.pop(0)[1]
        if self.time >= self.end:
            raise EndError


def at(hour, minute=0):
    return datetime(2026, 11, 25, hour, minute, tzinfo=UTC)


def watched(clock, last, takes=timedelta(0)):
    acts, told = [], []

    def act():
        acts.append(clock.time.strftime("%H:%M"))
        clock.time += takes
        if clock.time >= clock.end:
            raise EndError

    with pytest.raises(EndError):
        watch("*/10 * * * *", act, told.append, clock, last)
    return acts, told


@pytest.mark.parametrize(
    ("last", "acts"),
    [
        pytest.param(None, ["10:04", "10:10", "10:20"], id="never done"),
        pytest.param(at(9, 55), ["10:04", "10:10", "10:20"], id="missed while nobody watched"),
        pytest.param(at(10, 1), ["10:10", "10:20"], id="done since"),
    ],
)
def test_it_acts_when_the_cron_fires(last, acts):
    assert watched(Time(end=at(10, 25)), last) == (acts, [])


def test_a_machine_that_slept_makes_the_last_one_good_and_tells_of_the_others():
    clock = Time(jumps=[(at(10, 15), at(10, 47))], end=at(10, 55))
    acts, told = watched(clock, at(10, 1))
    assert acts == ["10:10", "10:47", "10:50"]
    assert told == [
        (
            "the intake of 2026-11-25 10:40 UTC begins at 10:47, and 2 since 2026-11-25 10:20 were missed: "
            "the machine slept, or the one before took as long"
        )
    ]


def test_one_that_takes_too_long_makes_the_next_one_late():
    acts, told = watched(Time(end=at(10, 45)), at(10, 1), takes=timedelta(minutes=12))
    assert acts == ["10:10", "10:22", "10:34"]
    assert [text.split(":")[0] for text in told] == ["the intake of 2026-11-25 10"] * 2
