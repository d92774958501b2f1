"""Which environment a page of a recipe is about: the one that its address names, else the strictest that serves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_compiler.store.records import ENVIRONMENTS

if TYPE_CHECKING:
    from starlette.requests import Request

    from mlops_compiler.store.reader import StoreReader


def environment_of(store: StoreReader, request: Request) -> str:
    """Choose the environment that a page is about."""
    asked = request.query_params.get("environment", "")
    if asked in ENVIRONMENTS:
        return asked
    foremost = store.foremost(request.path_params["recipe"])
    return foremost.environment if foremost is not None else ENVIRONMENTS[0]


def environments_of(store: StoreReader, recipe: str, chosen: str) -> list[str]:
    """List the environments that can be chosen: those that serve or have a release, and the one that is shown."""
    known = {item.environment for item in store.deployments(recipe)}
    known |= {item.environment for item in store.placements(recipe)}
    return [name for name in ENVIRONMENTS if name in known | {chosen}]
