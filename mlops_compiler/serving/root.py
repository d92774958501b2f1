"""The root of a service, under its prefix with a slash at the end and without."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.routing import Match, Route

if TYPE_CHECKING:
    from starlette.types import Scope


class Root(Route):
    """A route at the prefix itself; Serve asks it what to call a request in the log."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Match a request."""
        if scope["type"] == "http" and scope["path"] == scope.get("root_path"):
            scope = {**scope, "path": scope["path"] + "/"}
        return super().matches(scope)
