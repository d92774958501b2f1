"""Manages services in a process of its own: reads one order as JSON, gives one answer as JSON, and ends.

Ray prints, leaves threads behind and can be initialised once in a process; all of that stays in here. What it
prints goes to the log.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops_compiler.backends.ray import serve_actions, serve_engine
from mlops_compiler.backends.ray.serve_app import AppSpec
from mlops_compiler.backends.ray.serve_verify import endpoint, verify
from mlops_compiler.diagnostics import Diagnostic, MlopsError, UsageError, render_json
from mlops_compiler.store.location import StoreLocation

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

EMBEDDED = "embedded"


def deploy(order: dict[str, Any]) -> dict[str, Any]:
    """Serve a release, and compare it with itself; where that fails, put back what was there before."""
    spec = _spec(order["spec"])
    before = _spec(order["before"]) if order["before"] else None
    with serve_engine.only_one(Path(order["folder"])):
        address, started = _take_engine(order)
        try:
            return {**_put(order, spec, address), "pid": _pid(order)}
        except BaseException:
            _put_back(order, spec.recipe, before, started=started)
            raise


def undeploy(order: dict[str, Any]) -> dict[str, Any]:
    """Take a service off its cluster, and end the engine that was started for it once it serves nothing."""
    folder = Path(order["folder"])
    with serve_engine.only_one(folder):
        if order["pid"] is not None and serve_engine.find(folder) is None:
            serve_engine.stop(folder)
            return {"engine": "gone"}
        serve_actions.join(order["address"])
        serve_actions.remove(order["app"])
        if order["pid"] is None or serve_actions.applications():
            return {"engine": "running"}
        _leave()
        serve_engine.stop(folder)
        return {"engine": "stopped"}


def state(order: dict[str, Any]) -> dict[str, Any]:
    """Say how a service is."""
    serve_actions.join(order["address"])
    return serve_actions.state(order["app"])
