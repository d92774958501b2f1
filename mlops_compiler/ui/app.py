"""The dashboard as an ASGI app: every address, and who answers it. All of them read; none changes what is kept."""

from __future__ import annotations

import logging
import os
from importlib.resources import files
from typing import TYPE_CHECKING

from mlops_compiler.diagnostics import Diagnostic, MlopsError
from mlops_compiler.ui.gate import Gate
from mlops_compiler.ui.pages import Pages
from mlops_compiler.ui.render import answer, style
from mlops_compiler.ui.window import Window

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from mlops_compiler.store.location import StoreLocation

logger = logging.getLogger(__name__)
_STATIC = {"app.js": "text/javascript", "icon.svg": "image/svg+xml"}


def create_app(location: StoreLocation, *, host: str = "127.0.0.1", token: str | None = None) -> Starlette:
    """Make the dashboard of a store.

    Args:
        location: The store; it need not be there yet.
        host: Where the dashboard listens.
        token: What a visitor must have; None where only this machine can come.
    """
    from starlette.applications import Starlette
    from starlette.exceptions import HTTPException
    from starlette.middleware import Middleware
    from starlette.routing import Route

    pages = Pages(Window(location))
    recipe = "/recipes/{recipe}"
    return Starlette(
        routes=[
            Route("/", pages.overview),
            Route(recipe, pages.lifecycle),
            Route(f"{recipe}/runs", pages.runs),
            Route(f"{recipe}/runs/{{run}}", pages.run),
            Route(f"{recipe}/runs/{{run}}/report", pages.report),
            Route(f"{recipe}/releases", pages.releases),
            Route(f"{recipe}/traffic", pages.traffic),
            Route(f"{recipe}/monitoring", pages.monitoring),
            Route(f"{recipe}/alerts", pages.alerts),
            Route(f"{recipe}/feedback", pages.feedback),
            Route(f"{recipe}/audit", pages.audit),
            Route("/health", pages.health),
            Route("/health/examine", pages.examine, methods=["POST"]),
            Route("/static/style.css", _style),
            Route("/static/{name}", _static),
        ],
        middleware=[Middleware(Gate, host=host, token=token), Middleware(_Caught)],
        exception_handlers={HTTPException: _not_there, MlopsError: _failed},
    )


class _Caught:
    """Answers what no code of ours foresaw with a page, and tells it where the command runs in a line."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        begun = False

        async def sent(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self._app(scope, receive, sent)
        except Exception as error:
            found = f"{type(error).__name__}: {error}".split("\n", 1)[0]
            where = error if os.environ.get("MLOPS_TRACEBACK") == "1" else None
            logger.error("the page %s failed: %s", scope["path"], found, exc_info=where)  # noqa: TRY400 - a line
            if begun:
                raise
            from starlette.requests import Request

            told = Diagnostic(code="internal-error", headline=f"the dashboard itself failed: {found}", help=_HELP)
            page = answer(Request(scope), "failed.html.j2", name="Failed", status=500, findings=[told], tab=None)
            await page(scope, receive, send)


_HELP = "set MLOPS_TRACEBACK=1 to see where, and please report it"


def _style(_request: Request) -> Response:
    from starlette.responses import Response

    return Response(style(), media_type="text/css", headers=_KEPT)


def _static(request: Request) -> Response:
    from starlette.exceptions import HTTPException
    from starlette.responses import Response

    name = request.path_params["name"]
    if name not in _STATIC:
        raise HTTPException(404)
    content = (files("mlops_compiler.ui") / "static" / name).read_bytes()
    return Response(content, media_type=_STATIC[name], headers=_KEPT)


_KEPT = {"cache-control": "max-age=300"}


def _not_there(request: Request, error: Exception) -> Response:
    status = getattr(error, "status_code", 404)
    told = str(getattr(error, "detail", "")) if status != 404 else ""  # noqa: PLR2004 - not found
    return answer(request, "missing.html.j2", name="Not here", status=status, told=told, tab=None)


def _failed(request: Request, error: Exception) -> Response:
    found = error.diagnostics if isinstance(error, MlopsError) else []
    return answer(request, "failed.html.j2", name="Not readable", status=503, findings=found, tab=None)
