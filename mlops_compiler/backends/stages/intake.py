"""Snapshot: read the source, type and check every row, keep the table for ever under the hash of its content."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from mlops_compiler.backends.stages.context import Outcome
from mlops_compiler.backends.stages.contract import as_doubts, warned
from mlops_compiler.backends.stages.likeness import likeness
from mlops_compiler.diagnostics import DataError, Diagnostic
from mlops_compiler.ir.ops.intake import Check, Read
from mlops_compiler.plan.ingredients import digest_key
from mlops_compiler.tables.expectations import newest_time
from mlops_compiler.tables.intake import assemble
from mlops_compiler.tables.sources import file_digest
from mlops_compiler.tables.table import contents, digest, files, stream

if TYPE_CHECKING:
    from mlops_compiler.backends.stages.context import Context
    from mlops_compiler.diagnostics import Span
    from mlops_compiler.ir.program import Node
    from mlops_compiler.tables.intake import Taken
    from mlops_compiler.tables.stream import Stream


def take_snapshot(context: Context) -> Outcome:
    """Run the stage.

    Raises:
        DataError: The source cannot be read, changed since it was planned, or breaks its contract.
    """
    nodes = {node.name: node for node in context.task.stage.nodes}
    with context.store.objects.workspace() as folder:
        taken = assemble(nodes, lambda node: _open(context, node), folder)
        for node in nodes.values():
            if isinstance(node.op, Read):
                _same_as_planned(context, node.op, digest_key(node.name), node.span)
        newest = _newest(context.op(Check), taken)
        outputs = {"snapshot": context.store.objects.take(taken.rows)}
        if taken.left:
            outputs["quarantine"] = context.store.objects.take(taken.left_out)
    compared, found = likeness(context, context.op(Check), outputs["snapshot"])
    doubts = (*taken.doubts, *warned(found))
    source = nodes["source"].op
    assert isinstance(source, Read)  # noqa: S101 - the program is built so
    summary = {
        "source": source.origin or source.path,
        "rows": taken.height,
        "columns": len(taken.columns),
        "source_columns": taken.width,
        "files": len(files(source, context.root)),
        "bytes": sum(path.stat().st_size for path in files(source, context.root)),
        "snapshot": outputs["snapshot"],
        "nulls": taken.nulls,
        "lost": taken.lost,
        "joins": taken.joined,
        "stacks": taken.stacked,
        "references": taken.referred,
        "left_out": taken.left,
        "likeness": compared,
        "doubts": as_doubts(doubts),
        "about": context.task.facts.get("data", {}),
        **newest,
    }
    return Outcome(outputs=outputs, summary=summary)


def _newest(check: Check, taken: Taken) -> dict[str, str]:
    """Record the newest time, where the recipe says how old it may be: a later run asks again."""
    if check.fresh is None:
        return {}
    name = check.fresh[0]
    newest = newest_time(pl.read_parquet(taken.rows, columns=[name]), name)
    return {"newest": newest.isoformat()} if newest is not None else {}


def _open(context: Context, node: Node) -> Stream:
    assert isinstance(node.op, Read)  # noqa: S101 - the program is built so
    return stream(node.op, context.root, node.span)


def _same_as_planned(context: Context, read: Read, key: str, span: Span | None) -> None:
    """The fingerprint names the content that was planned; other content may not be kept under it."""
    stats = {path: path.stat() for path in contents(read, context.root)}
    hashes = {path: file_digest(path) for path in stats}
    if digest(read, context.root, hashes.get) != context.task.stage.ingredients[key]:
        raise DataError(
            [
                Diagnostic(
                    code="source-changed",
                    headline=f"the source {Path(read.path).name} changed while the run was starting",
                    span=span,
                    help="run again",
                )
            ]
        )
    for path, stat in stats.items():
        context.store.remember_file(str(path.resolve()), stat.st_size, stat.st_mtime_ns, hashes[path])
