"""Gives an order to a process of its own and waits for its answer, no longer than it may take.

What goes wrong over there comes back as the diagnostics that it was reported with.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING, Any

import mlops_compiler
from mlops_compiler.diagnostics import DataError, Diagnostic, EngineError, Note, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

_ROLLBACK_SECONDS = 60.0
_LAST_SECONDS = 30.0
"""To leave the cluster, once the answer is given."""


def have_done(
    order: dict[str, Any],
    folder: Path,
    seconds: float,
    told: Callable[[dict[str, Any]], None] = lambda _: None,
) -> dict[str, Any]:
    """Have an order done by a process of its own, in bounded time.

    Args:
        order: What `serve_control` is to do.
        folder: Where the log goes, as ``logs/serve.log``.
        seconds: How long it may take. What was begun is undone where it takes longer, or is interrupted.
        told: Hears how it goes on.

    Raises:
        UsageError: It cannot be done as it was asked for.
        EngineError: It failed, or took too long.
    """
    (folder / "logs").mkdir(parents=True, exist_ok=True)
    log = folder / "logs" / "serve.log"
    with log.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "mlops_compiler.backends.ray.serve_control"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=output,
            env=_environment(),
            start_new_session=True,  # an interrupt of the terminal is for us; we tell it
        )
        try:
            answer = _answer(process, order, seconds, told)
            with suppress(subprocess.TimeoutExpired):
                process.wait(timeout=_LAST_SECONDS)
        except TimeoutError as error:
            raise EngineError([_too_slow(order["action"], seconds)]) from error
        finally:
            _end(process)
    return _done(order["action"], answer)


def _answer(
    process: subprocess.Popen[bytes], order: dict[str, Any], seconds: float, told: Callable[[dict[str, Any]], None]
) -> dict[str, Any] | None:
    """Give an order, pass on what is told, and give the answer; None where there is none.

    Raises:
        TimeoutError: It takes too long.
    """
    lines: SimpleQueue[bytes] = SimpleQueue()
    Thread(target=_listen, args=(process, lines), daemon=True).start()
    with suppress(BrokenPipeError):
        assert process.stdin is not None  # noqa: S101 - it is a pipe
        process.stdin.write(json.dumps(order).encode())
        process.stdin.close()
    until = time.monotonic() + seconds
    while True:
        try:
            line = lines.get(timeout=max(0.0, until - time.monotonic()))
        except Empty as error:
            raise TimeoutError from error
        if not line:
            return None
        value: dict[str, Any] = json.loads(line)
        if "told" not in value:
            return value
        told(value["told"])


def _listen(process: subprocess.Popen[bytes], lines: SimpleQueue[bytes]) -> None:
    """Pass on what a process writes, line by line, and an empty one at its end."""
    assert process.stdout is not None  # noqa: S101 - it is a pipe
    with process.stdout:
        for line in process.stdout:
            lines.put(line)
    lines.put(b"")


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a process that was left in the midst of its order, and let it undo what it began."""
    if process.poll() is not None:
        return
    process.terminate()
    try:
        process.wait(timeout=_ROLLBACK_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _environment() -> dict[str, str]:
    """Let the interpreter find this very package, wherever it was imported from."""
    here = str(Path(mlops_compiler.__path__[0]).parent)
    paths = [here, *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "RAY_USAGE_STATS_ENABLED": "0"}


def _done(action: str, answer: dict[str, Any] | None) -> dict[str, Any]:
    if answer is None:
        raise EngineError([_ended(action)])
    if "done" in answer:
        done: dict[str, Any] = answer["done"]
        return done
    kind = {"UsageError": UsageError, "DataError": DataError}.get(answer["failed"], EngineError)
    raise kind(_diagnostic(item) for item in answer["diagnostics"])


def _diagnostic(item: dict[str, Any]) -> Diagnostic:
    notes = tuple(Note(text=note["text"]) for note in item["notes"])
    return Diagnostic(code=item["code"], headline=item["headline"], notes=notes, help=item["help"])


def _too_slow(action: str, seconds: float) -> Diagnostic:
    return Diagnostic(
        code="engine-timeout",
        headline=f"Ray did not {action} the service within {seconds:g} seconds",
        help="the whole story is in logs/serve.log of the store",
    )


def _ended(action: str) -> Diagnostic:
    return Diagnostic(
        code="engine-failed",
        headline=f"the process that was to {action} the service ended without an answer",
        help="the whole story is in logs/serve.log of the store",
    )
