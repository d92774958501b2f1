"""The engine: a Ray session for the time of a run, embedded or on a cluster; started only where something runs."""

from __future__ import annotations

import logging
import os
import secrets
import signal
import tempfile
import threading
import warnings
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mlops_compiler.diagnostics import Diagnostic, EngineError, Note

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlops_compiler.recipe.resources import Cluster

EMBEDDED = "embedded"
_SLOW = "timed out during startup"
"""What Ray says where its processes do not answer within half a minute."""
_ENVIRONMENT = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_DEDUP_LOGS": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "RAY_DISABLE_IMPORT_WARNING": "1",
}


@dataclass(slots=True)
class _Kept:
    """The engine that a sweep keeps from one job to the next."""

    wanted: bool = False
    cluster: Cluster | None = None


_KEPT = _Kept()


@contextmanager
def engine_kept() -> Iterator[None]:
    """Let the sessions of a sweep share the engine that the first of them starts; it ends with the last."""
    _KEPT.wanted = True
    try:
        yield
    finally:
        _KEPT.wanted = False
        _end_kept()


def _end_kept() -> None:
    if _KEPT.cluster is not None:
        import ray

        _KEPT.cluster = None
        ray.shutdown()


@contextmanager
def ray_session(cluster: Cluster) -> Iterator[bool]:
    """Connect to Ray for a while.

    Yields:
        Whether the engine was started for this session.

    Raises:
        EngineError: It does not start, or the cluster does not answer.
    """
    for name, value in _ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    import ray

    if _KEPT.cluster not in (None, cluster):
        _end_kept()
    if ray.is_initialized():  # the session of a sweep, or somebody else's: use it and leave it
        yield False
        return
    with _own_sigterm():
        _connect(cluster)
    try:
        yield cluster.address == EMBEDDED
    finally:
        if _KEPT.wanted:
            _KEPT.cluster = cluster
        else:
            ray.shutdown()


@contextmanager
def _own_sigterm() -> Iterator[None]:
    """Keep what the program does on SIGTERM: Ray sets handlers of its own, which end it before it can say so."""
    before = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        if before is not None and threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, before)


def _system(cluster: Cluster) -> dict[str, int]:
    """Give the embedded engine's own settings: warm workers wait a minute for work, and all may start at once.

    Ray would start as many at once as there are cores, and forget the one that waits for the search.
    """
    cores = cluster.cpus or os.cpu_count() or 1
    return {"idle_worker_killing_time_threshold_ms": 60_000, "worker_maximum_startup_concurrency": cores + 1}


def keep_token_private(home: Path) -> None:
    """See that only its owner can read the token by which an engine of this machine is joined.

    Ray makes the file where there is none, for everybody to read. Where the environment names another, or the home
    cannot be written, it is left to Ray, which says so.

    Args:
        home: Below which Ray looks for it.
    """
    if any(os.environ.get(name) for name in ("RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH")):
        return
    path = home / ".ray" / "auth_token"
    with suppress(OSError):
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if path.exists():
            path.chmod(0o600)
            return
        with tempfile.NamedTemporaryFile("w", dir=path.parent, prefix=".auth_token-") as made:  # 0600 from the start
            made.write(secrets.token_hex(32))
            made.flush()
            os.link(made.name, path)  # whole or not at all, and never in the place of another one's


def _connect(cluster: Cluster) -> None:
    import ray

    embedded = cluster.address == EMBEDDED
    if embedded:
        keep_token_private(Path.home())
    own = {
        "include_dashboard": False,
        "num_cpus": cluster.cpus,
        "num_gpus": cluster.gpus,
        "_system_config": _system(cluster),
    }
    options = own if embedded else {}

    def begin() -> None:
        ray.init(
            address="local" if embedded else cluster.address,
            log_to_driver=False,
            logging_level=logging.ERROR,
            configure_logging=True,
            **options,
        )

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            try:
                begin()
            except Exception as error:
                if not (embedded and _SLOW in str(error)):
                    raise
                begin()  # what was too slow to start is in the page cache now
        except Exception as error:  # Ray raises nothing more special where a node starts too slowly
            raise EngineError([_unreachable(cluster, error)]) from error


def _unreachable(cluster: Cluster, error: Exception) -> Diagnostic:
    embedded = cluster.address == EMBEDDED
    return Diagnostic(
        code="engine-unreachable",
        headline="Ray did not start" if embedded else f"no Ray cluster answers at `{cluster.address}`",
        notes=(Note(text=str(error).strip().split("\n", 1)[0] or type(error).__name__),),
        help="the machine may be busy, or short of memory: run again, what is finished is kept"
        if embedded
        else "check `cluster.address`, or leave it out to start an engine for the run",
    )
