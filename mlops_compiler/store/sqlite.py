"""SQLite that several processes write: a write-ahead log, and transactions that say at their begin that they write."""

from __future__ import annotations

import sqlite3
import threading
import weakref
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mlops_compiler.store.database import SQLITE, Database, DriverError
from mlops_compiler.undo import on_failure

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from mlops_compiler.store.database import Transaction

_BUSY_SECONDS = 30


@dataclass(frozen=True, slots=True)
class _Statements:
    connection: sqlite3.Connection

    def rows(self, statement: str, values: Mapping[str, Any]) -> list[dict[str, Any]]:
        cursor = self.connection.execute(statement, dict(values))
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor]

    def run(self, statement: str, values: Mapping[str, Any]) -> None:
        self.connection.execute(statement, dict(values))


class SqliteDatabase(Database):
    """A file; each thread has a connection of its own, which lives as long as the database."""

    dialect = SQLITE

    def __init__(self, path: Path, *, read_only: bool = False) -> None:
        self.shown = f"sqlite:///{path}"
        self._path = path
        self._read_only = read_only
        self._own = threading.local()
        self._open: list[sqlite3.Connection] = []
        weakref.finalize(self, _close_all, self._open)

    @contextmanager
    def begin(self) -> Iterator[Transaction]:
        """Open a transaction."""
        try:
            connection = self._connection()
            connection.execute("BEGIN" if self._read_only else "BEGIN IMMEDIATE")
            with on_failure(connection.execute, "ROLLBACK"):
                yield _Statements(connection)
            connection.execute("COMMIT")
        except sqlite3.Error as error:
            raise DriverError(str(error)) from error

    def _connection(self) -> sqlite3.Connection:
        if (found := getattr(self._own, "connection", None)) is not None:
            connection: sqlite3.Connection = found
            return connection
        connection = sqlite3.connect(self._path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False)
        self._open.append(connection)
        if self._read_only:
            connection.execute("PRAGMA query_only = ON")
        else:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = NORMAL")
        self._own.connection = connection
        return connection


def _close_all(connections: list[sqlite3.Connection]) -> None:
    for connection in connections:
        with suppress(sqlite3.Error):
            connection.close()
