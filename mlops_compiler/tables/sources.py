"""Sources: what a file says of itself before it is read, and its rows as texts or as its own types.

A CSV file has no types. It is read as text and cast column by column, so that each value that does not
survive is known; its types, where the contract gives none, are inferred from its first rows.
"""

from __future__ import annotations

import csv
import hashlib
import re
import sqlite3
from typing import TYPE_CHECKING

import polars as pl

from mlops_compiler.diagnostics import DataError, Diagnostic, Note
from mlops_compiler.ir.schema import dtype_name
from mlops_compiler.tables.ragged import MOST, ragged_rows
from mlops_compiler.tables.sqlite import count_rows, declared, read_texts, text_batches
from mlops_compiler.tables.stream import Stream, rows_at_once

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from mlops_compiler.diagnostics import Span
    from mlops_compiler.ir.ops.intake import Read

SAMPLE_ROWS = 1000
_FORMATS = {"csv": "CSV", "parquet": "PARQUET", "ndjson": "newline-delimited JSON", "sql": "a database of SQLite"}
_ERRORS = (pl.exceptions.PolarsError, OSError, sqlite3.Error)
_HEAD = 65_536
"""Bytes from whose lines the number of all lines is guessed."""
_PADDED_NUMBER = re.compile(r"^[+-]?0\d")


def describe(
    read: Read, path: Path, span: Span | None = None, known: Mapping[str, str] | None = None
) -> dict[str, str]:
    """Say what columns a file has and of which type of the recipe language, from its metadata.

    A Parquet file says it in its footer. For a CSV file the types are inferred from its first
    `SAMPLE_ROWS` rows; numbers padded with zeros (``00501``) are texts, since a number would lose them.

    Args:
        read: How the file is read.
        path: Where it is.
        span: Where the recipe names it.
        known: Types that the recipe declares: they are taken as they are. Where they are all, only the header is read.

    Raises:
        DataError: The file is missing, empty, unreadable, or has a column twice.
    """
    must_hold_something(path, span)
    known = known or {}
    try:
        if read.kind in ("parquet", "ndjson"):
            schema = pl.read_parquet_schema(path) if read.kind == "parquet" else _ndjson(path).collect_schema()
            return {name: known.get(name, dtype_name(dtype)) for name, dtype in schema.items()}
        if read.kind == "sql":
            return _describe_sql(read, path, known)
        header = _header(path, read.separator, span)
        if known.keys() >= set(header):
            return {name: known[name] for name in header}
        sample = _read_csv(read, path, rows=SAMPLE_ROWS)
    except (pl.exceptions.PolarsError, OSError, UnicodeDecodeError, sqlite3.Error) as error:
        raise _unreadable(path, read, error, span) from error
    return {name: known.get(name) or _infer_text(sample[name]) for name in sample.columns}


def _describe_sql(read: Read, path: Path, known: Mapping[str, str]) -> dict[str, str]:
    """Take the catalogue's types; those that it does not know are inferred from the first rows."""
    types = {name: known.get(name) or kind for name, kind in declared(read, path).items()}
    if None in types.values():
        sample = read_texts(read, path, rows=SAMPLE_ROWS)
        return {name: kind or _infer_text(sample[name]) for name, kind in types.items()}
    return {name: kind for name, kind in types.items() if kind is not None}


def _ndjson(path: Path) -> pl.LazyFrame:
    return pl.scan_ndjson(path, infer_schema_length=SAMPLE_ROWS)


def open_file(read: Read, path: Path, span: Span | None = None) -> Stream:
    """Open a file, to read its rows in batches; those of a CSV file or a database as texts.

    Raises:
        DataError: The file is missing, empty or unreadable; while it is read also that it has no rows, or rows of
            unequal length.
    """
    must_hold_something(path, span)
    try:
        if read.kind == "sql":
            schema: Mapping[str, pl.DataType] = dict.fromkeys(declared(read, path), pl.String())
        else:
            schema = _scan(read, path).collect_schema()
    except _ERRORS as error:
        raise _unreadable(path, read, error, span) from error
    last = list(schema)[-1:] if read.kind == "csv" else []
    return Stream(schema=schema, read=lambda names: _read(read, path, span, names, last))


def load(read: Read, path: Path, span: Span | None = None) -> pl.DataFrame:
    """Read all rows; those of a CSV file or a database as texts.

    Raises:
        DataError: The file is missing, empty or unreadable, has no rows, or rows of unequal length.
    """
    return open_file(read, path, span).collect()


def _read(read: Read, path: Path, span: Span | None, names: list[str], last: list[str]) -> Iterator[pl.DataFrame]:
    """Read some columns, and `last` of a CSV file: Polars leaves it empty in rows that are too short."""
    rows, looked = 0, False
    try:
        for part in _batches(read, path, list(dict.fromkeys((*names, *last)))):
            rows += part.height
            if last and not looked and part[last[0]].null_count():
                looked = True
                if ragged := ragged_rows(path, read.separator):
                    raise DataError([_ragged(path, ragged, span)])
            yield part
    except _ERRORS as error:
        raise _unreadable(path, read, error, span) from error
    if rows == 0:
        raise DataError([_empty(path, "has a header and no rows" if read.kind == "csv" else "holds no rows", span)])


def _batches(read: Read, path: Path, names: list[str]) -> Iterator[pl.DataFrame]:
    if read.kind == "sql":
        return text_batches(read, path, names)
    return _scan(read, path).select(names).collect_batches(chunk_size=rows_at_once(len(names)))


def _scan(read: Read, path: Path) -> pl.LazyFrame:
    if read.kind == "csv":
        nulls = list(read.null_values)
        return pl.scan_csv(path, separator=read.separator, null_values=nulls, infer_schema=False, glob=False)
    if read.kind == "ndjson":
        return pl.scan_ndjson(path, infer_schema_length=None)
    return pl.scan_parquet(path, glob=False)


def guess_rows(read: Read, path: Path) -> int | None:
    """Say about how many rows a file has without reading them; None where it is not here.

    A Parquet footer and a table know; a file of lines is as many times its first ones as it is larger than they are.
    """
    try:
        if read.kind == "parquet":
            return int(pl.scan_parquet(path).select(pl.len()).collect().item())
        if read.kind == "sql":  # what a query gives is known once it ran, and nobody waits for that to see a plan
            return count_rows(read, path) if read.table is not None else None
        with path.open("rb") as file:
            head = file.read(_HEAD)
            lines = max(1, head.count(b"\n"))
            return max(0, round(path.stat().st_size * lines / max(1, len(head))) - (read.kind == "csv"))
    except (OSError, pl.exceptions.PolarsError, sqlite3.Error):
        return None


def file_digest(path: Path) -> str:
    """Hash a file's content with SHA-256, block by block."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _read_csv(read: Read, path: Path, rows: int | None = None) -> pl.DataFrame:
    return pl.read_csv(
        path, separator=read.separator, null_values=list(read.null_values), infer_schema=False, n_rows=rows, glob=False
    )


def _infer_text(values: pl.Series) -> str:
    present = values.drop_nulls()
    if present.is_empty() or any(_PADDED_NUMBER.match(text) and "." not in text for text in present):
        return "text"
    for name, dtype in (("int", pl.Int64), ("float", pl.Float64)):
        if not present.cast(dtype, strict=False).has_nulls():
            return name
    if set(present.str.to_lowercase()) <= {"true", "false"}:
        return "bool"
    if not present.str.to_date("%Y-%m-%d", strict=False).has_nulls():
        return "date"
    return "datetime" if _all_datetimes(present) else "text"


def _all_datetimes(values: pl.Series) -> bool:
    if not values.str.contains(r"^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}").all():
        return False
    return not values.str.to_datetime(strict=False).has_nulls()


def must_hold_something(path: Path, span: Span | None) -> None:
    """Check that a source is a file that is not empty.

    Raises:
        DataError: It is not.
    """
    if path.is_dir():
        raise DataError([_missing(path, span, "is a folder")])
    if not path.exists():
        raise DataError([_missing(path, span, "does not exist")])
    if path.stat().st_size == 0:
        raise DataError([_empty(path, "is empty", span)])


def _header(path: Path, separator: str, span: Span | None) -> list[str]:
    """Read the names of the columns.

    Raises:
        DataError: A name is there twice: Polars would rename one, and a recipe would not know which it gets.
    """
    with path.open(encoding="utf-8-sig", newline="") as file:
        names = next(csv.reader(file, delimiter=separator), [])
    if repeated := sorted({name for name in names if names.count(name) > 1}):
        raise DataError(
            [
                Diagnostic(
                    code="repeated-column",
                    headline=f"the header of {path.name} names the column `{repeated[0]}` more than once",
                    span=span,
                )
            ]
        )
    return names


def _missing(path: Path, span: Span | None, what: str) -> Diagnostic:
    return Diagnostic(
        code="source-missing",
        headline=f"the source {path.name} {what}",
        span=span,
        notes=(Note(text=f"looked for {path}"),),
        help="the path is relative to the folder of the recipe that names it",
    )


def _empty(path: Path, what: str, span: Span | None) -> Diagnostic:
    return Diagnostic(code="source-empty", headline=f"the source {path.name} {what}", span=span)


def _unreadable(path: Path, read: Read, error: Exception, span: Span | None) -> DataError:
    if read.kind == "csv" and isinstance(error, pl.exceptions.PolarsError):
        try:
            ragged = ragged_rows(path, read.separator)
        except UnicodeDecodeError as decode_error:
            ragged, error = [], decode_error
        if ragged:
            return DataError([_ragged(path, ragged, span)])
    text = str(error).strip().split("\n", 1)[0]
    return DataError(
        [
            Diagnostic(
                code="source-unreadable",
                headline=f"the source {path.name} cannot be read as {_FORMATS[read.kind]}",
                span=span,
                notes=(Note(text=text),),
            )
        ]
    )


def _ragged(path: Path, rows: list[tuple[int, int, int]], span: Span | None) -> Diagnostic:
    count = f"at least {MOST}" if len(rows) == MOST else str(len(rows))
    return Diagnostic(
        code="ragged-rows",
        headline=f"{count} row{'s' if len(rows) > 1 else ''} of {path.name} with more or fewer fields than its header",
        span=span,
        notes=tuple(
            Note(text=f"line {line} has {found} fields; the header has {wanted}") for line, found, wanted in rows[:5]
        ),
        help="quote fields that hold the separator, or mend the rows",
    )
