"""API keys: a public id and a secret. Of the secret the store keeps a hash alone, and nobody can read it back.

A secret has 256 random bits, so that one round of SHA-256 keeps it: slow hashes protect words that people choose, which
can be guessed, and would cost every request milliseconds (NIST SP 800-63B, 5.1.1.2, asks for them for those alone).
"""

from __future__ import annotations

import hashlib
import hmac
import logging
import secrets
import threading
import time
from typing import TYPE_CHECKING

from mlops_compiler.diagnostics import MlopsError
from mlops_compiler.store.operations import ApiKey

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

ROLES = ("predict", "label", "operate")
"""What a key may open: predictions; sending outcomes; and what tells of the service, its metrics."""
_PREFIX = "mlops"
_PARTS = 3
_LOOK_SECONDS = 5.0
"""How long a key that was revoked may go on."""
_NEW_SECONDS = 1.0
logger = logging.getLogger(__name__)


def make_key(
    whose: tuple[str, str], name: str, roles: Sequence[str], expires: float | None = None
) -> tuple[str, ApiKey]:
    """Make a key.

    Args:
        whose: The recipe and the environment whose service it opens.
        name: Who holds it.
        roles: Of `ROLES`.
        expires: Seconds since 1970.

    Returns:
        The key, which is shown once, and what is kept of it.
    """
    recipe, environment = whose
    public, secret = secrets.token_hex(6), secrets.token_urlsafe(32)
    kept = ApiKey(
        id=public,
        recipe=recipe,
        name=name,
        hash=_hash(secret),
        roles=list(roles),
        created=time.time(),
        expires=expires,
        environment=environment,
    )
    return f"{_PREFIX}_{public}_{secret}", kept


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


class KeyRing:
    """The keys of a service, read again every few seconds; where the store does not answer, the last ones count.

    Args:
        read: Reads them.
    """

    def __init__(self, read: Callable[[], Sequence[ApiKey]]) -> None:
        self._read = read
        self._keys: dict[str, ApiKey] = {}
        self._again = 0.0
        self.look()

    def start(self) -> None:
        """Read the keys again and again, as long as the process lives."""
        threading.Thread(target=self._work, name="api-keys", daemon=True).start()

    def look(self) -> None:
        """Read the keys now.

        Raises:
            EngineError: They cannot be read.
        """
        self._keys = {key.id: key for key in self._read()}

    def find(self, shown: str) -> ApiKey | None:
        """Find the key that somebody shows; None where it opens nothing. Takes as long whatever is wrong with it."""
        parts = shown.split("_", _PARTS - 1)
        public, secret = parts[1:] if len(parts) == _PARTS and parts[0] == _PREFIX else ("", "")
        if public and public not in self._keys:
            self._look_for_new()
        key = self._keys.get(public)
        matches = hmac.compare_digest(_hash(secret), key.hash if key is not None else _hash(""))
        return key if key is not None and matches and key.opens(time.time()) else None

    def _look_for_new(self) -> None:
        """Read the keys where one is shown that is not known: it may be new; once a second at most."""
        now = time.monotonic()
        if now < self._again:
            return
        self._again = now + _NEW_SECONDS
        try:
            self.look()
        except MlopsError as error:
            logger.warning("the keys of the service cannot be read: %s", error)

    def _work(self, wait: Callable[[float], bool] = lambda seconds: threading.Event().wait(seconds)) -> None:
        while not wait(_LOOK_SECONDS):
            try:
                self.look()
            except MlopsError as error:
                logger.warning("the keys of the service cannot be read: %s", error)
            except Exception:  # whatever fails: a thread that ended would let revoked keys open for ever
                logger.exception("the keys of the service cannot be read")
