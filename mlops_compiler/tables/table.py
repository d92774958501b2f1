"""A source as one table, whatever it is made of: files of a kind, a Delta table, or a table of a database."""

from __future__ import annotations

import glob
import hashlib
from typing import TYPE_CHECKING

import polars as pl

from mlops_compiler.diagnostics import DataError, Diagnostic, Note, listing
from mlops_compiler.tables import delta, postgres, remote
from mlops_compiler.tables.sources import describe, file_digest, guess_rows, must_hold_something, open_file
from mlops_compiler.tables.stream import Stream, stacked

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from mlops_compiler.diagnostics import Span
    from mlops_compiler.ir.ops.intake import Read

_GLOB = frozenset("*?[")


def is_pattern(path: str) -> bool:
    """Say whether a path stands for many files."""
    return not _GLOB.isdisjoint(path)


def files(read: Read, root: Path) -> tuple[Path, ...]:
    """Name the files that a source is made of, in order; of a pattern those that there are.

    Objects of a store elsewhere are brought here first. A database server has no files.

    Args:
        read: How the source is read.
        root: The folder that its path is relative to.

    Raises:
        DataError: A store elsewhere does not answer.
    """
    if read.kind == "postgresql":
        return ()
    if read.kind == "delta":
        return delta.files(read, root / read.path)
    if remote.is_remote(read.path):
        return remote.fetch(read)
    if not is_pattern(read.path) or (root / read.path).exists():
        return (root / read.path,)
    found = glob.glob(read.path, root_dir=root, recursive=True)  # noqa: PTH207 - a pattern may be absolute
    return tuple(path for name in sorted(found) if (path := root / name).is_file())


def contents(read: Read, root: Path) -> tuple[Path, ...]:
    """Name all files that decide what a source holds.

    Those it is made of; of a database the log beside it as well, in which SQLite keeps what it has not yet moved into
    the file (https://sqlite.org/wal.html).
    """
    if remote.is_remote(read.path):
        return ()
    found = files(read, root)
    logs = [path.with_name(f"{path.name}-wal") for path in found] if read.kind == "sql" else []
    return (*found, *(log for log in logs if log.exists() and log.stat().st_size > 0))


def is_here(read: Read, root: Path) -> bool:
    """Say whether a source is there to be read."""
    if read.kind == "delta":
        return delta.is_table(root / read.path)
    if read.kind == "postgresql":
        return postgres.is_here(read)
    if remote.is_remote(read.path):
        return remote.is_here(read)
    found = files(read, root)
    return bool(found) and found[0].exists()


def must_be_here(read: Read, root: Path, span: Span | None = None) -> None:
    """Check that a source is made of files that hold something.

    Raises:
        DataError: It is not.
    """
    found = files(read, root)
    if not found:
        raise DataError([_no_files(read, root, span)])
    for path in found:
        must_hold_something(path, span)


def head(read: Read, root: Path, span: Span | None = None, known: Mapping[str, str] | None = None) -> dict[str, str]:
    """Say what columns a source has and of which type, from metadata and first rows; of many files, the first's.

    Raises:
        DataError: It is missing or unreadable, or its files have different columns.
    """
    if read.kind == "delta":
        return _declared(delta.describe(read, root / read.path, span), known)
    if read.kind == "postgresql":
        return _declared(postgres.describe(read, span), known)
    must_be_here(read, root, span)
    first, *others = files(read, root)
    found = describe(read, first, span, known)
    for path in others:
        _same_columns(found, describe(read, path, span, known), first, path, span)
    return found


def _declared(found: Mapping[str, str], known: Mapping[str, str] | None) -> dict[str, str]:
    """Take the types that the recipe declares, of the columns that there are."""
    return {name: (known or {}).get(name, kind) for name, kind in found.items()}


def stream(read: Read, root: Path, span: Span | None = None) -> Stream:
    """Open a source, to read its rows in batches; those without types of their own as texts.

    The rows of PostgreSQL are sorted here, and so held.

    Raises:
        DataError: It is missing or unreadable, or its files have different columns; some of it while it is read.
    """
    if read.kind == "delta":
        return delta.open_table(read, root / read.path, span)
    if read.kind == "postgresql":
        return Stream.of(postgres.load(read, span))
    must_be_here(read, root, span)
    first, *others = files(read, root)
    opened = [open_file(read, first, span)]
    for path in others:
        opened.append(open_file(read, path, span))
        _same_columns(opened[0].schema, opened[-1].schema, first, path, span)
    try:
        return opened[0] if not others else stacked(opened, list(opened[0].schema))
    except pl.exceptions.PolarsError as error:
        raise DataError([_types_differ(read, error, span)]) from error


def rows(read: Read, root: Path, span: Span | None = None) -> pl.DataFrame:
    """Read all rows of a source; those without types of their own as texts.

    Raises:
        DataError: It is missing or unreadable, or its files have different columns.
    """
    return stream(read, root, span).collect()


def digest(read: Read, root: Path, recall: Callable[[Path], str | None]) -> str | None:
    """Hash the content of a source; None where it is not here.

    Args:
        read: How it is read.
        root: The folder that its path is relative to.
        recall: Gives the hash that was taken of a file that has not been touched since; None where there is none.
    """
    if read.kind == "delta":
        return delta.digest(read, root / read.path)
    if read.kind == "postgresql":
        return postgres.digest(read)
    if remote.is_remote(read.path):
        return remote.digest(read)
    found = contents(read, root)
    if not found or not found[0].exists():
        return None
    hashes = [recall(path) or file_digest(path) for path in found]
    if found == (root / read.path,):
        return hashes[0]
    named = "\n".join(f"{_below(path, root)} {value}" for path, value in zip(found, hashes, strict=True))
    return hashlib.sha256(named.encode()).hexdigest()


def _below(path: Path, root: Path) -> Path:
    return path.relative_to(root) if path.is_relative_to(root) else path


def about_rows(read: Read, root: Path) -> int | None:
    """Say about how many rows a source has without reading them; None where that cannot be told."""
    if read.kind == "delta":
        return delta.about_rows(read, root / read.path)
    if read.kind == "postgresql":
        return postgres.about_rows(read)
    counts = [guess_rows(read, path) for path in files(read, root)]
    return sum(count for count in counts if count is not None) if counts and None not in counts else None


def _same_columns(
    wanted: Mapping[str, object], found: Mapping[str, object], first: Path, path: Path, span: Span | None
) -> None:
    missing, more = set(wanted) - set(found), set(found) - set(wanted)
    if not missing and not more:
        return
    notes = [Note(text=f"it lacks {listing(sorted(missing))}")] if missing else []
    notes += [Note(text=f"it has {listing(sorted(more))} besides")] if more else []
    raise DataError(
        [
            Diagnostic(
                code="files-differ",
                headline=f"{path.name} has other columns than {first.name}, and both are one source",
                span=span,
                notes=tuple(notes),
                help="read files of the same columns as one source, and join the others",
            )
        ]
    )


def _types_differ(read: Read, error: Exception, span: Span | None) -> Diagnostic:
    text = str(error).strip().split("\n", 1)[0]
    return Diagnostic(
        code="files-differ",
        headline=f"the files of {read.path} hold columns of types that do not go together",
        span=span,
        notes=(Note(text=text),),
    )


def _no_files(read: Read, root: Path, span: Span | None) -> Diagnostic:
    return Diagnostic(
        code="source-missing",
        headline=f"no file matches {read.path}",
        span=span,
        notes=(Note(text=f"looked in {root}"),),
        help="the pattern is relative to the folder of the recipe that names it",
    )
