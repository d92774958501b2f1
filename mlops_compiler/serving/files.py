"""The files that are scored and written: formats go by suffix, and a file appears whole or not at all."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import polars as pl

from mlops_compiler.diagnostics import Diagnostic, Note, UsageError, listing
from mlops_compiler.ir.ops.intake import Read
from mlops_compiler.tables.sources import load

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

Format: TypeAlias = Literal["csv", "parquet", "ndjson"]
_FORMATS: dict[str, Format] = {".csv": "csv", ".parquet": "parquet", ".ndjson": "ndjson", ".jsonl": "ndjson"}


def input_format(path: Path) -> Format:
    """Name the format of a file to read.

    Raises:
        UsageError: Its suffix is of no format known here.
    """
    return _format(path, "input")


def output_format(path: Path, source: Path) -> Format:
    """Name the format of a file to write, and make sure that it can be written.

    Raises:
        UsageError: Its suffix is of no format known here, its folder does not exist, or it is the input.
    """
    if not path.parent.is_dir():
        raise UsageError([_unwritable(path, f"the folder {path.parent} does not exist")])
    if path.is_dir():
        raise UsageError([_unwritable(path, "it is a folder")])
    if path.exists() and source.exists() and path.samefile(source):
        raise UsageError([_unwritable(path, "it is the input")])
    return _format(path, "output")


def read_rows(path: Path, form: Format, source: Mapping[str, Any]) -> pl.DataFrame:
    """Read all rows; those of a CSV file as texts.

    Args:
        path: The file.
        form: Its format.
        source: How the source that the release was trained on writes CSV: ``separator``, ``null_values``.

    Raises:
        DataError: The file is missing, empty or unreadable, or has rows of unequal length.
    """
    separator, nulls = source.get("separator", ","), tuple(source.get("null_values", ()))
    return load(Read(kind=form, path=str(path), separator=separator, null_values=nulls), path)


def write_rows(rows: pl.DataFrame, path: Path, form: Format) -> None:
    """Write a file, whole or not at all.

    Raises:
        UsageError: It cannot be written there.
    """
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        _WRITERS[form](rows, unfinished)
        unfinished.replace(path)
    except OSError as error:
        raise UsageError([_unwritable(path, error.strerror or str(error))]) from error
    finally:
        with suppress(OSError):
            unfinished.unlink()


_WRITERS: dict[Format, Callable[[pl.DataFrame, Path], None]] = {
    "csv": pl.DataFrame.write_csv,
    "parquet": pl.DataFrame.write_parquet,
    "ndjson": pl.DataFrame.write_ndjson,
}


def _format(path: Path, what: str) -> Format:
    if (form := _FORMATS.get(path.suffix.lower())) is None:
        raise UsageError(
            [
                Diagnostic(
                    code="unknown-format",
                    headline=f"the {what} {path.name} is of no format known here",
                    help=f"formats are named by suffix: {listing(_FORMATS)}",
                )
            ]
        )
    return form


def _unwritable(path: Path, why: str) -> Diagnostic:
    return Diagnostic(code="output-unwritable", headline=f"cannot write {path.name}: {why}")


def _unreadable(path: Path, what: str, note: str | None = None) -> Diagnostic:
    return Diagnostic(
        code="source-unreadable",
        headline=f"the input {path.name} {what}",
        notes=(Note(text=note),) if note else (),
    )
