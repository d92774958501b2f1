"""What is done with a joined cluster: put a release on it, take it off, say how it is. Every wait has an end.

Runs in a process of its own (`serve_control`), for the commands that manage services outlive no cluster and
share no Ray session with a run.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from mlops_compiler.backends.ray.serve_app import build
from mlops_compiler.backends.ray.serve_engine import can_connect
from mlops_compiler.diagnostics import Diagnostic, EngineError, Note, UsageError

if TYPE_CHECKING:
    from mlops_compiler.backends.ray.serve_app import AppSpec

_RUNNING_SECONDS = 90.0
_PAUSE_SECONDS = 0.2


def is_joined() -> bool:
    """Say whether this process has joined a cluster."""
    import ray

    return bool(ray.is_initialized())


def join(address: str) -> None:
    """Join a cluster.

    Raises:
        EngineError: It cannot be joined.
    """
    import ray

    if ":" in address and not can_connect(address):
        raise EngineError([_unreachable(address, ConnectionError("nothing listens there"))])
    try:
        ray.init(address=address, namespace="serve", log_to_driver=False, logging_level="ERROR")
    except (ConnectionError, RuntimeError, ValueError, ray.exceptions.RayError) as error:
        raise EngineError([_unreachable(address, error)]) from error


def applications() -> dict[str, Any]:
    """Give what Serve runs on the joined cluster, by name."""
    from ray import serve

    return dict(serve.status().applications)


def start_serve(host: str, port: int, *, only_head: bool) -> bool:
    """Start Serve where it does not run yet; where it does, it keeps the port that it has.

    Returns:
        Whether it had to be started.

    Raises:
        EngineError: It does not come up; nothing is left of it then.
    """
    import ray
    from ray import serve

    if serve.status().proxies:
        return False
    try:
        serve.start(
            proxy_location="HeadOnly" if only_head else "EveryNode",
            http_options={"host": host, "port": port, "request_timeout_s": 60, "keep_alive_timeout_s": 75},
        )
    except (RuntimeError, TimeoutError, ray.exceptions.RayError) as error:
        serve.shutdown()
        raise EngineError([_not_listening(host, port, error)]) from error
    return True


def stop_serve() -> None:
    """Stop Serve, if it serves nothing any more."""
    from ray import serve

    if not applications():
        serve.shutdown()


def check_capacity(spec: AppSpec) -> None:
    """Refuse more replicas than the cluster can ever hold.

    Raises:
        UsageError: It has too few cores, or GPUs.
    """
    import ray

    has = ray.cluster_resources()
    if (found := short_of(spec, spec.replicas[1], has.get("CPU", 0), has.get("GPU", 0))) is not None:
        raise UsageError([found])


def short_of(spec: AppSpec, replicas: int, cores: float, gpus: float) -> Diagnostic | None:
    """Say what a cluster lacks for so many replicas; None where it has room for them.

    A part of a GPU lies on one GPU: three replicas of 0.4 need two of them.
    """
    if replicas * spec.sizing.cpus > cores:
        return _too_few(
            f"{replicas} replicas need {replicas * spec.sizing.cpus:g} cores",
            f"{cores:g}",
            int(cores / spec.sizing.cpus),
        )
    if spec.sizing.gpu <= 0:
        return None
    room = int(gpus) * int(1 / spec.sizing.gpu) if spec.sizing.gpu <= 1 else int(gpus / spec.sizing.gpu)
    if replicas <= room:
        return None
    return _too_few(
        f"{replicas} replicas need {spec.sizing.gpu:g} of a GPU each", f"{gpus:g} GPUs" if gpus else "none", room
    )


def run(spec: AppSpec, *, app: str | None = None) -> None:
    """Put a release on the cluster, in the place of the one that its application has there, and wait until it runs.

    Args:
        spec: What to run.
        app: An application without a route, of this name; that of the service, with its route, where not given.

    Raises:
        UsageError: Another application has its route.
        EngineError: It does not come up.
    """
    from ray import serve
    from ray.serve.exceptions import RayServeException

    name, route = (spec.app, spec.route) if app is None else (app, None)
    try:
        serve.run_many(
            [serve.RunTarget(target=build(spec), name=name, route_prefix=route)], wait_for_applications_running=False
        )
    except (RayServeException, ValueError) as error:
        raise UsageError([_refused(spec, error)]) from error
    until = time.monotonic() + _RUNNING_SECONDS
    while (status := _status(name)) != "RUNNING":
        if status in ("DEPLOY_FAILED", "UNHEALTHY") or time.monotonic() > until:
            raise EngineError([_not_running(spec, name, status)])
        time.sleep(_PAUSE_SECONDS)


def remove(name: str) -> None:
    """Take an application off the cluster, after its requests are answered."""
    from ray import serve

    if name in applications():
        serve.delete(name)


def state(name: str) -> dict[str, Any]:
    """Say how an application is."""
    app = applications().get(name)
    if app is None:
        return {"status": "gone", "replicas": 0, "message": "Serve does not know the application"}
    replicas = sum(
        count for part in app.deployments.values() for kind, count in part.replica_states.items() if kind == "RUNNING"
    )
    status = {"RUNNING": "healthy", "DEPLOYING": "starting", "NOT_STARTED": "starting"}.get(app.status, "unhealthy")
    said = {"message": last_line(message)} if (message := _message(app)) else {}
    return {"status": status, "replicas": replicas, **said}


def session() -> str:
    """Give the folder of the joined cluster's logs, as it is named on its head."""
    import ray

    context = ray.get_runtime_context()
    return f"{context.get_temp_dir()}/{context.get_session_name()}"


def address_of(named: str) -> str:
    """Give the address at which other processes find the joined cluster again; ``auto`` may find another one."""
    import ray

    return named if named.startswith("ray://") else str(ray.get_runtime_context().gcs_address)


def leave() -> None:
    """Leave the joined cluster, if any."""
    import ray

    ray.shutdown()


def _status(name: str) -> str:
    app = applications().get(name)
    return "NOT_STARTED" if app is None else str(app.status.value)


def _message(app: Any) -> str:
    return "\n".join(filter(None, [app.message, *(part.message for part in app.deployments.values())]))


def last_line(text: str) -> str:
    """Give the last line of a text that says something; in a traceback that is the error."""
    return next((line.strip() for line in reversed(text.splitlines()) if line.strip()), "")


def _not_running(spec: AppSpec, name: str, status: str) -> Diagnostic:
    app = applications().get(name)
    message = _message(app) if app is not None else ""
    return Diagnostic(
        code="service-not-running",
        headline=f"release {spec.release} of `{spec.recipe}` did not come up on Ray Serve ({status})",
        notes=(Note(text=last_line(message)),) if message else (),
        help="the whole story is in logs/serve.log of the store",
    )


def _unreachable(address: str, error: Exception) -> Diagnostic:
    return Diagnostic(
        code="cluster-unreachable",
        headline=f"the Ray cluster at `{address}` cannot be joined",
        notes=(Note(text=last_line(str(error))),),
        help="start it, name another with `cluster.address`, or leave that out to have one started",
    )


def _not_listening(host: str, port: int, error: Exception) -> Diagnostic:
    return Diagnostic(
        code="service-not-listening",
        headline=f"Ray Serve cannot listen at {host}:{port} on the cluster",
        notes=(Note(text=last_line(str(error))),),
        help="end what listens there, or set another `deploy.port`",
    )


def _too_few(needed: str, found: str, room: int) -> Diagnostic:
    less = "let each reserve less: `deploy.replicas.cpus`, `deploy.replicas.gpu`"
    return Diagnostic(
        code="unsatisfiable-resources",
        headline=f"{needed}, and the cluster has {found}",
        help=f"set `deploy.replicas.max` to at most {room}" if room else less,
    )


def _refused(spec: AppSpec, error: Exception) -> Diagnostic:
    return Diagnostic(
        code="service-refused",
        headline=f"Ray Serve does not take `{spec.recipe}` at the route {spec.route}",
        notes=(Note(text=last_line(str(error))),),
        help="give it a route of its own with `deploy.route`",
    )
