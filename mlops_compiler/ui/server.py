"""Runs the dashboard until it is told to end: takes its port before it says that it is there."""

from __future__ import annotations

import errno
import secrets
import socket
import threading
import webbrowser
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mlops_compiler.diagnostics import Diagnostic, EngineError, UsageError
from mlops_compiler.ui.app import create_app
from mlops_compiler.ui.gate import is_loopback

if TYPE_CHECKING:
    from collections.abc import Callable

    from mlops_compiler.store.location import StoreLocation

_BACKLOG = 128
_FAREWELL_SECONDS = 2
_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - named, not listened at
_BITS = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Dashboard:
    """A dashboard that has its port.

    Attributes:
        url: What to open.
        token: What a visitor must have; None where only this machine can come.
    """

    url: str
    token: str | None


def serve(
    location: StoreLocation,
    *,
    host: str,
    port: int,
    path: str = "/",
    ready: Callable[[Dashboard], None],
    token: str | None = None,
) -> None:
    """Serve the dashboard of a store until the process is interrupted.

    Args:
        location: The store.
        host: Where to listen; elsewhere than on this machine alone, visitors need a token.
        port: Likewise; 0 takes one that is free.
        path: The page to open first.
        ready: Is told once requests are taken.
        token: That token; one is made where none is given.

    Raises:
        UsageError: The port is taken, or the host is none of this machine's.
    """
    import uvicorn

    token = None if is_loopback(host) else token or secrets.token_urlsafe(_BITS)
    listener = _listener(host, port)
    taken = listener.getsockname()[1]
    shown = _EVERYWHERE.get(host, host)
    address = f"http://{f'[{shown}]' if ':' in shown else shown}:{taken}{path}"
    app = create_app(location, host=host, token=token)
    config = uvicorn.Config(
        app, log_level="warning", access_log=False, timeout_graceful_shutdown=_FAREWELL_SECONDS, lifespan="off"
    )
    server = uvicorn.Server(config)
    with listener:
        ready(Dashboard(url=f"{address}?token={token}" if token else address, token=token))
        server.run(sockets=[listener])


def open_browser(url: str) -> None:
    """Open a page, where there is a browser; whoever has none reads the address."""
    threading.Thread(target=webbrowser.open, args=(url,), name="browser", daemon=True).start()


def _listener(host: str, port: int) -> socket.socket:
    try:
        family, _, _, _, address = socket.getaddrinfo(host.strip("[]"), port, type=socket.SOCK_STREAM)[0]
        return socket.create_server(address[:2], family=family, backlog=_BACKLOG)
    except OSError as error:
        raise _not_there(host, port, error) from error


def _not_there(host: str, port: int, error: OSError) -> UsageError | EngineError:
    if error.errno == errno.EADDRINUSE:
        return UsageError(
            [
                Diagnostic(
                    code="port-in-use",
                    headline=f"something else listens at {host}:{port}",
                    help=f"another dashboard, maybe; for one more: mlops-compile ui port={port + 1}",
                )
            ]
        )
    return UsageError(
        [
            Diagnostic(
                code="bad-argument",
                headline=f"nothing can listen at {host}:{port}: {error.strerror or error}",
                help="`host=127.0.0.1` is for this machine alone, `host=0.0.0.0` for whoever has the token",
            )
        ]
    )
