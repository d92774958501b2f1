"""The gate of a service: every request goes through it, is let in or not, and is counted with what became of it.

What it lets through finds the `Exchange` in its scope. Health is asked without a key, and counts for nothing.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

import orjson

from mlops_compiler.serving.exchange import Exchange, media_type
from mlops_compiler.serving.refusal import RequestRefused
from mlops_compiler.store.served import VERIFICATION

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from starlette.responses import Response
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from mlops_compiler.serving.guard import Guard, Limits
    from mlops_compiler.serving.meters import Meters
    from mlops_compiler.serving.prediction_log import PredictionLog

_OPEN = "/health"
_SCORES = ("POST", "/")
_ROLES = {_SCORES: "predict", ("POST", "/labels"): "label", ("GET", "/metrics"): "operate"}
"""What a key must open for a path; any key will do for the others."""
_BROKEN = 500
PURPOSE = b"x-mlops-purpose"
"""The header by which whoever deploys a release marks requests that no client sent; a service that asks for keys takes
it with the role `operate` alone."""


class Gate:
    """Lets requests in, and counts them.

    It takes a route without its last slash for the route: a client that posts does not follow redirections.

    Args:
        app: What lies behind.
        score: Answers ``POST /``, past all that lies behind: there are routes and their errors, and most requests need
            neither.
        guard: Says who may.
        log: Counts predictions by minute.
        meters: Count everything for Prometheus.
    """

    def __init__(
        self,
        app: ASGIApp,
        score: Callable[[Scope, Receive], Awaitable[bytes]],
        guard: Guard,
        log: PredictionLog | None,
        meters: Meters | None,
    ) -> None:
        self._app, self._score, self._guard, self._log, self._meters = app, score, guard, log, meters

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Take a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path = scope["path"].removeprefix(scope.get("root_path", "")) or "/"
        scope["exchange"] = exchange = Exchange()
        if path == _OPEN:
            await self._app(scope, receive, send)
            return
        await self._counted(scope, path, exchange, (receive, send))

    async def _counted(self, scope: Scope, path: str, exchange: Exchange, ends: tuple[Receive, Send]) -> None:
        receive, send = ends
        status = _BROKEN

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        if self._meters is not None:
            self._meters.begin()
        try:
            await self._let_in(scope, path, exchange, (receive, watched))
        finally:
            seconds = time.perf_counter() - exchange.clock
            if self._meters is not None:
                self._meters.end(status, seconds, rows=exchange.rows, code=exchange.code)
            if self._log is not None and (scope["method"], path) == _SCORES:
                self._log.count(status, seconds, role=exchange.role, rows=exchange.rows, code=exchange.code)

    async def _let_in(self, scope: Scope, path: str, exchange: Exchange, ends: tuple[Receive, Send]) -> None:
        guard = self._guard
        try:
            page = scope["method"] == "GET" and path.startswith(("/docs", "/openapi.json"))
            role = _ROLES.get((scope["method"], path))
            verifies = any(name == PURPOSE for name, _ in scope["headers"])
            exchange.client = guard.identify(scope["headers"], "operate" if verifies else role, page=page)
            exchange.role = VERIFICATION if verifies else exchange.role
            guard.check_rate(exchange.client or str((scope.get("client") or ("",))[0]))
            guard.enter()
        except RequestRefused as refused:
            await _refuse(refused, exchange, scope, ends)
            return
        try:
            if (scope["method"], path) == _SCORES:
                await self._scored(scope, exchange, ends)
            else:
                await self._app(scope, *ends)
        finally:
            guard.leave()

    async def _scored(self, scope: Scope, exchange: Exchange, ends: tuple[Receive, Send]) -> None:
        receive, send = ends
        try:
            body = await self._score(scope, receive)
        except RequestRefused as refused:
            await _refuse(refused, exchange, scope, ends)
            return
        headers = [(b"content-length", b"%d" % len(body)), (b"content-type", media_type(body).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})


async def _refuse(refused: RequestRefused, exchange: Exchange, scope: Scope, ends: tuple[Receive, Send]) -> None:
    exchange.code = refused.code
    await as_json(refused.to_json(), refused.status, refused.headers)(scope, *ends)


async def read_body(scope: Scope, receive: Receive, limits: Limits) -> bytes:
    """Read the body of a request, and stop as soon as it is too large, or takes too long.

    It is empty where the client has gone.

    Raises:
        RequestRefused: 413 for a body that is too large, 408 for one that does not come.
    """
    length = next((value for name, value in scope["headers"] if name == b"content-length"), b"")
    if length.isdigit() and int(length[:20]) > limits.bytes:
        raise RequestRefused.too_many_bytes(limits.bytes)
    parts: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(limits.deadline):
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    return b""
                parts.append(message.get("body", b""))
                size += len(parts[-1])
                if size > limits.bytes:
                    raise RequestRefused.too_many_bytes(limits.bytes)
                if not message.get("more_body", False):
                    return b"".join(parts)
    except TimeoutError:
        raise RequestRefused.too_slow(limits.deadline) from None


def as_json(value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Answer with a value as JSON."""
    return written(orjson.dumps(value), status, headers)


def written(body: bytes, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Answer with what is written already: JSON, or an Arrow stream."""
    from starlette.responses import Response

    return Response(body, status, headers, media_type=media_type(body))
