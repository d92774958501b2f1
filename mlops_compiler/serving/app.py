"""The service of one release as an ASGI app: whatever a client sends, the answer is JSON and no failure."""

from __future__ import annotations

import logging
from functools import partial
from typing import TYPE_CHECKING, Any

import orjson

from mlops_compiler.diagnostics import DataError
from mlops_compiler.serving.docs import assets, page
from mlops_compiler.serving.openapi import describe
from mlops_compiler.serving.refusal import MAX_BYTES, RequestRefused
from mlops_compiler.serving.request import RequestContract
from mlops_compiler.serving.traffic import CANARY, Asked

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.types import ASGIApp, Receive, Scope, Send

    from mlops_compiler.serving.predictor import Predictor
    from mlops_compiler.serving.traffic import Traffic

_INLINE_ROWS = 64
"""Up to so many rows are scored at once; more go to a thread, so that no small request waits for them."""

logger = logging.getLogger(__name__)


class Service:
    """Answers requests with the predictions of one release.

    Args:
        predictor: The release.
        info: What ``GET /`` tells; ``release`` is its number.
        traffic: Sends a share of the requests to another release, while one is on its way.

    Raises:
        MlopsError: The release cannot score its own example: it must not be served.
    """

    def __init__(self, predictor: Predictor, info: Mapping[str, Any], traffic: Traffic | None = None) -> None:
        self._predictor, self._traffic = predictor, traffic
        self._release = info["release"]
        self._contract = RequestContract(predictor.manifest)
        self._example = orjson.dumps(predictor.manifest["example"])
        self._about = {
            **info,
            "request": predictor.manifest["request"],
            "example": predictor.manifest["example"],
        }
        self._info = dict(info)
        self._example_answer = self.answer(self._example)

    def answer(self, body: bytes) -> dict[str, Any]:
        """Answer the body of a request.

        Raises:
            RequestRefused: The request is too large, no JSON, breaks the contract or cannot be scored.
        """
        rows = self._contract.read(body)
        try:
            scored = self._predictor.predict(rows.frame)
        except DataError as error:
            raise RequestRefused.cannot_score(error) from error
        predictions = scored.to_dicts()
        for index, key in rows.keys.items():
            predictions[index] = {str(self._contract.key): key, **predictions[index]}
        if rows.single:
            return {"release": self._release, **predictions[0]}
        return {"release": self._release, "predictions": predictions}

    async def predict(self, request: Request) -> Response:
        """Handle ``POST /``."""
        try:
            body = await _body(request)
            if self._traffic is None or self._traffic.policy is None:
                return _written(await self._score(body))
            answer, _ = await self._traffic.answer(Asked(body=body, role=CANARY), partial(self._score, body))
            return _written(answer)
        except RequestRefused as refused:
            return _json(refused.to_json(), refused.status)

    async def ask(self, body: bytes) -> tuple[int, bytes]:
        """Answer a request that another release's replica passes on: the status, and the body."""
        try:
            return 200, await self._score(body)
        except RequestRefused as refused:
            return refused.status, orjson.dumps(refused.to_json())

    async def _score(self, body: bytes) -> bytes:
        from starlette.concurrency import run_in_threadpool

        large = body.count(b"{") > _INLINE_ROWS
        return orjson.dumps(await run_in_threadpool(self.answer, body) if large else self.answer(body))

    async def about(self, _request: Request) -> Response:
        """Handle ``GET /``."""
        return _json(self._about)

    async def openapi(self, request: Request) -> Response:
        """Handle ``GET /openapi.json``."""
        root = str(request.scope.get("root_path", ""))
        return _json(describe(self._predictor.manifest, self._info, self._example_answer, root))

    async def docs(self, _request: Request) -> Response:
        """Handle ``GET /docs``."""
        from starlette.responses import HTMLResponse

        return HTMLResponse(page(f"{self._info['recipe']} release {self._release}"))

    async def health(self, _request: Request) -> Response:
        """Handle ``GET /health``: a replica that answers has scored the example of its release."""
        return _json({"status": "ready", "release": self._release})


def create_app(predictor: Predictor, info: Mapping[str, Any], traffic: Traffic | None = None) -> Starlette:
    """Make the service of a release.

    Args:
        predictor: The release, loaded.
        info: ``recipe`` and ``release``, and whatever else ``GET /`` shall tell.
        traffic: Sends a share of the requests to another release, while one is on its way.

    Returns:
        The app; ``state.service`` is the service.

    Raises:
        MlopsError: The release cannot score its own example.
    """
    from starlette.applications import Starlette
    from starlette.exceptions import HTTPException
    from starlette.middleware import Middleware
    from starlette.routing import Route

    service = Service(predictor, info, traffic)
    app = Starlette(
        routes=[
            Route("/", service.predict, methods=["POST"]),
            Route("/", service.about, methods=["GET"]),
            Route("/health", service.health, methods=["GET"]),
            Route("/openapi.json", service.openapi, methods=["GET"]),
            Route("/docs", service.docs, methods=["GET"]),
            assets(),
        ],
        middleware=[Middleware(_Rooted)],
        exception_handlers={HTTPException: _http_error, Exception: _internal_error},
    )
    app.state.service = service
    return app


class _Rooted:
    """Takes a route without its last slash for the route: a client that posts does not follow redirections."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] == scope.get("root_path"):
            scope = {**scope, "path": scope["path"] + "/"}
        await self._app(scope, receive, send)


async def _body(request: Request) -> bytes:
    """Read the body, and stop as soon as it is too large."""
    from starlette.requests import ClientDisconnect

    if (length := request.headers.get("content-length", "")).isdecimal() and int(length[:20]) > MAX_BYTES:
        raise RequestRefused.too_many_bytes()
    body = bytearray()
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > MAX_BYTES:
                raise RequestRefused.too_many_bytes()
    except ClientDisconnect:
        return b""
    return bytes(body)


def _json(value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    return _written(orjson.dumps(value), status, headers)


def _written(body: bytes, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    from starlette.responses import Response

    return Response(body, status, headers, media_type="application/json")


async def _http_error(request: Request, error: Exception) -> Response:
    """Answer a wrong path or method."""
    from starlette.exceptions import HTTPException

    if not isinstance(error, HTTPException):
        return await _internal_error(request, error)
    code = {404: "not-found", 405: "method-not-allowed"}.get(error.status_code, "http-error")
    return _json({"error": code, "faults": []}, error.status_code, error.headers)


async def _internal_error(_request: Request, error: Exception) -> Response:
    """Answer a fault of ours: the traceback goes to the log, the client gets a word."""
    logger.error("a request failed", exc_info=error)
    return _json({"error": "internal", "faults": []}, 500)
