"""The service of one release as an ASGI app: whatever a client sends, it has an answer, in JSON but for streams."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mlops_compiler.serving.docs import assets, page
from mlops_compiler.serving.exchange import Exchange, new_id
from mlops_compiler.serving.failures import http_error, internal_error, refused
from mlops_compiler.serving.gate import Gate, as_json, read_body, written
from mlops_compiler.serving.openapi import describe
from mlops_compiler.serving.refusal import RequestRefused
from mlops_compiler.serving.service import Around, Service

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import BaseRoute

    from mlops_compiler.serving.compiled.row import CompiledRow
    from mlops_compiler.serving.predictor import Predictor

_OK, _ACCEPTED, _UNAVAILABLE = 200, 202, 503


@dataclass(frozen=True, slots=True)
class Routes:
    """What a service answers under each of its paths.

    Attributes:
        service: The service.
        manifest: That of its release.
        info: What ``GET /`` tells of it.
    """

    service: Service
    manifest: Mapping[str, Any]
    info: Mapping[str, Any]

    def all(self) -> list[BaseRoute]:
        """List the routes."""
        from starlette.routing import Route

        from mlops_compiler.serving.root import Root

        return [
            Root("/", self.predict, methods=["POST"]),
            Root("/", self.about, methods=["GET"]),
            Route("/labels", self.labels, methods=["POST"]),
            Route("/metrics", self.metrics, methods=["GET"]),
            Route("/health", self.health, methods=["GET"]),
            Route("/openapi.json", self.openapi, methods=["GET"]),
            Route("/docs", self.docs, methods=["GET"]),
            assets(),
        ]

    async def predict(self, request: Request) -> Response:
        """Handle ``POST /`` where it has come through Starlette."""
        return written(await self.service.score(request.scope, request.receive))

    async def labels(self, request: Request) -> Response:
        """Handle ``POST /labels``."""
        exchange: Exchange = request.scope["exchange"]
        body = await read_body(request.scope, request.receive, self.service.around.guard.limits)
        if self.service.around.labels is None:
            raise RequestRefused.cannot_keep()
        return as_json({"taken": await self.service.around.labels.take(body, exchange.client)}, _ACCEPTED)

    async def metrics(self, _request: Request) -> Response:
        """Handle ``GET /metrics``."""
        from starlette.responses import Response

        meters = self.service.around.meters
        body, kind = meters.exposition() if meters is not None else (b"", "text/plain")
        return Response(body, media_type=kind)

    async def about(self, _request: Request) -> Response:
        """Handle ``GET /``."""
        told = {name: self.manifest[name] for name in ("request", "example")}
        log = self.service.around.log
        facts = log.facts if log is not None else {}
        return as_json({**self.info, **told, "compiled": self.service.compiled_as, "log": facts})

    async def openapi(self, request: Request) -> Response:
        """Handle ``GET /openapi.json``."""
        root = str(request.scope.get("root_path", ""))
        example = {"id": new_id(0.0), **self.service.example_answer}
        guard = self.service.around.guard
        told = describe(self.manifest, self.info, example, root, keys=guard.asks, limits=guard.limits)
        return as_json(told)

    async def docs(self, _request: Request) -> Response:
        """Handle ``GET /docs``."""
        from starlette.responses import HTMLResponse

        return HTMLResponse(page(f"{self.info['recipe']} release {self.service.release}"))

    async def health(self, _request: Request) -> Response:
        """Handle ``GET /health``: a replica that is ready has scored the example of its release, a moment ago."""
        status, code = ("broken", _UNAVAILABLE) if self.service.is_broken else ("ready", _OK)
        return as_json({"status": status, "release": self.service.release}, code)


def create_app(
    predictor: Predictor,
    info: Mapping[str, Any],
    around: Around | None = None,
    compiled: CompiledRow | None = None,
) -> Starlette:
    """Make the service of a release.

    Args:
        predictor: The release, loaded.
        info: ``recipe`` and ``release``, and whatever else ``GET /`` shall tell.
        around: What stands around it.
        compiled: As `Service` takes it.

    Returns:
        The app; ``state.service`` is the service.

    Raises:
        MlopsError: The release cannot score its own example, or scores it otherwise than when it was trained.
    """
    from starlette.applications import Starlette
    from starlette.exceptions import HTTPException
    from starlette.middleware import Middleware

    around = around or Around()
    if around.meters is not None and around.log is not None:
        around.meters.watch(around.log)
    service = Service(predictor, info, around, compiled)
    app = Starlette(
        routes=Routes(service, predictor.manifest, dict(info)).all(),
        middleware=[Middleware(Gate, score=service.score, guard=around.guard, log=around.log, meters=around.meters)],
        exception_handlers={HTTPException: http_error, Exception: internal_error, RequestRefused: refused},
    )
    app.state.service = service
    return app
