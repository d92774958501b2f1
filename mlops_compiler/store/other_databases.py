"""Any database but the store's own SQLite file, through SQLAlchemy; tried are PostgreSQL and SQLite elsewhere."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import create_engine, event, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DatabaseError

from mlops_compiler.store.database import POSTGRESQL, SQLITE, Database, DriverError
from mlops_compiler.store.failures import failure

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sqlalchemy.engine import URL, Connection, Engine

    from mlops_compiler.store.database import Transaction
    from mlops_compiler.store.location import StoreLocation

_DIALECTS = {"postgresql": POSTGRESQL, "sqlite": SQLITE}


@dataclass(frozen=True, slots=True)
class _Statements:
    connection: Connection

    def rows(self, statement: str, values: Mapping[str, Any]) -> list[dict[str, Any]]:
        return [dict(row) for row in self.connection.execute(text(statement), dict(values)).mappings()]

    def run(self, statement: str, values: Mapping[str, Any]) -> None:
        self.connection.execute(text(statement), dict(values))


class OtherDatabase(Database):
    """A database that SQLAlchemy has a driver for."""

    def __init__(self, url: URL) -> None:
        self.shown = url.render_as_string(hide_password=True)
        self.dialect = _DIALECTS[url.get_backend_name()]
        self._engine: Engine = create_engine(url, pool_pre_ping=True)
        if self.dialect is SQLITE:
            event.listen(self._engine, "connect", _no_guessing)
            event.listen(self._engine, "begin", _begin_immediate)

    def is_made(self) -> bool:
        """Say whether it holds a store; a file that is not there is not made by asking."""
        url = self._engine.url
        if self.dialect is SQLITE and not Path(url.database or "").exists():
            return False
        return super().is_made()

    @contextmanager
    def begin(self) -> Iterator[Transaction]:
        """Open a transaction."""
        try:
            with self._engine.begin() as connection:
                yield _Statements(connection)
        except DatabaseError as error:
            raise DriverError(str(error.orig)) from error


def connect(location: StoreLocation) -> Database:
    """Connect to the database that a store names.

    Raises:
        EngineError: The URL is none, or of a database that is not known here.
    """
    try:
        url = make_url(location.database or "")
        if url.get_backend_name() in _DIALECTS:
            return OtherDatabase(url)
        why = f"{url.get_backend_name()} is not supported"
    except ModuleNotFoundError as error:
        why = f"its driver, the package {error.name}, is not installed"
    except ArgumentError:
        why = "it is not of the form dialect+driver://host/name"
    raise failure(
        "store-unreachable",
        "`store.database` is no database URL that can be opened here"
        if location.database
        else f"a store at {location.shown} needs `store.database`",
        note=why,
        mend="for instance: sqlite:////data/metadata.db, or postgresql+psycopg://host/name",
    )


def _no_guessing(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # transactions are begun by us, not guessed by the driver
    connection.execute("PRAGMA journal_mode = WAL")


def _begin_immediate(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")
