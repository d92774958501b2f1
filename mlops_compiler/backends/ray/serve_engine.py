"""The engine of a store's services: one Ray head in a session of its own, which outlives the command.

It listens on the loopback interface, and who would join it needs the token, a file that only its owner can read.
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from mlops_compiler.backends.ray.serve_haproxy import through_haproxy
from mlops_compiler.backends.ray.serve_session import end_session, members
from mlops_compiler.diagnostics import Diagnostic, EngineError, Note
from mlops_compiler.undo import on_failure

if TYPE_CHECKING:
    from collections.abc import Iterator

_START_SECONDS = 60.0
_POLL_SECONDS = 0.1
_LONGEST_TEMP = 24
"""Ray puts its sockets some 80 characters deeper, and the path of a socket ends at 107."""
_OBJECT_STORE_BYTES = 200_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """A head that was started.

    Attributes:
        pid: The process that leads the session.
        started: When that process was created, in seconds since the epoch.
        temp: Its own temporary folder, whose name marks its processes.
        address: Where to join it; empty until it is up.
        host: Where its HTTP proxy listens.
        port: Likewise.
        proxy: Which proxy that is: ``serve`` or ``haproxy``.
    """

    pid: int
    started: float
    temp: str
    address: str
    host: str
    port: int
    proxy: str = "serve"

    @property
    def is_alive(self) -> bool:
        """Whether it runs and answers."""
        return bool(self.address and members(self.pid, self.temp)) and can_connect(self.address)

    @property
    def session(self) -> str:
        """The folder of its logs."""
        return str((_inside(self.temp) / "session_latest").resolve())


def joining(folder: Path) -> dict[str, str]:
    """Give the environment in which a process may join the engine of a folder."""
    return {
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN_PATH": str(folder / "token"),
        # Only so does Ray take the loopback interface, instead of one that others can reach.
        "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
    }


@contextmanager
def only_one(folder: Path) -> Iterator[None]:
    """Keep other commands from starting or ending the engine of a folder meanwhile."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def find(folder: Path) -> Engine | None:
    """Read which engine a folder has; None where it has none that answers."""
    engine = _read(folder)
    return engine if engine is not None and engine.is_alive else None


def start(folder: Path, *, cpus: int | None, host: str, port: int, proxy: str = "serve") -> Engine:
    """Start an engine, and remember it in a folder; what is left of an earlier one is ended first.

    Args:
        folder: Where its token, its record and its output lie.
        cpus: Cores that it may lend; all of the machine's where not given.
        host: Where its HTTP proxy will listen.
        port: Likewise.
        proxy: Which proxy that will be.

    Raises:
        EngineError: It does not come up; nothing is left of it then.
    """
    stop(folder)
    _write_private(folder / "token", secrets.token_hex(32))
    temp = tempfile.mkdtemp(prefix="mlops-", dir=_short_temp())
    behind = through_haproxy(Path(temp), host, port, free_port(), free_port()) if proxy == "haproxy" else {}
    process = _spawn(folder, _command(temp, cpus or os.cpu_count() or 1), behind)
    engine = Engine(
        pid=process.pid, started=_created(process.pid), temp=temp, address="", host=host, port=port, proxy=proxy
    )
    _remember(folder, engine)
    with on_failure(stop, folder):
        engine = replace(engine, address=_await_address(engine, process))
        _remember(folder, engine)
    return engine


def stop(folder: Path) -> None:
    """End the engine of a folder, if it has one: the processes of its session and its temporary folder."""
    if (engine := _read(folder)) is None:
        return
    end_session(engine.pid, engine.temp)
    shutil.rmtree(engine.temp, ignore_errors=True)
    (folder / "engine.json").unlink(missing_ok=True)


def can_connect(address: str) -> bool:
    """Say whether something listens at ``host:port``."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    try:
        with socket.create_connection((host.strip("[]"), int(port)), timeout=2):
            return True
    except (OSError, ValueError):
        return False


def free_port() -> int:
    """Find a port of the loopback interface that nobody uses."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _command(temp: str, cpus: int) -> list[str]:
    options = {
        "node-ip-address": "127.0.0.1",
        "port": 0,
        "temp-dir": _inside(temp),
        "num-cpus": cpus,
        "object-store-memory": _OBJECT_STORE_BYTES,
        "include-dashboard": "false",
        "include-log-monitor": "false",
        "dashboard-agent-listen-port": free_port(),
        "ray-client-server-port": free_port(),
        "log-color": "false",
    }
    given = [f"--{name}={value}" for name, value in options.items()]
    switches = ["--head", "--block", "--no-monitor", "--disable-usage-stats"]
    # -P: a file in the current folder must not pass for a module.
    return [sys.executable, "-P", "-m", "ray.scripts.scripts", "start", *switches, *given]


def _spawn(folder: Path, command: list[str], behind: dict[str, str]) -> subprocess.Popen[bytes]:
    quiet = {
        "RAY_USAGE_STATS_ENABLED": "0",
        "RAY_GRACEFUL_SHUTDOWN_DRAIN_TIMEOUT_S": "0",  # its applications are gone when it is told to end
        "RAY_ROTATION_MAX_BYTES": str(16 * 2**20),
        "RAY_ROTATION_BACKUP_COUNT": "3",
        # A request is answered in the loop that takes it: two threads less to pass through, at half the CPU. What takes
        # long leaves the loop by itself (`Service`).
        "RAY_SERVE_RUN_USER_CODE_IN_SEPARATE_THREAD": "0",
        "RAY_SERVE_RUN_ROUTER_IN_SEPARATE_LOOP": "0",
        "RAY_SERVE_LOG_TO_STDERR": "0",
    }
    environment = {name: value for name, value in os.environ.items() if name != "RAY_ADDRESS"}
    with (folder / "engine.log").open("w") as log:
        return subprocess.Popen(  # noqa: S603 - our own interpreter, no shell
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=folder,
            env=environment | joining(folder) | quiet | behind,
            start_new_session=True,
        )


def _await_address(engine: Engine, process: subprocess.Popen[bytes]) -> str:
    written = _inside(engine.temp) / "ray_current_cluster"
    until = time.monotonic() + _START_SECONDS
    while process.poll() is None and time.monotonic() < until:
        with suppress(FileNotFoundError):
            if (address := written.read_text().strip()) and can_connect(address):
                return address
        time.sleep(_POLL_SECONDS)
    raise EngineError([_not_up(process.poll())])


def _inside(temp: str) -> Path:
    """Give the folder that Ray makes, and opens to everybody, inside the one that only its owner may enter."""
    return Path(temp) / "ray"


def _created(pid: int) -> float:
    import psutil

    created: float = psutil.Process(pid).create_time()
    return created


def _short_temp() -> str:
    temp = tempfile.gettempdir()
    return temp if len(temp) <= _LONGEST_TEMP else "/tmp"  # noqa: S108 - the folder made in it is our own


def _read(folder: Path) -> Engine | None:
    try:
        return Engine(**json.loads((folder / "engine.json").read_text()))
    except (FileNotFoundError, ValueError, TypeError):
        return None


def _remember(folder: Path, engine: Engine) -> None:
    _write_private(folder / "engine.json", json.dumps(asdict(engine)))


def _write_private(path: Path, text: str) -> None:
    """Write a file that only its owner can read, whole or not at all."""
    unfinished = path.with_suffix(".tmp")
    unfinished.unlink(missing_ok=True)
    with open(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:  # noqa: PTH123 - the mode
        file.write(text)
    unfinished.replace(path)


def _not_up(status: int | None) -> Diagnostic:
    why = "it did not answer in time" if status is None else f"it ended with status {status}"
    return Diagnostic(
        code="engine-not-up",
        headline=f"the engine of the service could not be started: {why}",
        notes=(Note(text="its output is kept in the store, as engine/engine.log"),),
    )
