"""Tables and queries of PostgreSQL, read through a columnar driver (ADBC, https://arrow.apache.org/adbc).

The server has no order of rows, and a split must find the same rows at the same places each time: so they are sorted.
What a table holds is told by a hash that the server takes; only what it gives is ever sent.
"""

from __future__ import annotations

import hashlib
import os
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import polars as pl

from mlops_compiler.diagnostics import DataError, Diagnostic, Note

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from mlops_compiler.diagnostics import Span
    from mlops_compiler.ir.ops.intake import Read

NAMED = "secret:"
"""Before the name of the environment variable that holds the address."""
_SECONDS = 10
_KINDS: dict[str, tuple[str, str]] = {
    "int2": ("int", "int8"),
    "int4": ("int", "int8"),
    "int8": ("int", "int8"),
    "float4": ("float", "float8"),
    "float8": ("float", "float8"),
    "numeric": ("float", "float8"),
    "bool": ("bool", "bool"),
    "date": ("date", "date"),
    "timestamp": ("datetime", "timestamp"),
    "timestamptz": ("datetime", "timestamp"),
}
"""What a type of PostgreSQL is in the recipe language, and what it is read as; every other is a text."""
_TIMES = ("date", "timestamp", "timestamptz")
_WHOLE = 18
"""Digits of a ``numeric`` without fraction that a whole number of 64 bits holds."""


def describe(read: Read, span: Span | None) -> dict[str, str]:
    """Say what columns a table or query has and of which type of the recipe language; reads no row.

    Raises:
        DataError: The server cannot be reached, or there is no such table, or the query is wrong.
    """
    with _cursor(read, span) as cursor:
        return {name: kind for name, (kind, _) in _columns(cursor, read).items()}


def load(read: Read, span: Span | None) -> pl.DataFrame:
    """Read all rows, sorted by all columns.

    Raises:
        DataError: As `describe`; or there are no rows, or a time is infinite.
    """
    with _cursor(read, span) as cursor:
        columns = _columns(cursor, read)
        _refuse_infinite(cursor, read, span)
        texts = ", ".join(f"{text} AS {_quoted(name)}" for name, (_, text) in columns.items())
        cursor.execute(f"SELECT {texts} FROM ({_select(read)}) AS q")
        frame = pl.DataFrame(cursor.fetch_arrow_table())
    if frame.is_empty():
        raise DataError([Diagnostic(code="source-empty", headline=f"{_named(read)} holds no rows", span=span)])
    return frame.sort(frame.columns)


def digest(read: Read) -> str | None:
    """Hash the content, whatever the order of its rows; None where the server cannot tell.

    The server adds up 64 bits of each row's text (``hashtextextended``), and gives the number of rows beside them.
    """
    try:
        with _cursor(read, None) as cursor:
            columns = {name: kind for name, (kind, _) in _columns(cursor, read).items()}
            cursor.execute(
                "SELECT count(*)::text AS rows, coalesce(sum(hashtextextended(q::text, 0)::numeric), 0)::text AS hash "
                f"FROM ({_select(read)}) AS q"
            )
            (row,) = cursor.fetch_arrow_table().to_pylist()
    except DataError:
        return None
    return hashlib.sha256(f"{sorted(columns.items())} {row['rows']} {row['hash']}".encode()).hexdigest()


def beyond(read: Read, column: str, kind: str, bound: float | date, span: Span | None) -> Read:
    """Ask for no rows whose watermark lies below a bound; for all, where the server has it as another type.

    Args:
        read: Names the table, or has the query.
        column: The column of the watermark.
        kind: Its type in the recipe.
        bound: The bound, of that type; a time in UTC.
        span: Where the recipe names the source.

    Raises:
        DataError: As `describe`.
    """
    if describe(read, span)[column] != kind:
        return read
    literal = f"'{bound.isoformat()}'" if isinstance(bound, date) else repr(bound)
    literal = literal if not isinstance(bound, datetime) else f"'{bound.isoformat()}+00'"
    wanted = f"q.{_quoted(column)} >= {literal} OR q.{_quoted(column)} IS NULL"
    return replace(read, table=None, query=f"SELECT * FROM ({_select(read)}) AS q WHERE {wanted}")


def is_here(read: Read) -> bool:
    """Say whether the server answers."""
    try:
        with _cursor(read, None):
            return True
    except DataError:
        return False


def about_rows(read: Read) -> int | None:
    """Say about how many rows a table has, by the server's statistics; None where it keeps none."""
    if read.table is None:
        return None
    try:
        with _cursor(read, None) as cursor:
            cursor.execute("SELECT reltuples::int8 AS rows FROM pg_class WHERE oid = to_regclass($1)", [_table(read)])
            found = cursor.fetch_arrow_table().to_pylist()
    except DataError:
        return None
    return int(found[0]["rows"]) if found and found[0]["rows"] >= 0 else None


@contextmanager
def _cursor(read: Read, span: Span | None) -> Iterator[Any]:
    """Open a transaction that can only read, and tell what goes wrong in it."""
    import adbc_driver_postgresql.dbapi as driver

    address = _address(read, span)
    known = [] if "connect_timeout=" in address else [f"connect_timeout={_SECONDS}"]
    try:
        connection = driver.connect("&".join([address, *known]) if "?" in address else "?".join([address, *known]))
    except driver.Error as error:
        raise DataError([_unreachable(read, error, span)]) from error
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION READ ONLY")
            yield cursor
    except driver.Error as error:
        raise DataError([_refused(read, error, span)]) from error


def _address(read: Read, span: Span | None) -> str:
    if not read.path.startswith(NAMED):
        return read.path
    name = read.path.removeprefix(NAMED)
    if found := os.environ.get(name):
        return found
    headline = f"the environment has no variable `{name}`, which holds the address of the database"
    raise DataError([Diagnostic(code="missing-secret", headline=headline, span=span)])


def _columns(cursor: Any, read: Read) -> dict[str, tuple[str, str]]:
    """Say of each column its type of the recipe language, and the expression that it is read by."""
    cursor.execute(f"SELECT * FROM ({_select(read)}) AS q LIMIT 0")
    return {field.name: _column(field.name, field.metadata or {}) for field in cursor.fetch_arrow_table().schema}


def _column(name: str, about: Mapping[bytes, bytes]) -> tuple[str, str]:
    kind, type_ = about.get(b"POSTGRESQL:type", b"").decode(), _quoted(name)
    if kind == "timestamptz":
        return "datetime", f"({type_} AT TIME ZONE 'UTC')"
    if kind == "numeric" and _is_whole(int(about.get(b"POSTGRESQL:typmod", b"-1"))):
        return "int", f"{type_}::int8"
    known, read_as = _KINDS.get(kind, ("text", "text"))
    return known, f"{type_}::{read_as}"


def _is_whole(modifier: int) -> bool:
    """Say whether a ``numeric`` is declared without a fraction: its modifier holds precision and scale."""
    precision, scale = (modifier - 4) >> 16, (modifier - 4) & 0x7FF
    return modifier >= 4 and scale == 0 and precision <= _WHOLE  # noqa: PLR2004 - the header of the modifier


def _refuse_infinite(cursor: Any, read: Read, span: Span | None) -> None:
    """Refuse times without end, which no column of times can hold."""
    cursor.execute(f"SELECT * FROM ({_select(read)}) AS q LIMIT 0")
    fields = cursor.fetch_arrow_table().schema
    names = [item.name for item in fields if (item.metadata or {}).get(b"POSTGRESQL:type", b"").decode() in _TIMES]
    if not names:
        return
    counted = ", ".join(f"count(*) FILTER (WHERE NOT isfinite({_quoted(name)})) AS {_quoted(name)}" for name in names)
    cursor.execute(f"SELECT {counted} FROM ({_select(read)}) AS q")
    (found,) = cursor.fetch_arrow_table().to_pylist()
    wrong = {name: rows for name, rows in found.items() if rows}
    if wrong:
        raise DataError(
            Diagnostic(
                code="source-unreadable",
                headline=f"column `{name}` of {_named(read)} is infinite in {rows} rows, which no time of a table is",
                span=span,
                help=f"leave them out by a query: SELECT * FROM ... WHERE isfinite({_quoted(name)})",
            )
            for name, rows in wrong.items()
        )


def _select(read: Read) -> str:
    return str(read.query).strip().rstrip(";") if read.query is not None else f"SELECT * FROM {_table(read)}"


def _table(read: Read) -> str:
    """Quote a table; a point parts its schema from its name."""
    return ".".join(_quoted(part) for part in str(read.table).split("."))


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _named(read: Read) -> str:
    return f"the table {read.table}" if read.table is not None else "the query"


def _unreachable(read: Read, error: Exception, span: Span | None) -> Diagnostic:
    return Diagnostic(
        code="source-missing",
        headline=f"the database of {_named(read)} cannot be reached",
        span=span,
        notes=(Note(text=_first_line(error)),),
        help="user and password may stand in PGUSER and PGPASSWORD, or the whole address in a secret",
    )


def _refused(read: Read, error: Exception, span: Span | None) -> Diagnostic:
    headline = f"PostgreSQL does not give {_named(read)}"
    return Diagnostic(code="source-unreadable", headline=headline, span=span, notes=(Note(text=_first_line(error)),))


def _first_line(error: Exception) -> str:
    """Give the server's own sentence."""
    text = str(error)
    return (text.partition("ERROR:")[2] or text.partition("failed:")[2] or text).strip().split("\n", 1)[0]
