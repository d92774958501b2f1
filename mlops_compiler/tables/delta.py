"""Delta tables: a folder whose log says which of its files are the table, and were at each version."""

from __future__ import annotations

import hashlib
import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import polars as pl

from mlops_compiler.diagnostics import DataError, Diagnostic, Note
from mlops_compiler.ir.schema import dtype_name
from mlops_compiler.tables.stream import Stream, rows_at_once

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from mlops_compiler.diagnostics import Span
    from mlops_compiler.ir.ops.intake import Read


def is_table(path: Path) -> bool:
    """Say whether a folder is a Delta table."""
    return (path / "_delta_log").is_dir()


def describe(read: Read, path: Path, span: Span | None) -> dict[str, str]:
    """Say what columns a table has and of which type of the recipe language; reads the log only.

    Raises:
        DataError: There is no such table, or no such version of it.
    """
    with _told(read, path, span):
        schema = pl.scan_delta(str(path), version=read.version).collect_schema()
    return {name: dtype_name(dtype) for name, dtype in schema.items()}


def open_table(read: Read, path: Path, span: Span | None) -> Stream:
    """Open a table, to read its rows in batches.

    Raises:
        DataError: There is no such table or version; while it is read also that a file of it is gone, or that it holds
            no rows.
    """
    with _told(read, path, span):
        schema = pl.scan_delta(str(path), version=read.version).collect_schema()
    return Stream(schema=schema, read=lambda names: _read(read, path, span, names))


def _read(read: Read, path: Path, span: Span | None, names: list[str]) -> Iterator[pl.DataFrame]:
    rows = 0
    with _told(read, path, span):
        wanted = pl.scan_delta(str(path), version=read.version).select(names)
        for part in wanted.collect_batches(chunk_size=rows_at_once(len(names))):
            rows += part.height
            yield part
    if rows == 0:
        raise DataError([Diagnostic(code="source-empty", headline=f"the table {path.name} holds no rows", span=span)])


def files(read: Read, path: Path) -> tuple[Path, ...]:
    """Name the files that are the table; none where there is no such version."""
    return tuple(path / str(item["path"]) for item in _actions(read, path))


def digest(read: Read, path: Path) -> str | None:
    """Hash what the log says of a version: its files, which the format never changes, and its schema."""
    if not is_table(path):
        return None
    actions = [(str(item["path"]), int(item["size_bytes"])) for item in _actions(read, path)]
    named = json.dumps([sorted(actions), str(pl.scan_delta(str(path), version=read.version).collect_schema())])
    return hashlib.sha256(named.encode()).hexdigest()


def about_rows(read: Read, path: Path) -> int | None:
    """Say how many rows a table has, where its log says it."""
    counts = [item.get("num_records") for item in _actions(read, path)]
    return sum(int(count) for count in counts if count is not None) if counts and None not in counts else None


def _actions(read: Read, path: Path) -> list[dict[str, Any]]:
    from deltalake import DeltaTable
    from deltalake.exceptions import DeltaError

    if not is_table(path):
        return []
    try:
        table = DeltaTable(str(path), version=read.version)
        found = pl.DataFrame(table.get_add_actions(flatten=True))
    except (DeltaError, OSError):
        return []
    return sorted(found.to_dicts(), key=lambda item: str(item["path"]))


@contextmanager
def _told(read: Read, path: Path, span: Span | None) -> Iterator[None]:
    """Say what is wrong with a table."""
    from deltalake.exceptions import DeltaError

    if not is_table(path):
        raise DataError([_no_table(path, span)])
    try:
        yield
    except (DeltaError, OSError, pl.exceptions.PolarsError) as error:
        which = f", version {read.version}" if read.version is not None else ""
        note = Note(text=str(error).strip().split("\n", 1)[0])
        headline = f"the table {path.name}{which} cannot be read"
        raise DataError([Diagnostic(code="source-unreadable", headline=headline, span=span, notes=(note,))]) from error


def _no_table(path: Path, span: Span | None) -> Diagnostic:
    what = "is no Delta table: it has no `_delta_log`" if path.exists() else "does not exist"
    return Diagnostic(
        code="source-missing",
        headline=f"the table {path.name} {what}",
        span=span,
        notes=(Note(text=f"looked for {path}"),),
        help="the path is relative to the folder of the recipe that names it",
    )
