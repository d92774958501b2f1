"""Chooses for each request which release answers; where the new one fails, the one in place does, and no client knows.

Traffic is steered by a policy that may change at any time. Without one, requests are answered by the release in place
and nothing is counted.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import random
import time
from collections import deque
from dataclasses import asdict, dataclass, field, replace
from threading import Lock
from typing import TYPE_CHECKING, Any, TypeAlias

import orjson

from mlops_compiler.serving.comparison import compare
from mlops_compiler.serving.exchange import is_arrow
from mlops_compiler.serving.refusal import RequestRefused
from mlops_compiler.serving.tally import Tally
from mlops_compiler.store.served import ANSWER, CANARY, SHADOW

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

_OK, _CLIENT, _SERVER = 200, 400, 500
_WAITING = 64
_SHADOWS = 8
"""Requests that the new release is asked at once, besides those that it answers."""
_PAUSE = 4
"""A comparison that took so long is followed by a pause so many times as long: clients come first."""
_FAILURES = 5
_SPARED_SECONDS = 2.0
_BUCKETS = 2**32

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What is done with the traffic.

    Attributes:
        version: Counts up with each change; what is counted is counted for it.
        release: The new release.
        app: Where it runs.
        share: Of the requests that it answers, from 0 to 1.
        shadow: Whether it is asked the others too, after they are answered.
        patience: Seconds after which the release in place answers instead.
        slow: Seconds above which an answer counts as slow, where any do.
        tolerance: How far numbers may lie apart, where nothing is decided by them.
    """

    version: int
    release: int
    app: str
    share: float
    shadow: bool
    patience: float
    slow: float | None = None
    tolerance: float = 0.0

    def to_json(self) -> dict[str, Any]:
        """Write it as a JSON object."""
        return asdict(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What the new release is asked.

    Attributes:
        body: Of the request.
        role: The part that it has in it, `CANARY` or `SHADOW`.
        about: What its log must know of the request besides.
    """

    body: bytes
    role: str
    about: Mapping[str, Any] = field(default_factory=dict)


Ask: TypeAlias = "Callable[[Policy, Asked], Awaitable[tuple[int, bytes]]]"
"""Asks the new release; gives the status and the body of its answer."""
Here: TypeAlias = "Callable[[str], Awaitable[bytes]]"
"""Lets the release in place answer the request, in the part that it is told; raises `RequestRefused`."""


class Traffic:
    """Steers the requests of one replica of the release in place.

    Args:
        release: The number of the release in place.
        key: The column that names whom a row is about: all requests about one go the same way.
        ask: Asks the new release.
    """

    def __init__(self, release: int, key: str | None, ask: Ask) -> None:
        self._release, self._key, self._ask = release, key, ask
        self.policy: Policy | None = None
        self.in_flight = 0
        self._lock, self._tally = Lock(), Tally()
        self._waiting: deque[Callable[[], Awaitable[None]]] = deque()
        self._workers: set[asyncio.Task[None]] = set()
        self._failures, self._spared_until = 0, 0.0

    def steer(self, policy: Policy | None) -> None:
        """Follow another policy; None for none. May be called from any thread."""
        if policy is not None and policy.release == self._release:
            policy = None
        if policy != self.policy:
            self._failures, self._spared_until = 0, 0.0
            self.policy = policy
            self._waiting.clear()

    def drain(self) -> Tally:
        """Take what was counted since it was taken last. May be called from any thread."""
        with self._lock:
            taken, self._tally = self._tally, Tally()
        return taken

    async def answer(self, asked: Asked, here: Here) -> tuple[bytes, str]:
        """Answer a request.

        Args:
            asked: What the new release is to be asked, where the request goes to it.
            here: Lets the release in place answer.

        Returns:
            The body of the answer, and the part that the release which gave it has: `ANSWER` or `CANARY`.

        Raises:
            RequestRefused: The release in place does not take the request, and the new one gave no answer.
        """
        policy = self.policy
        if policy is None:
            return await here(ANSWER), ANSWER
        self.in_flight += 1
        try:
            if self._goes_over(policy, asked.body):
                return await self._over(policy, asked, here)
            return await self._stays(policy, asked, here), ANSWER
        finally:
            self.in_flight -= 1

    def _goes_over(self, policy: Policy, body: bytes) -> bool:
        if policy.share <= 0 or self._place(policy, body) >= policy.share:
            return False
        if time.monotonic() >= self._spared_until:
            return True
        with self._lock:
            self._tally.spared += 1
        return False

    def _place(self, policy: Policy, body: bytes) -> float:
        """Give a number from 0 to 1: by the key of the row, else by chance; 1 where it cannot be read."""
        try:
            value = orjson.loads(body) if self._key is not None and not is_arrow(body) else None
        except orjson.JSONDecodeError:
            return 1.0
        named = value.get(self._key) if isinstance(value, dict) else None
        if named is None:
            return random.random()  # noqa: S311 - deals traffic, keeps no secret
        salt = str(policy.release).encode()
        digest = hashlib.blake2b(str(named).encode(), digest_size=4, salt=salt[:16]).digest()
        return int.from_bytes(digest, "big") / _BUCKETS

    async def _over(self, policy: Policy, asked: Asked, here: Here) -> tuple[bytes, str]:
        status, body, seconds = await self._asked(policy, asked)
        if status == _OK:
            self._count(policy, seconds)
            self._later(lambda: self._compare_with(policy, body, here), workers=1)
            return body, CANARY
        refused = False
        try:
            return await here(ANSWER), ANSWER
        except RequestRefused:
            refused = True
            raise
        finally:
            # What both refuse is the client's fault.
            if not (refused and _CLIENT <= status < _SERVER):
                self._count(policy, seconds, failed=True)

    async def _stays(self, policy: Policy, asked: Asked, here: Here) -> bytes:
        started = time.perf_counter()
        body = await here(ANSWER)
        with self._lock:
            self._tally.old.add(time.perf_counter() - started, allowed=policy.slow)
        if policy.shadow:
            self._later(lambda: self._shadowed(policy, asked, body), workers=_SHADOWS)
        return body

    async def _asked(self, policy: Policy, asked: Asked) -> tuple[int, bytes, float]:
        """Ask the new release; whatever goes wrong is a status of 0."""
        started = time.perf_counter()
        try:
            status, body = await asyncio.wait_for(self._ask(policy, asked), policy.patience)
        except Exception as error:  # noqa: BLE001 - whatever fails in the new release must not reach a client
            logger.warning("release %s failed a request: %r", policy.release, error)
            status, body = 0, b""
        return status, body, time.perf_counter() - started

    def _count(self, policy: Policy, seconds: float, *, failed: bool = False) -> None:
        with self._lock:
            self._tally.new.add(seconds, failed=failed, allowed=policy.slow)
            self._failures = self._failures + 1 if failed else 0
            if self._failures >= _FAILURES:
                self._spared_until = time.monotonic() + _SPARED_SECONDS

    async def _compare_with(self, policy: Policy, theirs: bytes, here: Here) -> None:
        try:
            ours = await here(SHADOW)
        except RequestRefused:
            return
        self._pair(policy, ours, theirs)

    async def _shadowed(self, policy: Policy, asked: Asked, ours: bytes) -> None:
        if time.monotonic() < self._spared_until:
            with self._lock:
                self._tally.spared += 1
            return
        status, theirs, seconds = await self._asked(policy, replace(asked, role=SHADOW))
        self._count(policy, seconds, failed=status != _OK)
        if status == _OK:
            self._pair(policy, ours, theirs)

    def _pair(self, policy: Policy, ours: bytes, theirs: bytes) -> None:
        found = compare(ours, theirs, policy.tolerance)
        with self._lock:
            self._tally.pair(found)

    def _later(self, job: Callable[[], Awaitable[None]], workers: int) -> None:
        """Do something once the client has its answer, if there is time for it."""
        if len(self._waiting) >= _WAITING:
            with self._lock:
                self._tally.unpaired += 1
            return
        self._waiting.append(job)
        if len(self._workers) < workers:
            task = asyncio.create_task(self._work())
            self._workers.add(task)
            task.add_done_callback(self._workers.discard)

    async def _work(self) -> None:
        while self._waiting:
            job, started = self._waiting.popleft(), time.perf_counter()
            try:
                await job()
            except Exception:  # whatever fails: clients have their answers, and the comparisons after it go on
                logger.exception("two answers could not be compared")
            await asyncio.sleep(min(1.0, _PAUSE * (time.perf_counter() - started)))
