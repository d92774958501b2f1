"""Rows of the metadata as records, and records as rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from mlops_compiler.store.tables import from_row, insertion, to_row

if TYPE_CHECKING:
    from mlops_compiler.store.database import Database, Transaction

T = TypeVar("T")


class ReadsRows:
    """Reads records of one database; none where there is no database yet."""

    _database: Database | None

    def _rows(self, statement: str, **values: Any) -> list[dict[str, Any]]:
        if self._database is None:
            return []
        with self._database.transaction() as transaction:
            return [from_row(row) for row in transaction.rows(statement, values)]

    def _all(self, kind: type[T], statement: str, **values: Any) -> list[T]:
        return [kind(**row) for row in self._rows(statement, **values)]

    def _one(self, kind: type[T], statement: str, **values: Any) -> T | None:
        return next(iter(self._all(kind, statement, **values)), None)

    def _of(self, table: str, kind: type[T], statement: str, **values: Any) -> list[T]:
        """Read records of a table that an older store does not have."""
        if self._database is None or not self._database.has(table):
            return []
        return self._all(kind, statement, **values)


def put(transaction: Transaction, table: str, key: str, values: dict[str, Any]) -> None:
    """Write a row, in place of the one with its key where there is one; a key of several columns has commas."""
    row = to_row(values)
    named = {name.strip() for name in key.split(",")}
    others = ", ".join(f"{name} = excluded.{name}" for name in row if name not in named)
    transaction.run(f"{insertion(table, row)} ON CONFLICT ({key}) DO UPDATE SET {others}", row)


def insert(transaction: Transaction, table: str, values: dict[str, Any]) -> None:
    """Write a new row."""
    row = to_row(values)
    transaction.run(insertion(table, row), row)
