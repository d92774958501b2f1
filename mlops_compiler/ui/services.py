"""How services answer: asked over HTTP, at most every few seconds, however many pages are open."""

from __future__ import annotations

import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Any

from mlops_compiler.diagnostics import EngineError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mlops_compiler.store.records import Deployment

_FRESH_SECONDS = 5.0
_PATIENCE_SECONDS = 1.5
_AT_ONCE = 8
_OK = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a service said of its health.

    Attributes:
        well: Whether it scored the example of its release.
        told: ``answers``, or what came instead.
        seconds: How long it took; None where nothing came.
        asked: When, in seconds since 1970.
    """

    well: bool
    told: str
    seconds: float | None
    asked: float


class Services:
    """Asks services how they are, and remembers what they said for a few seconds."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._known: dict[tuple[str, str, str], Answer] = {}

    def ask(self, deployments: Iterable[Deployment]) -> dict[tuple[str, str], Answer]:
        """Ask those that were not asked a moment ago, all at once; answers by recipe and environment."""
        wanted = list(deployments)
        with self._lock:
            old = [item for item in wanted if not self._is_fresh(item)]
            if old:
                with ThreadPoolExecutor(_AT_ONCE) as pool:
                    self._known.update(zip(map(_key, old), pool.map(_asked, old), strict=True))
            return {(item.recipe, item.environment): self._known[_key(item)] for item in wanted}

    def _is_fresh(self, item: Deployment) -> bool:
        known = self._known.get(_key(item))
        return known is not None and time.time() - known.asked < _FRESH_SECONDS


def replicas_of(deployment: Deployment) -> dict[str, Any]:
    """Ask the engine how a service is: a process is started for that, which takes some seconds."""
    from mlops_compiler.backends.ray.service import service_state

    try:
        return service_state(deployment)
    except EngineError as error:
        return {"status": "unhealthy", "replicas": 0, "message": error.diagnostics[0].headline}


def _key(item: Deployment) -> tuple[str, str, str]:
    return item.recipe, item.environment, str(item.settings.get("url", ""))


def _asked(item: Deployment) -> Answer:
    url, began = f"{str(item.settings.get('url', '')).rstrip('/')}/health", time.time()
    if not url.startswith(("http://", "https://")):
        return Answer(well=False, told="has no address", seconds=None, asked=began)
    start = time.perf_counter()
    try:
        with urllib.request.build_opener(_Stays).open(url, timeout=_PATIENCE_SECONDS) as answer:
            status = answer.status
    except urllib.error.HTTPError as error:
        status = error.code
    except (OSError, ValueError) as error:
        reason = getattr(error, "reason", error)
        told = "does not answer in time" if isinstance(reason, TimeoutError) else "cannot be reached"
        return Answer(well=False, told=told, seconds=None, asked=began)
    took = time.perf_counter() - start
    told = "answers" if status == _OK else f"answers with {status}"
    return Answer(well=status == _OK, told=told, seconds=took, asked=began)


class _Stays(urllib.request.HTTPRedirectHandler):
    """Follows nowhere: a record in the store sends the dashboard to one address only."""

    def redirect_request(self, *_: Any) -> None:
        return None
