"""The connection to the metadata: SQLite that several processes write, or any database by its URL."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from sqlalchemy import create_engine, event, select
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DatabaseError, IntegrityError

from mlops_compiler.store.failures import failure
from mlops_compiler.store.tables import METADATA, SCHEMA_VERSION, VERSION

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sqlalchemy.engine import Connection, Engine

    from mlops_compiler.diagnostics import EngineError
    from mlops_compiler.store.location import StoreLocation

_BUSY_SECONDS = 30
_NUMBERING = 0x6D6C6F70
"""Key of the lock under which PostgreSQL gives release numbers."""


class Database:
    """Reads and writes in transactions; every error of the driver becomes one that a user can read."""

    def __init__(self, url: URL, *, read_only: bool = False) -> None:
        self._shown = url.render_as_string(hide_password=True)
        self._engine: Engine = create_engine(
            url, connect_args=_arguments(url), pool_pre_ping=url.drivername != "sqlite"
        )
        if url.drivername.startswith("sqlite"):
            event.listen(self._engine, "connect", _reader_pragmas if read_only else _writer_pragmas)
            event.listen(self._engine, "begin", _begin_deferred if read_only else _begin_immediate)

    def create(self) -> None:
        """Make the tables of a new database, and refuse one of another version.

        Raises:
            EngineError: It was made by another version (`store-version`).
        """
        with self.transaction() as connection:
            METADATA.create_all(connection, checkfirst=True)
            if connection.scalar(select(VERSION.c.version)) is None:
                connection.execute(VERSION.insert().values(version=SCHEMA_VERSION))
        self.check()

    def check(self) -> None:
        """Refuse a database of another version."""
        with self.transaction() as connection:
            found = connection.scalar(select(VERSION.c.version))
        if found != SCHEMA_VERSION:
            raise failure(
                "store-version",
                f"the store {self._shown} has layout {found}; this version reads layout {SCHEMA_VERSION}",
                mend="use the version of mlops-compile that made it, or another store",
            )

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """Open a transaction; it is committed at the end, or leaves no trace."""
        try:
            with self._engine.begin() as connection:
                yield connection
        except IntegrityError:
            raise
        except DatabaseError as error:
            raise self._failure(error) from error

    def _failure(self, error: DatabaseError) -> EngineError:
        text = str(error.orig)
        if "full" in text:
            return failure("store-full", f"no space is left for the metadata {self._shown}", note=text)
        if "readonly" in text or "unable to open" in text:
            return failure("store-unwritable", f"the metadata {self._shown} cannot be opened for writing", note=text)
        if "not a database" in text or "malformed" in text:
            return failure(
                "store-damaged",
                f"the metadata {self._shown} are damaged",
                note=text,
                mend="restore the file, or name another store",
            )
        return failure("store-unreachable", f"the metadata {self._shown} cannot be read", note=text)

    def lock_numbers(self, connection: Connection) -> None:
        """Let one process at a time give numbers; SQLite's immediate transactions do so already."""
        if self._engine.dialect.name == "postgresql":
            from sqlalchemy import func

            connection.execute(select(func.pg_advisory_xact_lock(_NUMBERING)))


def open_database(location: StoreLocation, *, read_only: bool = False) -> Database:
    """Connect to the metadata of a store.

    Raises:
        EngineError: The URL is none.
    """
    if (path := location.sqlite) is not None:
        return Database(_sqlite_url(path), read_only=read_only)
    try:
        return Database(make_url(location.database or ""), read_only=read_only)
    except (ArgumentError, ModuleNotFoundError) as error:
        raise failure(
            "store-unreachable",
            "`store.database` is no database URL that can be opened here"
            if location.database
            else f"a store at {location.url} needs `store.database`",
            note=type(error).__name__,
            mend="for instance: sqlite:////data/metadata.db, or postgresql+psycopg://host/name",
        ) from None


def _sqlite_url(path: Path) -> URL:
    return URL.create("sqlite", database=str(path))


def _arguments(url: URL) -> dict[str, Any]:
    return {"timeout": _BUSY_SECONDS} if url.drivername.startswith("sqlite") else {}


def _writer_pragmas(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # transactions are begun by us, not guessed by the driver
    connection.execute(f"PRAGMA busy_timeout = {_BUSY_SECONDS * 1000}")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")


def _reader_pragmas(connection: Any, _record: object) -> None:
    connection.isolation_level = None
    connection.execute(f"PRAGMA busy_timeout = {_BUSY_SECONDS * 1000}")
    connection.execute("PRAGMA query_only = ON")


def _begin_immediate(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _begin_deferred(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN")
