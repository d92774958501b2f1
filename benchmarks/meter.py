"""CPU seconds, wall seconds and peak memory of a process and all that it starts, as the system counts them."""

from __future__ import annotations

import threading
import time
from typing import Self

import psutil


class Meter:
    """Measures a block of code; processes that end meanwhile keep their last reading.

    Args:
        every: Seconds between two readings.
        root: The process; this one where none is given.

    Attributes:
        cpu: CPU seconds, user and system, of the whole tree.
        wall: Seconds.
        peak: Most memory of the tree at once, bytes; shared pages are counted once (PSS).
    """

    def __init__(self, every: float = 1.0, root: int | None = None) -> None:
        self.cpu = self.wall = 0.0
        self.peak = 0
        self._every = every
        self._root = root
        self._seen: dict[tuple[int, float], float] = {}
        self._stop = threading.Event()

    def __enter__(self) -> Self:
        self._before = self.read()
        self._clock = time.perf_counter()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.wall = time.perf_counter() - self._clock
        self._stop.set()
        self._thread.join()
        self.cpu = self.read() - self._before

    def _watch(self) -> None:
        while not self._stop.wait(self._every):
            self.read()

    def read(self) -> float:
        """Read the CPU seconds so far, and note the memory."""
        resident = 0
        for process in self._tree():
            try:
                times = process.cpu_times()
                self._seen[process.pid, process.create_time()] = times.user + times.system
                resident += process.memory_full_info().pss
            except psutil.Error:
                continue
        self.peak = max(self.peak, resident)
        return sum(self._seen.values())

    def _tree(self) -> list[psutil.Process]:
        try:
            root = psutil.Process(self._root)
            return [root, *root.children(recursive=True)]
        except psutil.Error:
            return []

    def facts(self) -> dict[str, float]:
        """The figures as data: seconds, seconds, MiB."""
        return {"cpu": round(self.cpu, 2), "wall": round(self.wall, 2), "peak": round(self.peak / 2**20)}


def settle(quiet: float = 2.0, patience: float = 30.0) -> None:
    """Wait until what this process started has come to rest.

    Args:
        quiet: Seconds in which it must use less than a tenth of a core.
        patience: Seconds to wait at most.
    """
    until = time.monotonic() + patience
    meter = Meter()
    before = meter.read()
    while time.monotonic() < until:
        time.sleep(quiet)
        now = meter.read()
        if now - before < quiet / 10:
            return
        before = now
