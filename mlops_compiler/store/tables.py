"""The tables of the metadata, and how a record becomes a row: plain SQL that SQLite and PostgreSQL both know."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

SCHEMA_VERSION = 1
JSON_COLUMNS = frozenset(
    {"ingredients", "outputs", "summary", "metrics", "overrides", "plan", "payload", "settings", "history", "roles"}
)
"""Kept as text; a column of this name is JSON in every table."""
TABLES = (
    "CREATE TABLE IF NOT EXISTS schema_version (version INTEGER PRIMARY KEY)",
    """CREATE TABLE IF NOT EXISTS stages (
        fingerprint VARCHAR(64) PRIMARY KEY, recipe VARCHAR(64) NOT NULL, name VARCHAR(32) NOT NULL,
        ingredients TEXT NOT NULL, outputs TEXT NOT NULL, summary TEXT NOT NULL, run_id VARCHAR(64) NOT NULL,
        started DOUBLE PRECISION NOT NULL, seconds DOUBLE PRECISION NOT NULL)""",
    "CREATE INDEX IF NOT EXISTS stages_by_name ON stages (recipe, name, started)",
    """CREATE TABLE IF NOT EXISTS folds (
        fingerprint VARCHAR(64) PRIMARY KEY, trial VARCHAR(64) NOT NULL, fold INTEGER NOT NULL,
        metrics TEXT NOT NULL, predictions VARCHAR(64) NOT NULL, seconds DOUBLE PRECISION NOT NULL)""",
    """CREATE TABLE IF NOT EXISTS histories (fingerprint VARCHAR(64) PRIMARY KEY, history TEXT NOT NULL)""",
    """CREATE TABLE IF NOT EXISTS runs (
        run_id VARCHAR(64) PRIMARY KEY, recipe VARCHAR(64) NOT NULL, status VARCHAR(16) NOT NULL,
        started DOUBLE PRECISION NOT NULL, finished DOUBLE PRECISION, pid BIGINT NOT NULL, host VARCHAR(255) NOT NULL,
        overrides TEXT NOT NULL, summary TEXT NOT NULL, plan TEXT NOT NULL)""",
    "CREATE INDEX IF NOT EXISTS runs_by_recipe ON runs (recipe, started)",
    """CREATE TABLE IF NOT EXISTS events (
        id {identity}, run_id VARCHAR(64) NOT NULL, time DOUBLE PRECISION NOT NULL, kind VARCHAR(32) NOT NULL,
        payload TEXT NOT NULL)""",
    "CREATE INDEX IF NOT EXISTS events_by_run ON events (run_id, id)",
    """CREATE TABLE IF NOT EXISTS releases (
        recipe VARCHAR(64) NOT NULL, number INTEGER NOT NULL, fingerprint VARCHAR(64) NOT NULL,
        manifest VARCHAR(64) NOT NULL, metrics TEXT NOT NULL, created DOUBLE PRECISION NOT NULL,
        run_id VARCHAR(64) NOT NULL, notes TEXT NOT NULL,
        PRIMARY KEY (recipe, number), UNIQUE (recipe, fingerprint))""",
    """CREATE TABLE IF NOT EXISTS services (
        recipe VARCHAR(64) NOT NULL, environment VARCHAR(32) NOT NULL, release INTEGER NOT NULL, route TEXT NOT NULL,
        host TEXT NOT NULL, port INTEGER NOT NULL, address TEXT NOT NULL, pid BIGINT,
        created DOUBLE PRECISION NOT NULL, app TEXT NOT NULL, session TEXT NOT NULL, settings TEXT NOT NULL,
        PRIMARY KEY (recipe, environment))""",
    """CREATE TABLE IF NOT EXISTS files (
        path VARCHAR(1024) PRIMARY KEY, size BIGINT NOT NULL, mtime_ns VARCHAR(32) NOT NULL,
        digest VARCHAR(64) NOT NULL)""",
    """CREATE TABLE IF NOT EXISTS audit (
        id {identity}, time DOUBLE PRECISION NOT NULL, actor VARCHAR(255) NOT NULL, action VARCHAR(32) NOT NULL,
        recipe VARCHAR(64) NOT NULL, release INTEGER, environment VARCHAR(32), payload TEXT NOT NULL)""",
    "CREATE INDEX IF NOT EXISTS audit_by_recipe ON audit (recipe, id)",
    "CREATE TABLE IF NOT EXISTS audit_chain (id BIGINT PRIMARY KEY, hash VARCHAR(64) NOT NULL)",
    """CREATE TABLE IF NOT EXISTS keys (
        id VARCHAR(32) PRIMARY KEY, recipe VARCHAR(64) NOT NULL, name VARCHAR(64) NOT NULL, hash TEXT NOT NULL,
        roles TEXT NOT NULL, created DOUBLE PRECISION NOT NULL, expires DOUBLE PRECISION, revoked DOUBLE PRECISION,
        environment VARCHAR(32))""",
    """CREATE TABLE IF NOT EXISTS approvals (
        recipe VARCHAR(64) NOT NULL, release INTEGER NOT NULL, environment VARCHAR(32) NOT NULL,
        actor VARCHAR(255) NOT NULL, time DOUBLE PRECISION NOT NULL, notes TEXT NOT NULL,
        PRIMARY KEY (recipe, release, environment, actor))""",
    """CREATE TABLE IF NOT EXISTS placements (
        recipe VARCHAR(64) NOT NULL, environment VARCHAR(32) NOT NULL, release INTEGER NOT NULL,
        actor VARCHAR(255) NOT NULL, time DOUBLE PRECISION NOT NULL, PRIMARY KEY (recipe, environment))""",
    """CREATE TABLE IF NOT EXISTS retirements (
        recipe VARCHAR(64) NOT NULL, release INTEGER NOT NULL, actor VARCHAR(255) NOT NULL,
        time DOUBLE PRECISION NOT NULL, notes TEXT NOT NULL, PRIMARY KEY (recipe, release))""",
    """CREATE TABLE IF NOT EXISTS checks (
        id {identity}, recipe VARCHAR(64) NOT NULL, release INTEGER NOT NULL, time DOUBLE PRECISION NOT NULL,
        status VARCHAR(16) NOT NULL, payload TEXT NOT NULL, environment VARCHAR(32))""",
    "CREATE INDEX IF NOT EXISTS checks_by_recipe ON checks (recipe, id)",
)
"""A store that was made before a table was added gets it when it is opened for writing, and reads as if it were empty.
``{identity}`` stands for a key that counts up, which each database writes in its own way."""


def insertion(table: str, values: Mapping[str, Any]) -> str:
    """Write the statement that inserts a row; names come from our own records, values travel as parameters."""
    return f"INSERT INTO {table} ({', '.join(values)}) VALUES ({', '.join(f':{name}' for name in values)})"


def to_row(values: Mapping[str, Any]) -> dict[str, Any]:
    """Write JSON columns as text with sorted keys; NaN and infinity, which JSON lacks, are refused.

    Raises:
        ValueError: A value is no JSON.
    """
    return {name: _json(value) if name in JSON_COLUMNS else value for name, value in values.items()}


def from_row(row: Mapping[str, Any]) -> dict[str, Any]:
    """Read JSON columns."""
    return {name: json.loads(value) if name in JSON_COLUMNS else value for name, value in row.items()}


def _json(value: Any) -> str:
    return json.dumps(value, sort_keys=True, allow_nan=False, ensure_ascii=False)
