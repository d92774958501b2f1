"""What the replicas of a service wrote, in the order in which they wrote it, whichever of them it was."""

from __future__ import annotations

import re
from collections import deque
from typing import TYPE_CHECKING

from mlops_compiler.diagnostics import Diagnostic, EngineError, Note

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_STAMP = re.compile(r"^\w+ (\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3}) ")


def tail(folder: Path, app: str, lines: int) -> list[str]:
    """Give the last lines of the logs of an application's replicas, oldest first.

    Args:
        folder: Where Serve writes its logs.
        app: The application's name.
        lines: How many, at most.

    Raises:
        EngineError: The folder is not on this machine.
    """
    if not folder.is_dir():
        raise EngineError([_elsewhere(folder)])
    entries = [entry for path in sorted(folder.glob(f"replica_{app}_*.log")) for entry in _entries(path, lines)]
    entries.sort(key=lambda entry: entry[0])
    return [line for _, line in entries[-lines:]] if lines > 0 else []


def _entries(path: Path, lines: int) -> Iterator[tuple[str, str]]:
    """Give the last lines of one file with their times; a line without one belongs to the line before."""
    stamp = ""
    with path.open(encoding="utf-8", errors="replace") as file:
        for line in deque(file, maxlen=lines):
            if found := _STAMP.match(line):
                stamp = found[1]
            yield stamp, line.rstrip("\n")


def _elsewhere(folder: Path) -> Diagnostic:
    return Diagnostic(
        code="logs-elsewhere",
        headline="the logs of this service are not on this machine, or its engine has ended",
        notes=(Note(text=f"on the cluster's head they are in {folder}"),),
    )
