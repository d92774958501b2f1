"""Who may look: the dashboard answers this machine alone, or whoever has its token, and lets no other page use it.

A page of somebody else's that reaches a server of this machine under a name of its own (DNS rebinding) is told by
the ``Host`` that its browser sends. What was read from the store can run nothing: it is escaped, and the policy that
goes with each page allows no script but the dashboard's own two files.
"""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlencode, urlsplit

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
COOKIE = "mlops_compile_ui"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; style-src-attr 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
KEPT_POLICY = "sandbox allow-scripts; default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'"
"""Of pages that the store keeps, which bring a stricter one of their own: they run apart from the dashboard."""
_HEADERS = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}


class Gate:
    """Lets a request in, or answers it.

    Args:
        app: What is behind.
        host: Where the dashboard listens.
        token: What a visitor must have; None where only this machine can come.
    """

    def __init__(self, app: ASGIApp, *, host: str, token: str | None) -> None:
        self._app = app
        self._hosts = LOOPBACK | {host.strip("[]").lower()}
        self._token = token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        from starlette.requests import Request

        answer = self._refusal(Request(scope)) or self._app
        await answer(scope, receive, _dressed(send))

    def _refusal(self, request: Request) -> Response | None:
        from starlette.responses import PlainTextResponse

        if self._token is not None:
            return self._turned_away(request, self._token)
        if host_of(request.headers.get("host", "")) not in self._hosts:
            return PlainTextResponse("This dashboard answers under the name of its own machine only.\n", 421)
        return None

    def _turned_away(self, request: Request, token: str) -> Response | None:
        from starlette.responses import PlainTextResponse, RedirectResponse

        given = request.query_params.get("token")
        if given is not None and _same(given, token):
            kept = [pair for pair in parse_qsl(request.url.query) if pair[0] != "token"]
            answer = RedirectResponse(request.url.path + (f"?{urlencode(kept)}" if kept else ""), 303)
            answer.set_cookie(COOKIE, token, httponly=True, samesite="lax")
            return answer
        if _same(request.cookies.get(COOKIE, ""), token):
            return None
        told = "Open the address that `mlops-compile ui` printed: it ends in a token.\n"
        return PlainTextResponse(told, 401)


def is_own(request: Request) -> bool:
    """Say whether a page of this dashboard sent a request; a browser says so, and a page cannot make it lie."""
    origin = request.headers.get("origin")
    return origin is not None and urlsplit(origin).netloc == request.headers.get("host")


def host_of(header: str) -> str:
    """Take the host out of a ``Host`` header, without its port."""
    try:
        return (urlsplit(f"//{header}").hostname or "").lower()
    except ValueError:
        return ""


def is_loopback(host: str) -> bool:
    """Say whether only this machine reaches a host's address."""
    return host.strip("[]").lower() in LOOPBACK


def _same(given: str, token: str) -> bool:
    return hmac.compare_digest(given.encode(), token.encode())


def _dressed(send: Send) -> Send:
    """Give every answer the headers that keep a browser from doing anything else with it."""

    async def dressed(message: Message) -> None:
        if message["type"] == "http.response.start":
            known = {name.decode().lower() for name, _ in message["headers"]}
            added = {"content-security-policy": POLICY, "cache-control": "no-store", **_HEADERS}
            message["headers"] = [
                *message["headers"],
                *((name.encode(), value.encode()) for name, value in added.items() if name not in known),
            ]
        await send(message)

    return dressed
