"""Tables and queries of SQLite, read through a columnar driver (ADBC, https://arrow.apache.org/adbc).

SQLite has types of values, not of columns. So every value is read as a text, real numbers with all their digits, and
cast like those of a CSV file: a value that is not of its column's type is counted, and told.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

import polars as pl

from mlops_compiler.tables.stream import rows_at_once

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from mlops_compiler.ir.ops.intake import Read

_BATCH = "adbc.sqlite.query.batch_rows"
_TYPES = {
    "INT": "int",
    "REAL": "float",
    "FLOA": "float",
    "DOUB": "float",
    "NUMERIC": "float",
    "DECIMAL": "float",
    "BOOL": "bool",
    "DATETIME": "datetime",
    "TIMESTAMP": "datetime",
    "DATE": "date",
}
"""What a declared type means that begins so; https://sqlite.org/datatype3.html. Every other is text, or not known."""


_NUMBERS = ("int", "float")


def declared(read: Read, path: Path) -> dict[str, str | None]:
    """Say what columns a table or query has, with the types that the catalogue declares.

    Args:
        read: Names the table, or has the query.
        path: The database.

    Returns:
        Column to type of the recipe language; None where the catalogue does not say it.

    Raises:
        sqlite3.Error: There is no such table, or the query is wrong.
    """
    with closing(_connect(path)) as connection:
        columns = [item[0] for item in connection.execute(f"SELECT * FROM ({_select(read)}) LIMIT 0").description]
        if read.table is None:
            return dict.fromkeys(columns)
        catalogue = {row[1]: row[2] for row in connection.execute(f"PRAGMA table_info({_quoted(read.table)})")}
    return {name: _type(catalogue.get(name, "")) for name in columns}


def read_texts(read: Read, path: Path, rows: int) -> pl.DataFrame:
    """Read the first rows of a table or query, every value as a text; bytes as hexadecimal digits.

    Raises:
        sqlite3.Error: There is no such table, the query is wrong, or the driver failed.
    """
    columns = list(declared(read, path))
    empty = pl.DataFrame(schema=dict.fromkeys(columns, pl.String()))
    return pl.concat([empty, *text_batches(read, path, columns, rows)])


def text_batches(read: Read, path: Path, columns: Sequence[str], rows: int | None = None) -> Iterator[pl.DataFrame]:
    """Read rows some at a time, every value as a text; bytes as hexadecimal digits.

    The driver takes the type of a column from its first values. So a row of texts goes before all others, and is left
    out again.

    Raises:
        sqlite3.Error: There is no such table, the query is wrong, or the driver failed.
    """
    import adbc_driver_sqlite.dbapi

    texts = ", ".join(f"{_text(name)} AS {_quoted(name)}" for name in columns)
    limit = "" if rows is None else f" LIMIT {rows}"
    first = ", ".join(f"'' AS {_quoted(name)}" for name in columns)
    statement = f"SELECT {first} UNION ALL SELECT * FROM (SELECT {texts} FROM ({_select(read)}){limit})"
    with closing(adbc_driver_sqlite.dbapi.connect(_uri(path))) as connection, closing(connection.cursor()) as cursor:
        try:
            cursor.adbc_statement.set_options(**{_BATCH: rows_at_once(len(columns))})
            cursor.execute(statement)
            for number, batch in enumerate(cursor.fetch_record_batch()):
                part = pl.DataFrame(batch).cast(dict.fromkeys(columns, pl.String()))
                yield part.slice(1) if number == 0 else part
        except adbc_driver_sqlite.dbapi.Error as error:
            raise sqlite3.OperationalError(str(error)) from error


def beyond(read: Read, path: Path, column: str, kind: str, bound: float | date) -> Read:
    """Ask for no rows whose watermark lies below a bound, where that can be told by an index and loses none.

    A bound of time is taken by the day, as every way of writing a time has it in front. What is no such text (a number,
    one that begins with a space) lies below ``'!'``, and is asked for: whoever reads it says what is wrong with it.

    Args:
        read: Names the table, or has the query.
        path: The database.
        column: The column of the watermark.
        kind: Its type in the recipe.
        bound: The bound, of that type.

    Raises:
        sqlite3.Error: There is no such table, or the query is wrong.
    """
    found, name = declared(read, path)[column], _quoted(column)
    if kind in _NUMBERS and found in _NUMBERS:
        wanted = f"{name} >= {bound!r} OR {name} IS NULL"
    elif isinstance(bound, date) and found in (None, "text", "date", "datetime"):
        wanted = f"{name} >= '{bound:%Y-%m-%d}' OR {name} < '!' OR {name} IS NULL"
    else:
        return read
    return replace(read, table=None, query=f"SELECT * FROM ({_select(read)}) WHERE {wanted}")


def count_rows(read: Read, path: Path) -> int:
    """Count the rows of a table or query.

    Raises:
        sqlite3.Error: There is no such table, or the query is wrong.
    """
    with closing(_connect(path)) as connection:
        return int(connection.execute(f"SELECT count(*) FROM ({_select(read)})").fetchone()[0])


def _connect(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(_uri(path), uri=True)


def _uri(path: Path) -> str:
    """Open for reading only: nothing that a recipe says may change a database."""
    return f"{path.absolute().as_uri()}?mode=ro"


def _select(read: Read) -> str:
    if read.table is not None:
        return f"SELECT * FROM {_quoted(read.table)}"
    return str(read.query).strip().rstrip(";")


def _text(column: str) -> str:
    name = _quoted(column)
    return (
        f"CASE typeof({name}) WHEN 'real' THEN printf('%!.17g', {name}) WHEN 'blob' THEN hex({name}) "
        f"ELSE CAST({name} AS TEXT) END"
    )


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _type(declaration: str) -> str | None:
    word = declaration.upper()
    if any(part in word for part in ("CHAR", "CLOB", "TEXT")):
        return "text"
    return next((kind for start, kind in _TYPES.items() if word.startswith(start)), "int" if "INT" in word else None)
