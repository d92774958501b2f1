"""A peer whose pins are not ours gets a virtual environment of its own, made once from a file of pins."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import venv
from dataclasses import dataclass
from pathlib import Path

INSTALL_SECONDS = 1800


@dataclass(frozen=True, slots=True)
class NotInstalled(Exception):  # noqa: N818 - it is a finding, told in the table
    """Why a peer is not there."""

    reason: str


def cache() -> Path:
    """Where environments are kept: ``MLOPS_PEERS``, or a folder of the user's cache."""
    base = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"))
    return Path(os.environ.get("MLOPS_PEERS", base / "mlops-compile" / "peers"))


def python_of(pins: Path | None, imports: str = "sys") -> Path:
    """Give the interpreter that a peer runs in; make its environment where there is none.

    Args:
        pins: What is installed there, as pip reads it; its name is the peer's. None for this project's own interpreter.
        imports: What must be importable there for the peer to count as installed.

    Raises:
        NotInstalled: Its packages cannot be installed here.
    """
    if pins is None:
        return Path(sys.executable)
    digest = hashlib.sha256(pins.read_bytes()).hexdigest()[:12]
    folder = cache() / f"{pins.stem}-{digest}"
    python, whole = folder / "bin" / "python", folder / ".installed"
    if not whole.exists():
        print(f"{pins.stem}: making {folder}", flush=True)
        venv.create(folder, clear=True)
        _install(python, pins)
        _import(python, imports)
        whole.touch()
    return python


def _import(python: Path, module: str) -> None:
    """Find out whether what was installed works together."""
    done = subprocess.run([str(python), "-c", f"import {module}"], capture_output=True, text=True, check=False)
    if done.returncode:
        raise NotInstalled(f"`import {module}` fails: {done.stderr.strip().splitlines()[-1]}")


def _install(python: Path, pins: Path) -> None:
    """Install with our own pip: one of its own would take longer to lay out than most peers."""
    command = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet", "-r", str(pins)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=INSTALL_SECONDS)
    except subprocess.TimeoutExpired as late:
        raise NotInstalled(f"not installed within {INSTALL_SECONDS // 60} minutes") from late
    if done.returncode:
        errors = [line for line in done.stderr.splitlines() if line.startswith("ERROR")]
        raise NotInstalled((errors or done.stderr.splitlines() or ["pip failed"])[-1])
