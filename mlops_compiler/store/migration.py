"""Brings the tables of an older store up to date; what it recorded is kept.

A store of before had one service of a recipe for all environments. Its service goes to the environment that put it
there; its keys and its checks name none, and count in each.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from mlops_compiler.store.records import ENVIRONMENTS
from mlops_compiler.store.tables import insertion

if TYPE_CHECKING:
    from mlops_compiler.store.database import Dialect, Transaction

BEFORE = "deployments"
"""The table of services, of which a recipe had one."""
_ADDED = (("keys", "environment"), ("checks", "environment"))


def bring_up_to_date(transaction: Transaction, dialect: Dialect) -> None:
    """Add the columns that came later, and give each service its environment; does nothing where that is done."""
    for table, column in _ADDED:
        if column not in columns(transaction, dialect, table):
            transaction.run(f"ALTER TABLE {table} ADD COLUMN {column} VARCHAR(32)", {})
    if any(row["name"] == BEFORE for row in transaction.rows(dialect.tables, {})):
        for row in transaction.rows(f"SELECT * FROM {BEFORE}", {}):
            moved = {**row, "environment": environment_of(json.loads(row["settings"]))}
            transaction.run(f"{insertion('services', moved)} ON CONFLICT (recipe, environment) DO NOTHING", moved)
        transaction.run(f"DROP TABLE {BEFORE}", {})


def columns(transaction: Transaction, dialect: Dialect, table: str) -> set[str]:
    """Name the columns of a table."""
    return {str(row["name"]) for row in transaction.rows(dialect.columns, {"table": table})}


def environment_of(settings: dict[str, Any]) -> str:
    """Say which environment put a service of before there; until that was noted down, it was the first."""
    return str(settings.get("environment", ENVIRONMENTS[0]))
