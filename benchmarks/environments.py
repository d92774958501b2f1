"""A peer whose pins are not ours gets a virtual environment of its own, made once from ``peers/NAME.txt``."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import venv
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from benchmarks.quality.systems import System

PEERS = Path(__file__).parent / "peers"
INSTALL_SECONDS = 1800


@dataclass(frozen=True, slots=True)
class NotInstalled(Exception):  # noqa: N818 - it is a finding, told in the table
    """Why a peer is not there."""

    reason: str


def cache() -> Path:
    """Where environments are kept: ``MLOPS_PEERS``, or a folder of the user's cache."""
    base = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"))
    return Path(os.environ.get("MLOPS_PEERS", base / "mlops-compile" / "peers"))


def python_of(system: System) -> Path:
    """Give the interpreter that a system runs in; make its environment where there is none.

    Raises:
        NotInstalled: Its packages cannot be installed here.
    """
    if system.peer is None:
        return Path(sys.executable)
    pins = PEERS / f"{system.peer}.txt"
    digest = hashlib.sha256(pins.read_bytes()).hexdigest()[:12]
    folder = cache() / f"{system.peer}-{digest}"
    python, whole = folder / "bin" / "python", folder / ".installed"
    if not whole.exists():
        print(f"{system.name}: making {folder}", flush=True)
        venv.create(folder, with_pip=True, clear=True)
        _install(python, pins)
        _import(python, system.imports)
        whole.touch()
    return python


def _import(python: Path, module: str) -> None:
    """Find out whether what was installed works together."""
    done = subprocess.run([str(python), "-c", f"import {module}"], capture_output=True, text=True, check=False)
    if done.returncode:
        raise NotInstalled(f"`import {module}` fails: {done.stderr.strip().splitlines()[-1]}")


def _install(python: Path, pins: Path) -> None:
    command = [str(python), "-m", "pip", "install", "--quiet", "-r", str(pins)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=INSTALL_SECONDS)
    except subprocess.TimeoutExpired as late:
        raise NotInstalled(f"not installed within {INSTALL_SECONDS // 60} minutes") from late
    if done.returncode:
        errors = [line for line in done.stderr.splitlines() if line.startswith("ERROR")]
        raise NotInstalled((errors or done.stderr.splitlines() or ["pip failed"])[-1])
