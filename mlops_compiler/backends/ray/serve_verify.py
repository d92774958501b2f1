"""A deployed release is compared with itself: the service must answer the example with the bits that a batch gives."""

from __future__ import annotations

import http.client
import json
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mlops_compiler.diagnostics import Diagnostic, EngineError, Note

if TYPE_CHECKING:
    from mlops_compiler.backends.ray.serve_app import AppSpec

_PATIENCE_SECONDS = 20.0
_PAUSE_SECONDS = 0.2
_OK = 200
_EVERYWHERE = ("0.0.0.0", "::")  # noqa: S104 - compared with, not bound to


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """Where a service answers.

    Attributes:
        host: Its host.
        port: Its port.
        route: The prefix of its paths.
        key: The API key that is shown; none where it is empty.
    """

    host: str
    port: int
    route: str
    key: str = field(default="", repr=False)

    @property
    def url(self) -> str:
        """The address to type."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}{self.route}"

    def call(self, method: str, path: str, body: bytes | None = None, seconds: float = 5.0) -> tuple[int, Any]:
        """Send one request; proxies that the environment names are not asked.

        Returns:
            The status and the parsed body; status 0 and the reason where nobody answers.
        """
        connection = http.client.HTTPConnection(self.host, self.port, timeout=seconds)
        try:
            connection.request(method, self.route.rstrip("/") + path, body, self._headers)
            answer = connection.getresponse()
            return answer.status, _parsed(answer.read())
        except (OSError, http.client.HTTPException) as error:
            return 0, str(error) or type(error).__name__
        finally:
            connection.close()

    @property
    def _headers(self) -> dict[str, str]:
        """Say that no client asks."""
        return {"X-Mlops-Purpose": "verification", **({"X-API-Key": self.key} if self.key else {})}

    def score(self, body: bytes) -> tuple[int, Any]:
        """Have rows scored."""
        return self.call("POST", "/" if self.route == "/" else "", body, seconds=30)

    def health(self) -> tuple[int, Any]:
        """Ask for ``/health``."""
        return self.call("GET", "/health")


def endpoint(host: str, port: int, route: str, address: str = "", key: str = "") -> Endpoint:
    """Say where to reach a service.

    Args:
        host: Where its proxy listens.
        port: Likewise.
        route: The prefix of its paths.
        address: The cluster, whose head answers where the proxy listens on all interfaces.
        key: The API key to show.
    """
    if host in _EVERYWHERE:
        head = address.removeprefix("ray://").rpartition(":")[0].strip("[]")
        host = head or "127.0.0.1"
    return Endpoint(host=host, port=port, route=route, key=key)


def verify(service: Endpoint, spec: AppSpec) -> None:
    """Compare the service's answer to the example with the prediction of the same release in this process.

    Raises:
        EngineError: The service does not answer, or answers otherwise (`service-differs`).
    """
    from mlops_compiler.serving.predictor import Predictor
    from mlops_compiler.serving.service import Service
    from mlops_compiler.store.reader import open_reader

    predictor = Predictor.load(open_reader(spec.location), spec.manifest)
    example = json.dumps(predictor.manifest["example"]).encode()
    expected = Service(predictor, spec.info).answer(example)
    _await_release(service, spec.release)
    status, found = service.score(example)
    if status == _OK and isinstance(found, dict):
        found.pop("id", None)
    if status != _OK or found != expected:
        raise EngineError([_differs(service, expected, found)])


def _await_release(service: Endpoint, release: int) -> None:
    """Wait until the proxy knows the route, and the replicas of the release before have left."""
    until = time.monotonic() + _PATIENCE_SECONDS
    while True:
        status, body = service.health()
        if status == _OK and isinstance(body, dict) and body.get("release") == release:
            return
        if time.monotonic() > until:
            raise EngineError([_unreachable(service, status, body)])
        time.sleep(_PAUSE_SECONDS)


def _parsed(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return body.decode(errors="replace")[:200]


def _unreachable(service: Endpoint, status: int, body: Any) -> Diagnostic:
    return Diagnostic(
        code="service-unreachable",
        headline=f"the service runs and does not answer at {service.url}",
        notes=(Note(text=f"the last answer was {f'{status}: ' if status else ''}{body}"),),
        help="a cluster elsewhere needs `deploy.host: 0.0.0.0`, and the port that its Serve listens on",
    )


def _differs(service: Endpoint, expected: Any, found: Any) -> Diagnostic:
    return Diagnostic(
        code="service-differs",
        headline=f"the service at {service.url} answers its example otherwise than the release does in a batch",
        notes=(Note(text=f"the release: {expected}"), Note(text=f"the service: {found}")),
        help="let the workers run the same versions of the packages as this machine",
    )
