"""`feedback` says what would come back to training, where the release in place fails, and what changed there."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops_compiler.commands.base import DONE, write_file
from mlops_compiler.commands.gathering import collect, failings_of, gather
from mlops_compiler.console.feedback_view import print_feedback
from mlops_compiler.console.streams import messages, results
from mlops_compiler.diagnostics import Diagnostic, Span, UsageError
from mlops_compiler.driver import plan_recipe
from mlops_compiler.store.writer import open_writer

if TYPE_CHECKING:
    from mlops_compiler.commands.base import Invocation
    from mlops_compiler.commands.gathering import Gathered
    from mlops_compiler.frontend.composed import Composed

_ROWS, _ALL = ".parquet", ".json"


def feedback(composed: Composed, invocation: Invocation) -> int:
    """Show what comes back, and where the release fails; with ``--collect`` record it for the next run.

    Raises:
        UsageError: The recipe has no `feedback`, or ``--out`` names no kind of file that can be written.
        EngineError: What was logged cannot be read.
    """
    file = _file(invocation)
    planned = plan_recipe(composed)
    with messages().status("reading what was logged"):
        gathered = gather(planned, composed.recipe_name)
        told: dict[str, Any] = {**gathered.to_json(), "failings": failings_of(gathered, planned)}
    if "--collect" in invocation.flags:
        made = collect(gathered, told["failings"], open_writer(planned.location))
        told["collection"] = made.number
    if file is not None:
        _write(file, gathered, told)
    if invocation.as_json:
        invocation.print_json(told)
    else:
        print_feedback(told, composed.recipe_name, results())
    return DONE


def _file(invocation: Invocation) -> Path | None:
    text = invocation.options.get("--out")
    if text is None:
        return None
    if Path(text).suffix not in (_ROWS, _ALL):
        raise UsageError([_no_format(text)])
    return Path(text)


def _write(file: Path, gathered: Gathered, told: dict[str, Any]) -> None:
    """Write the rows that come back, or all that is told."""
    if file.suffix == _ALL:
        write_file(file, json.dumps(told, indent=2, ensure_ascii=False) + "\n")
        return
    try:
        gathered.returning.rows.write_parquet(file)
    except OSError as error:
        finding = Diagnostic(
            code="output-unwritable",
            headline=f"{file} cannot be written: {error.strerror or error}",
            span=Span.of_token(str(file)),
        )
        raise UsageError([finding]) from error


def _no_format(text: str) -> Diagnostic:
    return Diagnostic(
        code="bad-argument",
        headline=f"`--out` takes a file of rows (`.parquet`) or of all that is told (`.json`), not {text!r}",
        span=Span.of_token(text),
    )
