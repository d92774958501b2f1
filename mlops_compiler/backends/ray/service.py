"""Services from the side of the commands: `deploy`, `undeploy`, `service_state` and `service_logs`.

A service outlives the command that deploys it, and any later process can manage it from the store's record
alone. Ray itself is spoken to by a process of its own (`serve_control`); this module imports none of it.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops_compiler.backends.ray import serve_engine
from mlops_compiler.backends.ray.passing import passing_key
from mlops_compiler.backends.ray.serve_app import AppSpec, Sizing
from mlops_compiler.backends.ray.serve_interrupt import end_rollout
from mlops_compiler.backends.ray.serve_logs import tail
from mlops_compiler.backends.ray.serve_orders import have_done
from mlops_compiler.backends.ray.serve_verify import endpoint
from mlops_compiler.diagnostics import Diagnostic, UsageError
from mlops_compiler.serving.compatibility import changes, must_be_compatible
from mlops_compiler.serving.rollout import Rollout, sentence
from mlops_compiler.serving.settings import ServiceSettings
from mlops_compiler.store.operations import actor
from mlops_compiler.store.reader import open_reader
from mlops_compiler.store.records import ENVIRONMENTS, Deployment, service_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from mlops_compiler.store.location import StoreLocation
    from mlops_compiler.store.records import Release

_DEPLOY_SECONDS = 300.0
_UNDEPLOY_SECONDS = 90.0
_STATE_SECONDS = 30.0
_OK = 200
EMBEDDED = "embedded"
"""The address of an engine of the store's own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceTarget:
    """Where and how a release is to be served: `deploy:` and `cluster:` of the recipe.

    Attributes:
        route: The prefix of its paths.
        host: Where Serve's proxy listens.
        port: Likewise.
        replicas: Fewest and most.
        sizing: What each of them takes.
        address: ``embedded`` for an engine of the store's own, else the cluster to join.
        cpus: Cores of that engine; all of the machine's where not given.
        rollout: How traffic passes to the release, and what it must show before; at once, and nothing, by default.
        settings: How the service behaves around the release.
        proxy: What stands before its replicas, in an engine of the store's own: ``auto``, ``serve`` or ``haproxy``.
        environment: Whose service it is.
    """

    route: str = "/"
    host: str = "127.0.0.1"
    port: int = 8000
    replicas: tuple[int, int] = (1, 1)
    sizing: Sizing = field(default_factory=Sizing)
    address: str = EMBEDDED
    cpus: int | None = None
    rollout: Rollout = field(default_factory=Rollout)
    settings: ServiceSettings = field(default_factory=ServiceSettings)
    proxy: str = "auto"
    environment: str = ENVIRONMENTS[0]


def deploy(
    location: StoreLocation,
    target: ServiceTarget,
    release: Release,
    *,
    said: Callable[[str], None] = lambda _: None,
) -> Deployment:
    """Serve a release, in the place of the one that its recipe serves in the environment; no request is lost meanwhile.

    Args:
        location: The store; absolute, and reachable from the workers.
        target: Where and how.
        release: What.
        said: Is told in a sentence how it goes on.

    Returns:
        The deployment, to be recorded.

    Raises:
        UsageError: The port or the route is taken, or the cluster is too small.
        EngineError: The release does not come up, or (`service-differs`) answers its example with other
            bits than a batch; what was there before serves on.
    """
    before = open_reader(location).deployment(release.recipe, target.environment)
    app = before.app if before is not None else service_name(release.recipe, target.environment)
    spec = AppSpec(
        location=location,
        manifest=release.manifest,
        recipe=release.recipe,
        release=release.number,
        route=target.route,
        replicas=target.replicas,
        sizing=target.sizing,
        settings=target.settings.to_json(),
        metrics=str(_folder(location) / "engine" / "metrics" / app),
        environment=target.environment,
        app=app,
    )
    folder, rollout = _folder(location), target.rollout
    different = _changes(location, before, release, rollout)
    if before is not None:
        end_rollout(before, by_force=not rollout.has_trial)
    order = {
        "action": "deploy",
        "ours": target.address == EMBEDDED,
        "folder": str(folder / "engine"),
        "address": target.address,
        "cpus": target.cpus,
        "host": target.host,
        "port": target.port,
        "proxy": target.proxy,
        "spec": spec.to_json(),
        "rollout": rollout.to_json(),
        "actor": actor(),
        "key": passing_key(location, release.recipe, target.environment, rollout.longest)
        if target.settings.auth
        else "",
        **_until_now(location, target, before),
    }
    done = have_done(
        order, folder, _DEPLOY_SECONDS + rollout.longest, lambda told: said(sentence(told, release.number))
    )
    return Deployment(
        recipe=release.recipe,
        release=release.number,
        route=target.route,
        host=target.host,
        port=target.port,
        address=done["address"],
        pid=done["pid"],
        created=time.time(),
        app=app,
        session=done["session"],
        settings={
            "spec": spec.to_json(),
            "folder": str(folder),
            "url": done["url"],
            "serve": done["serve"],
            "changes": different,
        },
        environment=target.environment,
    )


def _changes(location: StoreLocation, before: Deployment | None, release: Release, rollout: Rollout) -> list[str]:
    """Say what is different for the clients of the release in place.

    Raises:
        DataError: They would fail with the new one.
    """
    store = open_reader(location)
    known = store.release(release.recipe, before.release) if before is not None else None
    if known is None or known.manifest == release.manifest:
        return []
    found = changes(*(json.loads(store.objects.get(item.manifest)) for item in (known, release)))
    if rollout.compatible:
        must_be_compatible(found, known.number, release.number)
    return [change.text for change in found]


def undeploy(deployment: Deployment) -> str:
    """End a service, after its requests are answered, and its engine with the last of them.

    Returns:
        ``stopped`` where the engine ended with it, ``running`` where that serves others, ``gone`` where
        there was nothing left to end.

    Raises:
        EngineError: The cluster cannot be joined.
    """
    end_rollout(deployment, by_force=True)
    if deployment.pid is None and not serve_engine.can_connect(deployment.address):
        return "gone"
    done = have_done(_about("undeploy", deployment), _folder_of(deployment), _UNDEPLOY_SECONDS)
    return str(done["engine"])


def abort_rollout(deployment: Deployment) -> StoreLocation:
    """End the rollout that replaces a deployment, and see to it that nothing of it is left.

    Returns:
        Where its store is.

    Raises:
        UsageError: Another machine watches it.
        EngineError: It does not end, or the cluster cannot be joined.
    """
    spec = _spec_of(deployment)
    if not end_rollout(deployment, by_force=True):
        have_done(_about("clear", deployment) | {"spec": spec}, _folder_of(deployment), _STATE_SECONDS)
    return AppSpec.from_json(spec).location


def service_state(deployment: Deployment) -> dict[str, Any]:
    """Say how a service is.

    Returns:
        ``status`` (healthy, starting, unhealthy, gone), ``replicas`` that run, ``release`` that answers,
        ``url``, and a ``message`` where there is something to say.
    """
    known = {"url": deployment.settings["url"], "release": deployment.release, "replicas": 0}
    if not _answers(deployment):
        return {**known, "status": "gone", "message": "its engine does not run any more"}
    found = have_done(_about("state", deployment), _folder_of(deployment), _STATE_SECONDS)
    if found["status"] != "healthy":
        return {**known, **found}
    place = endpoint(deployment.host, deployment.port, deployment.route, deployment.address)
    status, body = place.health()
    if status != _OK:
        return {**known, **found, "status": "unhealthy", "message": f"no answer at {place.url}: {body}"}
    return {**known, **found, "release": body["release"]}


def service_logs(deployment: Deployment, lines: int) -> Iterable[str]:
    """Give the last lines that the replicas of a service wrote, oldest first.

    Raises:
        EngineError: The logs are not on this machine.
    """
    return tail(Path(deployment.session) / "logs" / "serve", deployment.app, lines)


def _until_now(location: StoreLocation, target: ServiceTarget, before: Deployment | None) -> dict[str, Any]:
    """Give the specification of what is served until now, to be put back should the new one fail.

    Also whether Serve was started for a service of this store, on a cluster that it only joined.

    Raises:
        UsageError: Another cluster serves the recipe, and nobody would tell it to stop.
    """
    serve = any(other.settings["serve"] for other in open_reader(location).deployments())
    if before is None or not _answers(before):
        return {"before": None, "serve": serve}
    same = before.pid is not None if target.address == EMBEDDED else target.address in ("auto", before.address)
    if not same:
        raise UsageError([_elsewhere(before)])
    return {"before": _spec_of(before), "serve": serve}


def _answers(deployment: Deployment) -> bool:
    if deployment.pid is None:
        return serve_engine.can_connect(deployment.address)
    engine = serve_engine.find(_folder_of(deployment) / "engine")
    return engine is not None and engine.pid == deployment.pid


def _about(action: str, deployment: Deployment) -> dict[str, Any]:
    return {
        "action": action,
        "ours": deployment.pid is not None,
        "folder": str(_folder_of(deployment) / "engine"),
        "address": deployment.address,
        "pid": deployment.pid,
        "app": deployment.app,
        "serve": deployment.settings["serve"],
    }


def _spec_of(deployment: Deployment) -> dict[str, Any]:
    """Give the specification of a deployment; one that an older version wrote does not say whose it is."""
    return {**deployment.settings["spec"], "environment": deployment.environment, "app": deployment.app}


def _folder_of(deployment: Deployment) -> Path:
    return Path(deployment.settings["folder"])


def _folder(location: StoreLocation) -> Path:
    """Say where the engine's files lie: in the store, or in the user's own folder where that is elsewhere."""
    if location.folder is not None:
        return location.folder
    home = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state")
    return home / "mlops-compile" / hashlib.sha256(location.url.encode()).hexdigest()[:16]


def _elsewhere(before: Deployment) -> Diagnostic:
    return Diagnostic(
        code="deployed-elsewhere",
        headline=f"`{before.named}` is served on another cluster, at {before.settings['url']}",
        help=f"type `mlops-compile undeploy {before.words}` first",
    )
