"""A server while it runs: on the loopback interface, with all that it starts counted, and ended by their ids."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from benchmarks.environments import python_of
from benchmarks.serve.systems import APPS
from mlops_compiler.backends.ray import serve_engine
from mlops_compiler.backends.ray.serve_session import end_session, members

if TYPE_CHECKING:
    from benchmarks.serve.systems import System

_START_SECONDS, _END_SECONDS = 120.0, 60.0
_REPOSITORY = Path(__file__).parent.parent.parent
_LOOPBACK = ("127.", "::1", "::ffff:127.")
REPLICA, PROXY, ENGINE, SERVER = "replica", "proxy", "engine", "server"
_ROLES = (("ray::ServeReplica", REPLICA), ("ray::ProxyActor", PROXY), ("ray::HAProxyManager", PROXY))
_ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "POLARS_MAX_THREADS")


class NotStartedError(Exception):
    """Why a server is not there."""


@dataclass(slots=True, kw_only=True)
class Server:
    """A server.

    Attributes:
        system: What it is.
        port: Where it listens.
        place: Its own folder.
        process: What was started.
        seen: The processes that it has had, by their id and when they began.
    """

    system: System
    port: int
    place: tempfile.TemporaryDirectory[str]
    process: subprocess.Popen[bytes]
    seen: dict[tuple[int, float], psutil.Process] = field(default_factory=dict)

    @classmethod
    def start(cls, system: System, folder: Path) -> Server:
        """Start a server that serves what lies in a folder; gives it before it answers.

        Raises:
            NotInstalled: Its environment cannot be made.
        """
        python = python_of(system.pins, system.imports)
        place = tempfile.TemporaryDirectory(prefix="serve-", dir="/tmp")  # paths of sockets are short
        port = serve_engine.free_port()
        with Path(place.name, "output.txt").open("wb") as output:
            process = subprocess.Popen(
                [str(python), str(APPS / system.script), str(port), str(folder), *system.arguments],
                cwd=place.name,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=_environment(python, ours=system.peer is None),
                start_new_session=True,
            )
        return cls(system=system, port=port, place=place, process=process)

    def await_answer(self, body: bytes) -> None:
        """Wait until a request is answered, and look where the server listens.

        Raises:
            NotStartedError: It ends, or does not answer in time; or others than this machine can reach it.
        """
        until = time.monotonic() + _START_SECONDS
        while (came := self._ask(body)) is not None:
            if self.process.poll() is not None:
                raise NotStartedError(f"it ended with {self.process.returncode}: {self._said()}")
            if time.monotonic() > until:
                raise NotStartedError(f"{came} after {_START_SECONDS:.0f} s: {self._said()}")
            time.sleep(0.3)
        if self.is_open:
            raise NotStartedError(f"others than this machine can reach {', '.join(self.is_open)}")

    @property
    def is_open(self) -> list[str]:
        """Where it listens beyond the loopback interface."""
        found = set()
        for process in self.processes():
            try:
                sockets = process.net_connections(kind="tcp")
            except psutil.Error:
                continue
            found |= {item.laddr for item in sockets if item.status == psutil.CONN_LISTEN}
        return sorted(f"{item.ip}:{item.port}" for item in found if not item.ip.startswith(_LOOPBACK))

    def _ask(self, body: bytes) -> str | None:
        """Ask once; says what came, where that is no answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request("POST", self.system.path, body, {"Content-Type": "application/json"})
            status = connection.getresponse().status
        except (OSError, http.client.HTTPException) as error:
            return repr(error)
        else:
            return None if status == http.client.OK else f"status {status}"
        finally:
            connection.close()

    def _said(self) -> str:
        lines = Path(self.place.name, "output.txt").read_text(errors="replace").strip().splitlines()
        return lines[-1] if lines else "it said nothing"

    def processes(self) -> list[psutil.Process]:
        """List all that run of it, those of an engine of services as well, which is no child of what started it."""
        roots = [self.process.pid]
        engine = Path(self.place.name, ".mlops", "engine", "engine.json")
        found: list[psutil.Process] = []
        if engine.exists():
            told = json.loads(engine.read_text())
            found += members(told["pid"], told["temp"])
        for root in roots:
            try:
                found += [psutil.Process(root), *psutil.Process(root).children(recursive=True)]
            except psutil.Error:
                continue
        self.seen |= {(item.pid, item.create_time()): item for item in found}
        return list({item.pid: item for item in found}.values())

    def spent(self) -> dict[tuple[int, float], tuple[str, float]]:
        """Give the part of each process, and the CPU seconds that it has taken until now, user and system."""
        spent = {}
        for process in self.processes():
            try:
                times, words = process.cpu_times(), process.cmdline()
            except psutil.Error:
                continue
            spent[process.pid, process.create_time()] = self._role(process, words), times.user + times.system
        return spent

    def _role(self, process: psutil.Process, words: list[str]) -> str:
        if "Serve" not in self.system.group and "HAProxy" not in self.system.group:
            return SERVER
        if process.name() == "haproxy":
            return PROXY
        return next((role for start, role in _ROLES if " ".join(words).startswith(start)), ENGINE)

    def end(self) -> None:
        """End it, and whatever of it is left after a while."""
        self.processes()
        engine = Path(self.place.name, ".mlops", "engine", "engine.json")
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        if engine.exists():
            told = json.loads(engine.read_text())
            end_session(told["pid"], told["temp"])
        _, left = psutil.wait_procs(list(self.seen.values()), timeout=5)
        for process in left:
            if process.is_running():
                process.kill()
        psutil.wait_procs(left, timeout=5)
        self.place.cleanup()


def _environment(python: Path, *, ours: bool) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("RAY_", "PYTHON"))}
    paths = [str(APPS), *([str(_REPOSITORY)] if ours else [])]
    return {
        **kept,
        **dict.fromkeys(_ONE_THREAD, "1"),
        "PATH": os.pathsep.join((str(python.parent), kept.get("PATH", ""))),
        "PYTHONPATH": os.pathsep.join(paths),
        "PYTHONWARNINGS": "ignore",
        "RAY_USAGE_STATS_ENABLED": "0",
        "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
    }
