"""What Prometheus may read of a service: counters, latencies and facts in its exposition format.

Replicas of one machine share a folder (the multiprocess mode of prometheus_client), so that whichever of them is asked
answers for all. On several machines each answers for its own.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

FOLDER = "PROMETHEUS_MULTIPROC_DIR"
"""The variable that names the folder; without it a replica answers for itself."""
_BUCKETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Meters:
    """Counts what a replica does.

    Args:
        recipe: Whose service it is.
        release: Its release.
    """

    def __init__(self, recipe: str, release: int) -> None:
        if folder := os.environ.get(FOLDER):
            Path(folder).mkdir(parents=True, exist_ok=True)
            _forget_the_dead(Path(folder))
        from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

        self._registry = CollectorRegistry()
        self._fixed = {"recipe": recipe, "release": str(release)}
        names = list(self._fixed)
        to = self._registry

        def live(name: str, about: str) -> Gauge:
            return Gauge(name, about, names, registry=to, multiprocess_mode="livesum")

        self._requests = Counter("mlops_requests", "Requests answered.", [*names, "status", "code"], registry=to)
        self._rows = Counter("mlops_rows", "Rows scored.", names, registry=to)
        self._seconds = Histogram(
            "mlops_request_seconds", "Seconds from a request to its answer.", names, buckets=_BUCKETS, registry=to
        )
        self._in_flight = live("mlops_requests_in_flight", "Requests that wait for their answer.")
        self._waiting = live("mlops_log_waiting_rows", "Rows that are not logged yet.")
        self._lost = live("mlops_log_lost_rows", "Rows that could not be logged.")
        self._up = live("mlops_replica_up", "Replicas that serve the release.")
        self._up.labels(**self._fixed).set(1)

    def begin(self) -> None:
        """Count a request that has come."""
        self._in_flight.labels(**self._fixed).inc()

    def end(self, status: int, seconds: float, *, rows: int = 0, code: str = "") -> None:
        """Count a request that was answered."""
        self._in_flight.labels(**self._fixed).dec()
        self._requests.labels(**self._fixed, status=str(status), code=code).inc()
        self._seconds.labels(**self._fixed).observe(seconds)
        if rows:
            self._rows.labels(**self._fixed).inc(rows)

    def exposition(self, log: Mapping[str, int]) -> tuple[bytes, str]:
        """Write what Prometheus reads; gives the body and its content type.

        Args:
            log: The facts of the log: rows that wait, and lost ones.
        """
        from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
        from prometheus_client.multiprocess import MultiProcessCollector

        self._waiting.labels(**self._fixed).set(log.get("waiting", 0))
        self._lost.labels(**self._fixed).set(log.get("lost", 0))
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
