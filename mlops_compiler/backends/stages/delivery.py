"""What a source delivers: rows beyond a watermark, or files whose content was not taken before."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from mlops_compiler.diagnostics import DataError, Diagnostic, Note, listing
from mlops_compiler.tables import delta
from mlops_compiler.tables.accumulate import PART
from mlops_compiler.tables.beyond import rows_beyond
from mlops_compiler.tables.sources import file_digest, load
from mlops_compiler.tables.table import files, rows

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from mlops_compiler.diagnostics import Span
    from mlops_compiler.ir.ops.intake import Read
    from mlops_compiler.recipe.recipe import Recipe
    from mlops_compiler.store.writer import StoreWriter
    from mlops_compiler.tables.beyond import Mark


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """A source that is taken in piece by piece.

    Attributes:
        recipe: What takes it in.
        read: How it is read.
        root: The folder that its path is relative to.
        span: Where the recipe names it.
        place: Where the recipe says how it is taken in.
    """

    recipe: Recipe
    read: Read
    root: Path
    span: Span | None
    place: Span | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivered:
    """What a source delivered.

    Attributes:
        rows: The rows, each with the number of its file in `PART`; of a delivery without rows that column alone.
        files: The files that were not taken before: the hash of each one's content, and its name.
        changed: The names of those that were taken before with other content.
    """

    rows: pl.DataFrame
    files: dict[str, str]
    changed: tuple[str, ...] = ()


def delivered(
    delivery: Delivery, mark: Mark | None, taken: Mapping[str, str], columns: Iterable[str], store: StoreWriter
) -> Delivered:
    """Read what may be new.

    Args:
        delivery: The source.
        mark: The watermark; None where new files are taken in.
        taken: The files that were taken before: hash and name.
        columns: The columns that there must be.
        store: Remembers the hashes of files.

    Raises:
        DataError: The source cannot be read, or a file has other columns.
    """
    if mark is not None:
        found = rows_beyond(delivery.read, delivery.root, mark, delivery.span)
        return Delivered(rows=_one_part(found), files={})
    if delivery.read.kind != "delta":
        return _new_files(delivery, taken, set(columns), store)
    seal = str(delta.digest(delivery.read, delivery.root / delivery.read.path))
    if seal in taken:
        return Delivered(rows=_nothing(), files={})
    table = rows(delivery.read, delivery.root, delivery.span)
    return Delivered(rows=_one_part(table), files={seal: delivery.read.path})


def _new_files(delivery: Delivery, taken: Mapping[str, str], columns: set[str], store: StoreWriter) -> Delivered:
    seen, frames = dict[str, str](), list[pl.DataFrame]()
    for path in files(delivery.read, delivery.root):
        if not path.exists() or (seal := _seal(path, store)) in taken or seal in seen:
            continue
        frame = load(delivery.read, path, delivery.span)
        if file_digest(path) != seal:
            raise DataError([_still_written(path, delivery.span)])
        if set(frame.columns) != columns:
            raise DataError([other_columns(columns, set(frame.columns), delivery.span, path.name)])
        seen[seal] = str(path.relative_to(delivery.root)) if path.is_relative_to(delivery.root) else path.name
        frames.append(frame.with_columns(pl.lit(len(frames)).alias(PART)))
    changed = tuple(sorted(set(seen.values()) & set(taken.values())))
    return Delivered(rows=_together(frames, delivery.span), files=seen, changed=changed)


def _together(frames: list[pl.DataFrame], span: Span | None) -> pl.DataFrame:
    try:
        names = frames[0].columns if frames else []
        return pl.concat([frame.select(names) for frame in frames], how="vertical_relaxed") if frames else _nothing()
    except pl.exceptions.PolarsError as error:
        raise DataError([other_types(error, span)]) from error


def _one_part(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.with_columns(pl.lit(0).alias(PART)) if frame.width else _nothing()


def _nothing() -> pl.DataFrame:
    return pl.DataFrame({PART: []}, schema={PART: pl.Int32})


def _seal(path: Path, store: StoreWriter) -> str:
    """Hash a file, or recall the hash that was taken of it."""
    stat = path.stat()
    known = store.file_digest(str(path.resolve()), stat.st_size, stat.st_mtime_ns)
    if known is None:
        known = file_digest(path)
        store.remember_file(str(path.resolve()), stat.st_size, stat.st_mtime_ns, known)
    return known


def other_columns(before: set[str], now: set[str], span: Span | None, name: str = "the source") -> Diagnostic:
    """A delivery has other columns than those before it."""
    missing, more = before - now, now - before
    notes = [Note(text=f"it lacks {listing(sorted(missing))}")] if missing else []
    notes += [Note(text=f"it has {listing(sorted(more))} besides")] if more else []
    return Diagnostic(
        code="intake-columns",
        headline=f"{name} has other columns than were taken in before",
        span=span,
        notes=tuple(notes),
        help="give it the columns of before, or begin anew: mlops-compile intake --anew",
    )


def other_types(error: Exception, span: Span | None) -> Diagnostic:
    """A delivery has a column of a type that nothing holds together with what was taken before."""
    return Diagnostic(
        code="intake-columns",
        headline="a column has a type that does not go together with what was taken in before",
        span=span,
        notes=(Note(text=str(error).strip().split("\n", 1)[0]),),
        help="mend the source, or begin anew: mlops-compile intake --anew",
    )


def _still_written(path: Path, span: Span | None) -> Diagnostic:
    return Diagnostic(
        code="source-changed",
        headline=f"{path.name} changed while it was read",
        span=span,
        help="take in again when it is whole; who delivers files renames them when they are",
    )
