"""Notes down how a rollout goes on, as it does: for who watches, in the audit log, and with the deployment's record."""

from __future__ import annotations

import os
import socket
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from mlops_compiler.store.reader import open_reader
from mlops_compiler.store.writer import open_writer

if TYPE_CHECKING:
    from collections.abc import Callable

    from mlops_compiler.backends.ray.serve_app import AppSpec

ROLLOUT = "rollout"
"""Under what a deployment's settings say that another release is on its way."""
_ENDED = "-ended"


class Ledger:
    """Takes down what happens in a rollout.

    Args:
        spec: The new release.
        actor: Who wants it.
        tell: Hears of everything.
    """

    def __init__(self, spec: AppSpec, actor: str, tell: Callable[[dict[str, Any]], None]) -> None:
        self._spec, self._actor, self._tell = spec, actor, tell
        self._store = open_writer(spec.location)

    def __call__(self, told: dict[str, Any]) -> None:
        """Take down one thing: ``step``, and what is known of it.

        Raises:
            EngineError: It cannot be recorded; a rollout that leaves no trace is not gone on with.
        """
        self._tell(told)
        step = str(told["step"])
        if step == "replay" or step.endswith(_ENDED):
            self._audit(step.removesuffix(_ENDED), told)
        else:
            self._record({"release": self._spec.release, **told})

    def close(self) -> None:
        """Take down that nothing is on its way any more."""
        self._record(None)

    def _audit(self, action: str, told: dict[str, Any]) -> None:
        self._store.add_audit(
            actor=self._actor,
            action=action,
            recipe=self._spec.recipe,
            release=self._spec.release,
            environment=self._spec.environment,
            payload=told,
        )

    def _record(self, rollout: dict[str, Any] | None) -> None:
        before = open_reader(self._spec.location).deployment(self._spec.recipe, self._spec.environment)
        if before is None:
            return
        settings = {name: value for name, value in before.settings.items() if name != ROLLOUT}
        if rollout is not None:
            settings[ROLLOUT] = {**rollout, "pid": os.getpid(), "host": socket.gethostname(), "time": time.time()}
        if settings != before.settings:
            self._store.record_deployment(replace(before, settings=settings))
