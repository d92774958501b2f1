"""Keys that a command makes for itself where a service asks for one: they open everything, and soon nothing more."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from mlops_compiler.serving.keys import ROLES, make_key
from mlops_compiler.store.operations import PASSING
from mlops_compiler.store.writer import open_writer

if TYPE_CHECKING:
    from mlops_compiler.store.location import StoreLocation
    from mlops_compiler.store.records import Deployment

_SECONDS = 300.0
"""How long a key is good, beside what is known to be needed."""


def key_for(deployment: Deployment, location: StoreLocation) -> str:
    """Make a key for a service that asks for one; nothing for one that does not."""
    asks = deployment.settings["spec"].get("settings", {}).get("auth", False)
    return passing_key(location, deployment.recipe, deployment.environment) if asks else ""


def passing_key(location: StoreLocation, recipe: str, environment: str, seconds: float = 0.0) -> str:
    """Make a key for whoever deploys or verifies, which opens everything and soon nothing any more."""
    key, kept = make_key((recipe, environment), PASSING, ROLES, expires=time.time() + seconds + _SECONDS)
    open_writer(location).put_key(kept)
    return key
