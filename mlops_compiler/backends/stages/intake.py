"""Snapshot: read the source, type and check every row, keep the table for ever under the hash of its content."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_compiler.backends.stages.context import Outcome
from mlops_compiler.diagnostics import DataError, Diagnostic
from mlops_compiler.ir.ops.lifecycle import Check, Read
from mlops_compiler.tables.contract import take_in
from mlops_compiler.tables.sources import file_digest, load

if TYPE_CHECKING:
    from pathlib import Path

    from mlops_compiler.backends.stages.context import Context
    from mlops_compiler.diagnostics import Span


def take_snapshot(context: Context) -> Outcome:
    """Run the stage.

    Raises:
        DataError: The source cannot be read, changed since it was planned, or breaks its contract.
    """
    read, check = context.op(Read), context.op(Check)
    path = context.root / read.path
    span = context.task.stage.nodes[0].span
    rows = load(read, path, span)
    _same_as_planned(context, path, span)
    typed, lost = take_in(check, rows)
    digest = context.put_table(typed)
    summary = {
        "source": read.path,
        "rows": typed.height,
        "columns": typed.width,
        "source_columns": rows.width,
        "bytes": path.stat().st_size,
        "snapshot": digest,
        "nulls": {name: count for name, count in typed.null_count().row(0, named=True).items() if count},
        "lost": lost,
    }
    return Outcome(outputs={"snapshot": digest}, summary=summary)


def _same_as_planned(context: Context, path: Path, span: Span | None) -> None:
    """The fingerprint names the content that was planned; other content may not be kept under it."""
    stat = path.stat()
    digest = file_digest(path)
    if digest != context.task.stage.ingredients["data.source.digest"]:
        raise DataError(
            [
                Diagnostic(
                    code="source-changed",
                    headline=f"the source {path.name} changed while the run was starting",
                    span=span,
                    help="run again",
                )
            ]
        )
    context.store.remember_file(str(path.resolve()), stat.st_size, stat.st_mtime_ns, digest)
