"""`ui` shows a store in a browser, and goes on with it until it is interrupted."""

from __future__ import annotations

import contextlib
import os
import sys
from typing import TYPE_CHECKING

from mlops_compiler.commands.base import DONE
from mlops_compiler.commands.signals import interruptible
from mlops_compiler.console.streams import results
from mlops_compiler.diagnostics import Diagnostic, Span, UsageError
from mlops_compiler.ui.overview import path_of
from mlops_compiler.ui.server import open_browser, serve

if TYPE_CHECKING:
    from mlops_compiler.commands.base import Invocation
    from mlops_compiler.store.reader import StoreReader
from mlops_compiler.ui.server import Dashboard

PORT, HOST, TOKEN = 8765, "127.0.0.1", "MLOPS_UI_TOKEN"
_MOST = 65535


def ui(store: StoreReader, recipe: str | None, invocation: Invocation) -> int:
    """Serve the dashboard until Ctrl-C; a recipe that is named is shown first.

    Raises:
        UsageError: The port is none, or is taken; nothing can listen at the host.
    """
    port = invocation.number("port")
    if port is not None and port > _MOST:
        raise UsageError([_no_port(port)])
    host = invocation.arguments.get("host", HOST)
    path = path_of(recipe) if recipe is not None and recipe in store.recipes() else "/"

    def ready(dashboard: Dashboard) -> None:
        _tell(dashboard, store, invocation)
        if "--no-browser" not in invocation.flags and not invocation.as_json and _has_screen():
            open_browser(dashboard.url)

    with interruptible(), contextlib.suppress(KeyboardInterrupt):
        serve(
            store.location,
            host=host,
            port=PORT if port is None else port,
            path=path,
            ready=ready,
            token=os.environ.get(TOKEN) or None,
        )
    return DONE


def _tell(dashboard: Dashboard, store: StoreReader, invocation: Invocation) -> None:
    if invocation.as_json:
        invocation.print_json({"url": dashboard.url, "store": store.location.shown, "pid": os.getpid()})
    else:
        console = results()
        console.print(f"the dashboard of {store.location.shown} is at {dashboard.url}", soft_wrap=True)
        if dashboard.token:
            console.print("whoever has this address can read all that the store tells; nothing is encrypted on its way")
        console.print("end it with Ctrl-C")
    sys.stdout.flush()


def _has_screen() -> bool:
    """Whether a browser would be seen: a browser in the terminal would take it from us."""
    return sys.platform in ("darwin", "win32") or any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY"))


def _no_port(port: int) -> Diagnostic:
    return Diagnostic(
        code="bad-argument",
        headline=f"there is no port {port}: they go up to {_MOST}",
        span=Span.of_token(f"port={port}"),
    )
