"""Ends exactly the processes that an engine started: those of the session that it leads, and no other.

A worker of Ray that loses its parent stays in the session; that is how it is found.
"""

from __future__ import annotations

import os
import time
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import psutil

_PATIENCE_SECONDS = 5.0
_LAST_SECONDS = 0.5
"""For those whose leader has ended already."""


def members(leader: int, mark: str) -> list[psutil.Process]:
    """List the living processes of a session.

    Args:
        leader: The process that led it when it began.
        mark: A text that the command line of one of them holds and no other process's does. The number of
            a session may be given anew once all its processes are gone; by the mark it is known as ours.
    """
    import psutil

    living = [process for process in psutil.process_iter() if _belongs(process, leader)]
    return living if any(_names(process, mark) for process in living) else []


def end_session(leader: int, mark: str) -> None:
    """Ask the leader to end its session, and end by force what has not ended after a while."""
    import psutil

    asked = members(leader, mark)
    told = [process for process in asked if process.pid == leader] or asked
    _each(told, psutil.Process.terminate)
    psutil.wait_procs(told, timeout=_PATIENCE_SECONDS)
    psutil.wait_procs(asked, timeout=_LAST_SECONDS)
    until = time.monotonic() + _PATIENCE_SECONDS
    while (left := _left(asked, leader, mark)) and time.monotonic() < until:
        _each(left, psutil.Process.kill)
        psutil.wait_procs(left, timeout=1)


def _left(asked: list[psutil.Process], leader: int, mark: str) -> list[psutil.Process]:
    """List what is left of a session, and what it started meanwhile; one survivor keeps its number from others."""
    import psutil

    if any(_belongs(process, leader) for process in asked):
        return [process for process in psutil.process_iter() if _belongs(process, leader)]
    return members(leader, mark)


def _belongs(process: psutil.Process, leader: int) -> bool:
    import psutil

    with suppress(psutil.Error, OSError):
        return os.getsid(process.pid) == leader and process.status() != psutil.STATUS_ZOMBIE
    return False


def _names(process: psutil.Process, mark: str) -> bool:
    import psutil

    with suppress(psutil.Error):
        return any(mark in argument for argument in process.cmdline())
    return False


def _each(processes: Iterable[psutil.Process], act: Callable[[psutil.Process], None]) -> None:
    import psutil

    for process in processes:
        with suppress(psutil.Error):
            act(process)
