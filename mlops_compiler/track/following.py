"""Follows a run for its trackers: each has a thread of its own, waited for briefly."""

from __future__ import annotations

import queue
import threading
import time
from typing import TYPE_CHECKING, Any

from mlops_compiler.ir.space import shown_value
from mlops_compiler.track.tracker import TrialFacts

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from mlops_compiler.store.records import Event, FoldRecord
    from mlops_compiler.track.tracker import EndFacts, Log

_MOST_SAID = 200
PATIENCE = 15.0
"""Seconds that all trackers together may take after the run is over."""


class Following:
    """Passes on the trials of a run as they end, and the end of the run.

    Args:
        begin: Of each tracker, by its name in the recipe, what begins its log.
        find: Finds records of folds by their fingerprints; called in the trackers' threads.
    """

    def __init__(
        self,
        begin: Mapping[str, Callable[[], Log]],
        find: Callable[[Sequence[str]], dict[str, FoldRecord]],
    ) -> None:
        self._metric = ""
        self._find = find
        self._threads = {name: _Thread(start) for name, start in begin.items()}

    def feed(self, event: Event) -> None:
        """Take one event of the run; never waits."""
        if event.kind == "search_planned":
            self._metric = str(event.payload.get("metric", ""))
        elif event.kind == "trial_finished" and "fingerprint" in event.payload:
            payload, metric = event.payload, self._metric
            self._all(lambda log: log.trial(_trial(payload, metric, self._find)))

    def end(self, outcome: EndFacts, patience: float = PATIENCE) -> dict[str, str]:
        """Pass on how the run ended, and wait for the trackers.

        Returns:
            Of each tracker that failed, by its name, why.
        """
        self._all(lambda log: log.end(outcome))
        until = time.monotonic() + patience
        return {name: why for name, thread in self._threads.items() if (why := thread.close(until, patience))}

    def _all(self, call: Callable[[Log], None]) -> None:
        for thread in self._threads.values():
            thread.calls.put(call)


class _Thread:
    """Runs the calls of one tracker, one after another, until one fails."""

    def __init__(self, begin: Callable[[], Log]) -> None:
        self.calls: queue.SimpleQueue[Callable[[Log], None] | None] = queue.SimpleQueue()
        self._begin = begin
        self._why = ""
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def close(self, until: float, patience: float) -> str:
        """Wait until all is written; returns why it is not, or nothing."""
        self.calls.put(None)
        self._thread.join(max(0.0, until - time.monotonic()))
        return f"did not end within {patience:g} seconds" if self._thread.is_alive() else self._why

    def _run(self) -> None:
        try:
            log = self._begin()
            while (call := self.calls.get()) is not None:
                call(log)
        except Exception as error:  # noqa: BLE001 - systems of others, by as many authors: none may end a run
            text = str(error).strip().split("\n", 1)[0]
            self._why = f"{type(error).__name__}: {_cut(text)}" if text else type(error).__name__


def _cut(text: str) -> str:
    return text if len(text) <= _MOST_SAID else f"{text[: _MOST_SAID - 1]}…"


def _trial(
    payload: Mapping[str, Any], metric: str, find: Callable[[Sequence[str]], dict[str, FoldRecord]]
) -> TrialFacts:
    known = find(payload["results"])
    return TrialFacts(
        trial=payload["trial"],
        model=payload["model"],
        kind=payload["kind"],
        fingerprint=payload["fingerprint"],
        parameters={name: _plain(value) for name, value in (payload["parameters"] | payload["preparation"]).items()},
        status=payload["status"],
        metric=metric,
        score=payload["score"],
        folds=[known[seal] for seal in payload["results"] if seal in known],
    )


def _plain(value: Any) -> bool | int | float | str:
    return value if isinstance(value, bool | int | float) else shown_value(value)
