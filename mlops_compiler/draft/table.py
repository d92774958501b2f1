"""A table that no recipe describes yet: read, and typed by what every one of its values allows."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import polars as pl

from mlops_compiler.diagnostics import DataError, Diagnostic, Span
from mlops_compiler.ir.ops.intake import Read
from mlops_compiler.tables.casts import cast_expression, cast_frame, lost_in
from mlops_compiler.tables.table import rows

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Literal

_KINDS: dict[str, Literal["csv", "parquet", "ndjson"]] = {
    ".csv": "csv",
    ".tsv": "csv",
    ".txt": "csv",
    ".parquet": "parquet",
    ".pq": "parquet",
    ".ndjson": "ndjson",
    ".jsonl": "ndjson",
}
_SEPARATORS = (",", ";", "\t", "|")
_USUAL = ("", "NA")
_MARKERS = ("N/A", "n/a", "NaN", "nan", "null", "NULL", "None", "none", "?", "-", ".", " ", "missing", "unknown")
"""Texts that people write for what is missing; taken as such where the rest of the column are numbers or dates."""
_GUESSES = ("int", "float", "date", "datetime")


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table, read.

    Attributes:
        read: How a recipe reads it; its path is the file's own.
        types: The type of each column, as recipes call it.
        rows: All rows, typed.
        bytes: The size of the file.
    """

    read: Read
    types: dict[str, str]
    rows: pl.DataFrame
    bytes: int


def read_table(path: Path) -> Table:
    """Read a file and give each column the narrowest type that all of its values fit.

    Raises:
        DataError: It cannot be read, is of no kind that is known, or holds no row.
    """
    kind = _KINDS.get(path.suffix.lower())
    if kind is None:
        raise DataError([_no_kind(path)])
    if not path.is_file():
        headline = f"there is no file {path}"
        raise DataError([Diagnostic(code="source-missing", headline=headline, span=Span.of_token(f"from={path}"))])
    read = Read(kind=kind, path=path.name)
    if kind == "csv":
        read = replace(read, separator=_separator(path), null_values=_USUAL)
    found = rows(read, path.parent)
    types, markers = _types(found)
    if markers:
        read = replace(read, null_values=(*_USUAL, *markers))
        found = rows(read, path.parent)
    if found.is_empty():
        raise DataError([Diagnostic(code="source-empty", headline=f"{path.name} holds no row")])
    return Table(read=read, types=types, rows=cast_frame(found, types)[0], bytes=path.stat().st_size)


def _separator(path: Path) -> str:
    """Take the separator that cuts the header into most columns."""
    with path.open(encoding="utf-8", errors="replace") as file:
        header = file.readline()
    return max(_SEPARATORS, key=header.count)


def _types(found: pl.DataFrame) -> tuple[dict[str, str], tuple[str, ...]]:
    """Guess the type of each column, and list the texts that stand for what is missing."""
    types, markers = dict[str, str](), set[str]()
    for values in found.iter_columns():
        types[values.name] = _given(values.dtype)
        if values.dtype == pl.String:
            types[values.name], meant = _of_texts(values)
            markers |= meant
    return types, tuple(marker for marker in _MARKERS if marker in markers)


def _given(dtype: pl.DataType) -> str:
    if dtype == pl.Boolean:
        return "bool"
    if dtype.is_integer():
        return "int"
    if dtype.is_numeric():
        return "float"
    if dtype == pl.Date:
        return "date"
    return "datetime" if dtype.is_temporal() else "text"


def _of_texts(values: pl.Series) -> tuple[str, set[str]]:
    known = values.drop_nulls()
    meant = known.filter(known.is_in(_MARKERS))
    rest = known.filter(~known.is_in(_MARKERS))
    if rest.is_empty():
        return "text", set()
    for guess in _GUESSES:
        cast = rest.to_frame().select(cast_expression(pl.col(rest.name), guess, strict=False, given=pl.String()))
        if not lost_in(rest, cast.to_series()).any() and not _is_code(rest, guess):
            return guess, set(meant.unique())
    return ("category" if known.n_unique() <= max(20, known.len() // 1000) else "text"), set()


def _is_code(values: pl.Series, guess: str) -> bool:
    """Digits that begin with a zero are no number: postal codes and article numbers are written so."""
    return guess in ("int", "float") and bool(values.str.contains(r"^0\d").any())


def _no_kind(path: Path) -> Diagnostic:
    return Diagnostic(
        code="bad-argument",
        headline=f"`{path.name}` does not say what kind of file it is",
        span=Span.of_token(f"from={path}"),
        help=f"name a file that ends in one of {', '.join(_KINDS)}",
    )
