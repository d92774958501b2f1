"""A run as it goes on, from its recorded events: a moving picture on a terminal, plain lines elsewhere."""

from __future__ import annotations

import os
import time
from threading import Lock
from typing import TYPE_CHECKING, Self

from rich.live import Live

from mlops_compiler.console.progress_lines import line_of
from mlops_compiler.console.progress_picture import picture
from mlops_compiler.console.progress_state import ProgressState
from mlops_compiler.console.text import line, styled

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import TracebackType

    from rich.console import Console, RenderableType

    from mlops_compiler.console.plan_view import PlanRow
    from mlops_compiler.store.records import Event

_FRAMES_PER_SECOND = 6
SWITCH = "MLOPS_PROGRESS"
"""``off`` in this variable of the environment: show nothing of how far a run is."""


class Progress:
    """Shows a run while it runs. Feed it events in their order, inside its ``with`` block.

    Leaving the block, also by Ctrl-C or an error, leaves the last picture and the terminal as it was.

    Args:
        console: Where to; standard error, so that results stay clean.
        plan: The stages to come, so that those that wait and those that are reused are shown from the start.
        clock: The time in seconds since 1970, as in the events.
    """

    def __init__(
        self, console: Console, plan: Sequence[PlanRow] = (), *, clock: Callable[[], float] = time.time
    ) -> None:
        self._console = console
        self._clock = clock
        self._state = ProgressState()
        self._lock = Lock()
        self._first: float | None = None
        self._ended = False
        self._silent = os.environ.get(SWITCH) == "off"
        self._live: Live | None = None
        for item in plan:
            self._state.stage(item.stage).status = "reused" if item.action == "reuse" else "waiting"

    def __enter__(self) -> Self:
        if self._console.is_terminal and not self._console.is_dumb_terminal and not self._silent:
            self._live = Live(
                get_renderable=self._picture, console=self._console, refresh_per_second=_FRAMES_PER_SECOND
            )
            self._live.start(refresh=True)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._ended = True
        if self._live is not None:
            self._live.stop()
            self._live = None

    def feed(self, event: Event) -> None:
        """Take one event in and show what it changes."""
        with self._lock:
            self._first = event.time if self._first is None else self._first
            self._state.apply(event)
            said = line_of(event, self._state, since=self._first)
        if self._live is None and said is not None and not self._silent:
            line(self._console, said)
        elif self._live is not None and event.kind == "note":
            self._console.print(styled(event.payload.get("text", "")))

    def _picture(self) -> RenderableType:
        with self._lock:
            return picture(self._state, now=self._clock(), width=self._console.width, ended=self._ended)
