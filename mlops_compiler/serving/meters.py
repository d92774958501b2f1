"""What Prometheus may read of a service: counters, latencies and facts in its exposition format.

Replicas of one machine share a folder (the multiprocess mode of prometheus_client), so that whichever of them is asked
answers for all. On several machines each answers for its own.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from mlops_compiler.store.records import ENVIRONMENTS

if TYPE_CHECKING:
    from prometheus_client import Counter, Gauge

    from mlops_compiler.serving.prediction_log import PredictionLog

FOLDER = "PROMETHEUS_MULTIPROC_DIR"
"""The variable that names the folder; without it a replica answers for itself."""
_BUCKETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Meters:
    """Counts what a replica does.

    Args:
        recipe: Whose service it is.
        release: Its release.
        environment: Whose service it is.
    """

    def __init__(self, recipe: str, release: int, environment: str = ENVIRONMENTS[0]) -> None:
        if folder := os.environ.get(FOLDER):
            Path(folder).mkdir(parents=True, exist_ok=True)
            _forget_the_dead(Path(folder))
        from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

        self._registry = to = CollectorRegistry()
        self._fixed = {"recipe": recipe, "environment": environment, "release": str(release)}
        names, fixed = list(self._fixed), self._fixed

        def live(name: str, about: str) -> Gauge:
            return Gauge(name, about, names, registry=to, multiprocess_mode="livesum").labels(**fixed)

        def counter(name: str, about: str) -> Counter:
            return Counter(name, about, names, registry=to).labels(**fixed)

        self._requests = Counter("mlops_requests", "Requests answered.", [*names, "status", "code"], registry=to)
        # Looking labels up takes longer than counting.
        self._by_status: dict[tuple[int, str | None], Counter] = {}
        self._rows = counter("mlops_rows", "Rows scored.")
        self._seconds = Histogram(
            "mlops_request_seconds", "Seconds from a request to its answer.", names, buckets=_BUCKETS, registry=to
        ).labels(**fixed)
        self._in_flight = live("mlops_requests_in_flight", "Requests that wait for their answer.")
        self._waiting = live("mlops_log_waiting_rows", "Rows that are not logged yet.")
        self._lost = counter("mlops_log_lost_rows", "Rows that could not be logged.")
        self._log: PredictionLog | None = None
        live("mlops_replica_up", "Replicas that serve the release.").set(1)

    def watch(self, log: PredictionLog) -> None:
        """Count what the log of this replica loses, as it does, and how many rows wait, each second.

        Each replica says that itself: the one that is asked for all knows nothing of the logs of others.
        """
        log.on_loss, log.on_waiting = self._lost.inc, self._waiting.set
        self._log = log

    def begin(self) -> None:
        """Count a request that has come."""
        self._in_flight.inc()

    def end(self, status: int, seconds: float, *, rows: int = 0, code: str | None = None) -> None:
        """Count a request that was answered."""
        self._in_flight.dec()
        answered = self._by_status.get((status, code))
        if answered is None:
            answered = self._requests.labels(*self._fixed.values(), str(status), code or "")
            self._by_status[status, code] = answered
        answered.inc()
        self._seconds.observe(seconds)
        if rows:
            self._rows.inc(rows)

    def exposition(self) -> tuple[bytes, str]:
        """Write what Prometheus reads; gives the body and its content type."""
        from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
        from prometheus_client.multiprocess import MultiProcessCollector

        if self._log is not None:
            self._waiting.set(self._log.facts["waiting"])
        registry = self._registry
        if folder := os.environ.get(FOLDER):
            registry = CollectorRegistry()
            MultiProcessCollector(registry, folder)  # type: ignore[no-untyped-call]
        return generate_latest(registry), CONTENT_TYPE_LATEST


def _forget_the_dead(folder: Path) -> None:
    """Remove what replicas said of the moment that have ended since; what they counted stays."""
    from prometheus_client.multiprocess import mark_process_dead
    from psutil import pid_exists

    for file in folder.glob("gauge_live*_*.db"):
        pid = file.stem.rpartition("_")[2]
        if pid.isdecimal() and not pid_exists(int(pid)):
            mark_process_dead(int(pid), str(folder))  # type: ignore[no-untyped-call]
