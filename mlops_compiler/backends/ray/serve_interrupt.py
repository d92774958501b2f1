"""Ends a rollout that another process watches: who puts a release back in haste does not wait for its steps."""

from __future__ import annotations

import socket
import time
from typing import TYPE_CHECKING, Any

from mlops_compiler.backends.ray.serve_ledger import ROLLOUT
from mlops_compiler.diagnostics import Diagnostic, EngineError, UsageError

if TYPE_CHECKING:
    import psutil

    from mlops_compiler.store.records import Deployment

_MODULE = "mlops_compiler.backends.ray.serve_control"
_END_SECONDS = 90.0


def rollout_of(deployment: Deployment) -> dict[str, Any] | None:
    """Say which release is on its way to take the place of a deployment; None where none is.

    Returns:
        ``release``, ``step``, ``share``, ``time``, and ``watched``, whether the process that watches it lives still;
        None for that where it is another machine's.
    """
    found: dict[str, Any] | None = deployment.settings.get(ROLLOUT)
    if found is None:
        return None
    ours = found["host"] == socket.gethostname()
    return {**found, "watched": _watcher(found) is not None if ours else None}


def end_rollout(deployment: Deployment, *, by_force: bool) -> bool:
    """End the rollout that replaces a deployment, if there is one: it is undone by the process that watches it.

    Args:
        deployment: What it replaces.
        by_force: Whether to end one that is still watched.

    Returns:
        Whether there was one to end.

    Raises:
        UsageError: It is watched still, and shall not be ended by force; or another machine watches it.
        EngineError: It does not end.
    """
    found = rollout_of(deployment)
    if found is None or found["watched"] is False:
        return False
    watcher = _watcher(found) if found["watched"] else None
    if watcher is None or not by_force:
        raise UsageError([_under_way(deployment, found)])
    watcher.terminate()
    until = time.monotonic() + _END_SECONDS
    while watcher.is_running() and watcher.status() != "zombie":
        if time.monotonic() > until:
            raise EngineError([_does_not_end(deployment, found)])
        time.sleep(0.1)
    return True


def _watcher(found: dict[str, Any]) -> psutil.Process | None:
    """Find the process that watches a rollout; its number may have been given to another one since."""
    import psutil

    try:
        process = psutil.Process(found["pid"])
        ours = _MODULE in process.cmdline() and process.create_time() < found["time"]
    except psutil.Error:
        return None
    return process if ours else None


def _under_way(deployment: Deployment, found: dict[str, Any]) -> Diagnostic:
    return Diagnostic(
        code="rollout-under-way",
        headline=f"release {found['release']} of `{deployment.recipe}` is on its way to take the place of release "
        f"{deployment.release}; process {found['pid']} on {found['host']} watches it",
        help=f"wait for it, or end it: mlops-compile rollout {deployment.words} --abort",
    )


def _does_not_end(deployment: Deployment, found: dict[str, Any]) -> Diagnostic:
    return Diagnostic(
        code="engine-timeout",
        headline=f"the rollout of release {found['release']} of `{deployment.recipe}` did not end within "
        f"{_END_SECONDS:g} seconds",
        help=f"process {found['pid']} watches it; logs/serve.log of the store tells what it does",
    )
