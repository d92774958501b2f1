"""Who may ask what, and how often: settled before anything of a request is read.

A limit counts for each replica: a service of several lets through so many times as many.
"""

from __future__ import annotations

import base64
import binascii
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mlops_compiler.serving.refusal import MAX_BYTES, MAX_ROWS, RequestRefused

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mlops_compiler.serving.keys import KeyRing

_BEARER, _BASIC, _HEADER = "bearer ", "basic ", b"x-api-key"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a replica takes.

    Attributes:
        rate: Requests of one client, as ``600/minute``; None for any number.
        at_once: Requests that may be in the replica at once.
        deadline: Seconds that a body, and then its answer, may take.
        bytes: How large a body may be.
        rows: How many rows a body may have.
    """

    rate: str | None = None
    at_once: int = 256
    deadline: float = 30.0
    bytes: int = MAX_BYTES
    rows: int = MAX_ROWS


class Guard:
    """Lets requests in.

    Args:
        keys: The keys of the service; None where it asks for none.
        limits: What it takes.
    """

    def __init__(self, keys: KeyRing | None = None, limits: Limits | None = None) -> None:
        self.limits = limits or Limits()
        self._keys = keys
        self._inside = 0
        self._rate = _Rate(self.limits.rate) if self.limits.rate else None

    @property
    def asks(self) -> bool:
        """Whether a key is needed."""
        return self._keys is not None

    def identify(self, headers: Iterable[tuple[bytes, bytes]], role: str | None, *, page: bool = False) -> str:
        """Say who asks, by the key that a request shows.

        Args:
            headers: Those of the request, their names in lower case.
            role: What the key must open; None for any key.
            page: Whether a browser asks, which shows a key as the password of a user.

        Returns:
            The name of the key; empty where the service asks for none.

        Raises:
            RequestRefused: 401 without a key that opens anything, 403 for one that opens other things.
        """
        if self._keys is None:
            return ""
        shown = _shown(headers)
        key = self._keys.find(shown) if shown is not None else None
        if key is None:
            scheme = 'Basic realm="the password is an API key"' if page else "Bearer"
            raise RequestRefused.no_key("none" if shown is None else "a key that opens nothing", scheme)
        if role is not None and role not in key.roles:
            raise RequestRefused.lacks_role(role, key.roles)
        return key.name

    def check_rate(self, client: str) -> None:
        """Count a request of a client.

        Raises:
            RequestRefused: 429: there were too many.
        """
        if self._rate is not None and (wait := self._rate.hit(client)) is not None:
            raise RequestRefused.too_often(str(self.limits.rate), wait)

    def enter(self) -> None:
        """Let a request in, which must `leave` again.

        Raises:
            RequestRefused: 429: there are too many.
        """
        if self._inside >= self.limits.at_once:
            raise RequestRefused.overloaded(self.limits.at_once)
        self._inside += 1

    def leave(self) -> None:
        """Let a request out."""
        self._inside -= 1


class _Rate:
    """Counts requests by client, in a window that slides."""

    def __init__(self, text: str) -> None:
        from limits import parse
        from limits.storage import MemoryStorage
        from limits.strategies import SlidingWindowCounterRateLimiter

        self._item = parse(text)
        self._limiter = SlidingWindowCounterRateLimiter(MemoryStorage())

    def hit(self, client: str) -> int | None:
        """Count a request; gives the seconds to wait where it is one too many."""
        if self._limiter.hit(self._item, client):
            return None
        return max(1, round(self._limiter.get_window_stats(self._item, client).reset_time - time.time()))


def _shown(headers: Iterable[tuple[bytes, bytes]]) -> str | None:
    """Read the key of a request, however it is shown."""
    for name, value in headers:
        if name == _HEADER:
            return value.decode("latin-1").strip()
        if name == b"authorization":
            text = value.decode("latin-1").strip()
            if text.lower().startswith(_BEARER):
                return text[len(_BEARER) :].strip()
            if text.lower().startswith(_BASIC):
                return _password(text[len(_BASIC) :])
    return None


def _password(text: str) -> str:
    try:
        return base64.b64decode(text.strip(), validate=True).decode().partition(":")[2]
    except (binascii.Error, UnicodeDecodeError):
        return ""
