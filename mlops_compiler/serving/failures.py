"""What a service answers where a request came to nothing: JSON, whatever went wrong."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from mlops_compiler.serving.gate import as_json
from mlops_compiler.serving.refusal import RequestRefused

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

logger = logging.getLogger(__name__)


async def refused(request: Request, error: Exception) -> Response:
    """Answer what is wrong with a request."""
    if not isinstance(error, RequestRefused):
        return await internal_error(request, error)
    request.scope["exchange"].code = error.code
    return as_json(error.to_json(), error.status, error.headers)


async def http_error(request: Request, error: Exception) -> Response:
    """Answer a wrong path or method."""
    from starlette.exceptions import HTTPException

    if not isinstance(error, HTTPException):
        return await internal_error(request, error)
    code = {404: "not-found", 405: "method-not-allowed"}.get(error.status_code, "http-error")
    return as_json({"error": code, "faults": []}, error.status_code, error.headers)


async def internal_error(_request: Request, error: Exception) -> Response:
    """Answer a fault of ours: the traceback goes to the log, the client gets a word."""
    logger.error("a request failed", exc_info=error)
    return as_json({"error": "internal", "faults": []}, 500)
