"""Gives an order to a process of its own and waits for its answer, no longer than it may take.

What goes wrong over there comes back as the diagnostics that it was reported with.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import mlops_compiler
from mlops_compiler.diagnostics import DataError, Diagnostic, EngineError, Note, UsageError

_ROLLBACK_SECONDS = 60.0


def have_done(order: dict[str, Any], folder: Path, seconds: float) -> dict[str, Any]:
    """Have an order done by a process of its own, in bounded time.

    Args:
        order: What `serve_control` is to do.
        folder: Where the log goes, as ``logs/serve.log``.
        seconds: How long it may take. What was begun is undone where it takes longer, or is interrupted.

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
            answer, _ = process.communicate(json.dumps(order).encode(), timeout=seconds)
        except subprocess.TimeoutExpired as error:
            raise EngineError([_too_slow(order["action"], seconds)]) from error
        finally:
            _end(process)
    return _done(order["action"], answer)


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a process that was left in the midst of its order, and let it undo what it began."""
    if process.poll() is not None:
        return
    process.terminate()
    try:
        process.communicate(timeout=_ROLLBACK_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()


def _environment() -> dict[str, str]:
    """Let the interpreter find this very package, wherever it was imported from."""
    here = str(Path(mlops_compiler.__path__[0]).parent)
    paths = [here, *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "RAY_USAGE_STATS_ENABLED": "0"}


def _done(action: str, answer: bytes) -> dict[str, Any]:
    try:
        result: dict[str, Any] = json.loads(answer)
    except ValueError as error:
        raise EngineError([_ended(action)]) from error
    if "done" in result:
        done: dict[str, Any] = result["done"]
        return done
    kind = {"UsageError": UsageError, "DataError": DataError}.get(result["failed"], EngineError)
    raise kind(_diagnostic(item) for item in result["diagnostics"])


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
