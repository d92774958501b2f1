"""The tables of the metadata database; SQLAlchemy Core, no more than every database has."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import (
    Column,
    Float,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.types import TypeDecorator

SCHEMA_VERSION = 1
METADATA = MetaData()


class Json(TypeDecorator[Any]):
    """JSON as text with sorted keys; NaN and infinity, which JSON lacks, are refused."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Any) -> str:  # noqa: ARG002 - SQLAlchemy's signature
        """Write."""
        return json.dumps(value, sort_keys=True, allow_nan=False, ensure_ascii=False)

    def process_result_value(self, value: Any, dialect: Any) -> Any:  # noqa: ARG002
        """Read."""
        return json.loads(value)


VERSION = Table("schema_version", METADATA, Column("version", Integer, primary_key=True))
STAGES = Table(
    "stages",
    METADATA,
    Column("fingerprint", String(64), primary_key=True),
    Column("recipe", String(64), nullable=False),
    Column("name", String(32), nullable=False),
    Column("ingredients", Json, nullable=False),
    Column("outputs", Json, nullable=False),
    Column("summary", Json, nullable=False),
    Column("run_id", String(64), nullable=False),
    Column("started", Float, nullable=False),
    Column("seconds", Float, nullable=False),
    Index("stages_by_name", "recipe", "name", "started"),
)
FOLDS = Table(
    "folds",
    METADATA,
    Column("fingerprint", String(64), primary_key=True),
    Column("trial", String(64), nullable=False, index=True),
    Column("fold", Integer, nullable=False),
    Column("metrics", Json, nullable=False),
    Column("predictions", String(64), nullable=False),
    Column("seconds", Float, nullable=False),
)
RUNS = Table(
    "runs",
    METADATA,
    Column("run_id", String(64), primary_key=True),
    Column("recipe", String(64), nullable=False, index=True),
    Column("status", String(16), nullable=False),
    Column("started", Float, nullable=False),
    Column("finished", Float),
    Column("pid", Integer, nullable=False),
    Column("host", String(255), nullable=False),
    Column("overrides", Json, nullable=False),
    Column("summary", Json, nullable=False),
    Column("plan", Json, nullable=False),
)
EVENTS = Table(
    "events",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("run_id", String(64), nullable=False),
    Column("time", Float, nullable=False),
    Column("kind", String(32), nullable=False),
    Column("payload", Json, nullable=False),
    Index("events_by_run", "run_id", "id"),
)
RELEASES = Table(
    "releases",
    METADATA,
    Column("recipe", String(64), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("fingerprint", String(64), nullable=False),
    Column("manifest", String(64), nullable=False),
    Column("metrics", Json, nullable=False),
    Column("created", Float, nullable=False),
    Column("run_id", String(64), nullable=False),
    Column("notes", Text, nullable=False),
    UniqueConstraint("recipe", "fingerprint"),
)
DEPLOYMENTS = Table(
    "deployments",
    METADATA,
    Column("recipe", String(64), primary_key=True),
    Column("release", Integer, nullable=False),
    Column("route", Text, nullable=False),
    Column("host", Text, nullable=False),
    Column("port", Integer, nullable=False),
    Column("address", Text, nullable=False),
    Column("pid", Integer),
    Column("created", Float, nullable=False),
    Column("app", Text, nullable=False),
    Column("session", Text, nullable=False),
    Column("settings", Json, nullable=False),
)
FILES = Table(
    "files",
    METADATA,
    Column("path", String(1024), primary_key=True),
    Column("size", Integer, nullable=False),
    Column("mtime_ns", String(32), nullable=False),
    Column("digest", String(64), nullable=False),
)
