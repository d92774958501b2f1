"""Where the replicas of a service and the process that watches a rollout meet: policies go out, counts come in.

The board is an actor of the watching process. It ends with that process, however that ends; replicas that do not find
it any more give all traffic to the release in place. So no rollout goes on that nobody watches.
"""

from __future__ import annotations

import asyncio
import threading
import time
from typing import TYPE_CHECKING, Any

from mlops_compiler.serving.tally import Tally
from mlops_compiler.serving.traffic import Policy

if TYPE_CHECKING:
    from mlops_compiler.serving.traffic import Asked, Traffic

NAMESPACE = "serve"
_REPORT_SECONDS = 0.3
_LOOK_SECONDS = 1.0
_WAIT_SECONDS = 5.0
_SILENT_SECONDS = 3.0
"""A replica that says nothing for so long has ended, or cannot."""


def board_name(app: str) -> str:
    """Name the board of an application."""
    return f"mlops-rollout-{app}"


class Board:
    """Holds the policy, and adds up what the replicas count."""

    def __init__(self) -> None:
        self._policy: dict[str, Any] | None = None
        self._tally = Tally()
        self._seen: dict[str, tuple[float, int, int]] = {}

    def steer(self, policy: dict[str, Any] | None) -> None:
        """Set another policy, and begin to count anew."""
        self._policy, self._tally = policy, Tally()

    def report(self, replica: str, version: int, in_flight: int, tally: dict[str, Any]) -> dict[str, Any] | None:
        """Take what a replica counted under a policy; gives the policy to follow from now on."""
        self._seen[replica] = (time.monotonic(), version, in_flight)
        if self._policy is not None and version == self._policy["version"]:
            self._tally.merge(Tally.from_json(tally))
        return self._policy

    def read(self) -> dict[str, Any]:
        """Give what was counted under the policy, and how many replicas follow it or another one still."""
        now = time.monotonic()
        living = [(version, busy) for seen, version, busy in self._seen.values() if now - seen < _SILENT_SECONDS]
        wanted = self._policy["version"] if self._policy else 0
        return {
            "tally": self._tally.to_json(),
            "follow": sum(version == wanted for version, _ in living),
            "lag": sum(version != wanted for version, _ in living),
            "in_flight": sum(busy for _, busy in living),
        }


class Candidates:
    """Asks releases that run beside the one in place, by the names of their applications."""

    def __init__(self) -> None:
        self._handles: dict[str, Any] = {}

    async def ask(self, policy: Policy, asked: Asked) -> tuple[int, bytes]:
        """Ask one; gives the status and the body of its answer."""
        from ray import serve

        if policy.app not in self._handles:
            # Serve asks its controller for it, and would keep other requests waiting meanwhile.
            self._handles[policy.app] = await asyncio.to_thread(serve.get_app_handle, policy.app)
        about = {**asked.about, "role": asked.role}
        status, body = await self._handles[policy.app].ask.remote(asked.body, about)
        return status, body


class Watch(threading.Thread):
    """Looks for the board of a replica's service, and while there is one, reports to it and steers the traffic.

    Args:
        app: The name of the application.
        replica: A name of the replica, of its own.
        traffic: What is steered.
    """

    def __init__(self, app: str, replica: str, traffic: Traffic) -> None:
        super().__init__(name="rollout", daemon=True)
        self._app, self._replica, self._traffic = app, replica, traffic
        self._over = threading.Event()

    def run(self) -> None:
        """Watch until the process ends."""
        while not self._over.wait(_LOOK_SECONDS):
            self._follow()

    def stop(self) -> None:
        """End it."""
        self._over.set()

    def _follow(self) -> None:
        """Follow the board for as long as there is one."""
        import ray

        try:
            board = ray.get_actor(board_name(self._app), namespace=NAMESPACE)
        except (ValueError, ray.exceptions.RayError):
            return
        version = 0
        try:
            while not self._over.wait(_REPORT_SECONDS):
                told = (self._replica, version, self._traffic.in_flight, self._traffic.drain().to_json())
                policy = ray.get(board.report.remote(*told), timeout=_WAIT_SECONDS)
                version = policy["version"] if policy else 0
                self._traffic.steer(Policy(**policy) if policy else None)
        except ray.exceptions.RayError:
            pass  # the rollout is over, or nobody watches it any more
        finally:
            self._traffic.steer(None)
