"""Manages services in a process of its own: reads one order as JSON, gives one answer as JSON, and ends.

Ray prints, keeps threads, and can be initialised once in a process; all of that stays in here, and what it
prints goes to the log.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
import traceback
import warnings
from contextlib import ExitStack, contextmanager, nullcontext
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any

from mlops_compiler.backends.ray import serve_actions, serve_engine
from mlops_compiler.backends.ray.serve_app import AppSpec
from mlops_compiler.backends.ray.serve_haproxy import found_proxy
from mlops_compiler.backends.ray.serve_ledger import Ledger
from mlops_compiler.backends.ray.serve_rollout import beside, candidate_of, check_room, replayed, through
from mlops_compiler.backends.ray.serve_verify import endpoint, verify
from mlops_compiler.diagnostics import Diagnostic, MlopsError, Note, UsageError, render_json
from mlops_compiler.serving.rollout import Rollout
from mlops_compiler.serving.settings import ServiceSettings
from mlops_compiler.undo import on_failure

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mlops_compiler.backends.ray.serve_engine import Engine
    from mlops_compiler.backends.ray.serve_rollout import Tell

Order = dict[str, Any]


def deploy(order: Order, tell: Tell) -> Order:
    """Serve a release, and compare it with itself; where that fails, put back what was there before."""
    spec = AppSpec.from_json(order["spec"])
    with serve_engine.only_one(Path(order["folder"])), _engine(order) as engine:
        serve_actions.join(engine.address if engine else order["address"])
        _check(order, spec)
        started = serve_actions.start_serve(order["host"], order["port"], only_head=engine is not None)
        order["serve"] = engine is None and (started or order["serve"])
        ledger = Ledger(spec, order["actor"], tell)
        try:
            return _serve(order, spec, ledger) | {"pid": engine.pid if engine else None, "serve": order["serve"]}
        finally:
            ledger.close()


def undeploy(order: Order, _tell: Tell) -> Order:
    """Take a service off its cluster, and end the engine that was started for it once it serves nothing."""
    folder = Path(order["folder"])
    with serve_engine.only_one(folder):
        engine = serve_engine.find(folder) if order["ours"] else None
        if order["ours"] and engine is None:
            serve_engine.stop(folder)
            return {"engine": "gone"}
        serve_actions.join(engine.address if engine else order["address"])
        serve_actions.remove(candidate_of(order["app"]))
        _remove(order, order["app"])
        if engine is None or serve_actions.applications():
            return {"engine": "running"}
        serve_actions.leave()
        serve_engine.stop(folder)
        return {"engine": "stopped"}


def clear(order: Order, tell: Tell) -> Order:
    """Take off the cluster what a rollout left that nobody watches any more."""
    with serve_engine.only_one(Path(order["folder"])):
        serve_actions.join(order["address"])
        serve_actions.remove(candidate_of(order["app"]))
    Ledger(AppSpec.from_json(order["spec"]), "", tell).close()
    return {}


def state(order: Order, _tell: Tell) -> Order:
    """Say how a service is."""
    serve_actions.join(order["address"])
    return serve_actions.state(order["app"])


def main() -> None:
    """Do what standard input orders, and tell on what was standard output: line by line, the answer last."""
    with os.fdopen(os.dup(1), "w") as answer:
        os.dup2(2, 1)
        warnings.simplefilter("ignore")
        signal.signal(signal.SIGTERM, _end)

        def say(line: Order) -> None:
            answer.write(json.dumps(line) + "\n")
            answer.flush()

        say(_obey(json.load(sys.stdin), lambda told: say({"told": told})))


_told_to_end = Event()


def _end(*_: object) -> None:
    _told_to_end.set()
    sys.exit(1)


def _obey(order: Order, tell: Tell) -> Order:
    if order["ours"]:
        os.environ.pop("RAY_ADDRESS", None)
        os.environ.update(serve_engine.joining(Path(order["folder"])))
    try:
        return {"done": _ACTIONS[order["action"]](order, tell)}
    except MlopsError as error:
        return {"failed": type(error).__name__, "diagnostics": render_json(error.diagnostics)}
    except SystemExit:
        return {"failed": "EngineError", "diagnostics": render_json([_interrupted(order)])}
    except Exception as error:  # noqa: BLE001 - the border of the process: the story goes to the log, the gist to the user
        traceback.print_exc()
        # What Ray was doing when the process was told to end may fail in its own way.
        finding = _interrupted(order) if _told_to_end.is_set() else _unforeseen(error)
        return {"failed": "EngineError", "diagnostics": render_json([finding])}


_ACTIONS: dict[str, Callable[[Order, Tell], Order]] = {
    "deploy": deploy,
    "undeploy": undeploy,
    "state": state,
    "clear": clear,
}


@contextmanager
def _engine(order: Order) -> Iterator[Engine | None]:
    """Take the engine of the store, or start one, which ends again if what follows fails; none to join a cluster."""
    if not order["ours"]:
        yield None
        return
    folder, host, port = Path(order["folder"]), order["host"], order["port"]
    if (engine := serve_engine.find(folder)) is not None:
        if (engine.host, engine.port) != (host, port):
            raise UsageError([_other_port(engine, host, port)])
        if order["proxy"] not in ("auto", engine.proxy):
            raise UsageError([_other_proxy(engine, order["proxy"])])
        yield engine
        return
    _must_be_free(host, port)
    with on_failure(serve_engine.stop, folder), on_failure(serve_actions.leave):
        proxy = found_proxy(host) if order["proxy"] == "auto" else order["proxy"]
        yield serve_engine.start(folder, cpus=order["cpus"], host=host, port=port, proxy=proxy)


def _check(order: Order, spec: AppSpec) -> None:
    serve_actions.check_capacity(spec)
    if order["before"] is not None:
        check_room(spec, Rollout.from_json(order["rollout"]))
    if not order["ours"] and order["before"] is None and spec.app in serve_actions.applications():
        raise UsageError([_taken(spec.app, order["address"])])


def _serve(order: Order, spec: AppSpec, tell: Tell) -> Order:
    """Put the release where it answers, after it was tried beside the one in place, where there is another one."""
    rollout, before = Rollout.from_json(order["rollout"]), order["before"]
    replaces = before is not None and before["manifest"] != spec.manifest
    if rollout.has_trial and before is not None and not replaces:
        tell({"step": "same"})
    trial = beside(spec, rollout, tell) if replaces and rollout.has_trial else nullcontext()
    with ExitStack() as back:
        with trial:
            back.callback(_put_back, order, spec)
            tell({"step": "starting" if before is None else "replacing"})
            serve_actions.run(spec)
            done = _answering(order, spec, 0 if replaces else rollout.replay, tell)
        back.pop_all()  # what was tried beside the one in place has ended, and nothing failed
        return done


def _answering(order: Order, spec: AppSpec, rows: int, tell: Tell) -> Order:
    """Compare what answers at the endpoint with the release; a first release replays its holdout there."""
    address = serve_actions.address_of(order["address"])
    service = endpoint(order["host"], order["port"], spec.route, address, order.get("key", ""))
    verify(service, spec)
    if rows:
        # A service that limits how often a client asks would refuse so many rows.
        limited = ServiceSettings.from_json(spec.settings).limits.rate is not None
        replayed(spec, rows, through(spec.app) if limited else service.score, tell)
    return {"address": address, "session": serve_actions.session(), "url": service.url}


def _put_back(order: Order, spec: AppSpec) -> None:
    """Undo a deployment that failed. What fails in that goes to the log: the user hears of the first failure."""
    try:
        if order["before"] is not None:
            serve_actions.run(AppSpec.from_json(order["before"]))
        else:
            _remove(order, spec.app)
    except MlopsError as error:
        traceback.print_exception(error)


def _remove(order: Order, name: str) -> None:
    """Take an application off the cluster, and with the last one Serve, where it was started for this store."""
    serve_actions.remove(name)
    if order["serve"]:
        serve_actions.stop_serve()


def _must_be_free(host: str, port: int) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
    except OSError as error:
        raise UsageError([_not_free(host, port, error)]) from error


def _not_free(host: str, port: int, error: OSError) -> Diagnostic:
    return Diagnostic(
        code="port-in-use",
        headline=f"the service cannot listen at {host}:{port}: {(error.strerror or str(error)).lower()}",
        help="end what listens there, or set another `deploy.port`",
    )


def _other_port(engine: Engine, host: str, port: int) -> Diagnostic:
    return Diagnostic(
        code="service-port",
        headline=f"the services of this store listen at {engine.host}:{engine.port}, not at {host}:{port}",
        help=f"set `deploy.port: {engine.port}` and a route of its own, or undeploy the others first",
    )


def _other_proxy(engine: Engine, proxy: str) -> Diagnostic:
    return Diagnostic(
        code="service-proxy",
        headline=f"the services of this store are behind the proxy `{engine.proxy}`, not `{proxy}`",
        help=f"set `deploy.proxy: {engine.proxy}`, or undeploy the others first",
    )


def _taken(name: str, address: str) -> Diagnostic:
    return Diagnostic(
        code="service-taken",
        headline=f"the cluster at `{address}` already serves a `{name}`, which this store did not deploy",
        help="give the recipe another name, or take that one off the cluster first",
    )


def _interrupted(order: Order) -> Diagnostic:
    said = "what was begun is undone, and what was served before serves on" if order["action"] == "deploy" else None
    return Diagnostic(
        code="service-interrupted",
        headline=f"the order to {order['action']} the service was interrupted",
        notes=(Note(text=said),) if said else (),
    )


def _unforeseen(error: Exception) -> Diagnostic:
    return Diagnostic(
        code="engine-failed",
        headline=f"Ray failed: {serve_actions.last_line(str(error)) or type(error).__name__}",
        help="the whole story is in logs/serve.log of the store",
    )


if __name__ == "__main__":
    main()
