"""Writes what happened. Each call is one transaction: there whole when it returns, or not at all."""

from __future__ import annotations

import time
from dataclasses import asdict
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from mlops_compiler.store.database import Database, open_database
from mlops_compiler.store.failures import writing
from mlops_compiler.store.reader import StoreReader
from mlops_compiler.store.records import Release
from mlops_compiler.store.tables import DEPLOYMENTS, EVENTS, FILES, FOLDS, RELEASES, RUNS, STAGES

if TYPE_CHECKING:
    from sqlalchemy import Table
    from sqlalchemy.engine import Connection

    from mlops_compiler.store.location import StoreLocation
    from mlops_compiler.store.records import Deployment, FoldRecord, RunRecord, StageRecord


class StoreWriter(StoreReader):
    """A store, for reading and writing; several processes may have one open."""

    def __init__(self, location: StoreLocation, database: Database) -> None:
        super().__init__(location, database)
        self._writes = database

    def publish(self, name: str, content: bytes) -> str:
        """Lay a copy of something under a readable name in the store; returns its place."""
        return self.objects.publish(name, content)

    def sweep(self) -> int:
        """Remove what writers that were killed left behind; returns how many files."""
        return self.objects.sweep()

    def record_stage(self, record: StageRecord) -> None:
        """Record a finished stage; its objects are there already."""
        self._replace(STAGES, {"fingerprint": record.fingerprint}, asdict(record))

    def record_fold(self, record: FoldRecord) -> None:
        """Record a finished fold; recording the same one again changes nothing that results depend on."""
        self._replace(FOLDS, {"fingerprint": record.fingerprint}, asdict(record))

    def start_run(self, record: RunRecord) -> None:
        """Record that a run begins."""
        with self._writes.transaction() as connection:
            connection.execute(RUNS.insert().values(**asdict(record)))

    def finish_run(self, run_id: str, status: str, summary: dict[str, Any]) -> None:
        """Record how a run ended."""
        with self._writes.transaction() as connection:
            values = {"status": status, "summary": summary, "finished": time.time()}
            connection.execute(RUNS.update().where(RUNS.c.run_id == run_id).values(**values))

    def add_event(self, run_id: str, kind: str, payload: dict[str, Any]) -> int:
        """Record something that happened in a run; returns the event's number."""
        with self._writes.transaction() as connection:
            values = {"run_id": run_id, "time": time.time(), "kind": kind, "payload": payload}
            done = connection.execute(EVENTS.insert().values(**values))
            return int((done.inserted_primary_key or (0,))[0])

    def register_release(
        self,
        *,
        recipe: str,
        fingerprint: str,
        manifest: str,
        metrics: dict[str, float],
        run_id: str,
        notes: str,
    ) -> Release:
        """Give a model the next number; the same work gets the number that it has."""
        with self._writes.transaction() as connection:
            self._writes.lock_numbers(connection)
            same = RELEASES.select().where(RELEASES.c.recipe == recipe, RELEASES.c.fingerprint == fingerprint)
            if (found := connection.execute(same).mappings().first()) is not None:
                return Release(**dict(found))
            last = connection.scalar(select(func.max(RELEASES.c.number)).where(RELEASES.c.recipe == recipe))
            release = Release(
                recipe=recipe,
                number=(last or 0) + 1,
                fingerprint=fingerprint,
                manifest=manifest,
                metrics=metrics,
                created=time.time(),
                run_id=run_id,
                notes=notes,
            )
            connection.execute(RELEASES.insert().values(**asdict(release)))
            return release

    def record_deployment(self, deployment: Deployment) -> None:
        """Record what is deployed for a recipe, in place of what was."""
        self._replace(DEPLOYMENTS, {"recipe": deployment.recipe}, asdict(deployment))

    def remove_deployment(self, recipe: str) -> None:
        """Forget the deployment of a recipe."""
        with self._writes.transaction() as connection:
            connection.execute(DEPLOYMENTS.delete().where(DEPLOYMENTS.c.recipe == recipe))

    def remember_file(self, path: str, size: int, mtime_ns: int, digest: str) -> None:
        """Remember the hash of a file as it is now."""
        values = {"path": path, "size": size, "mtime_ns": str(mtime_ns), "digest": digest}
        self._replace(FILES, {"path": path}, values)

    def _replace(self, table: Table, key: dict[str, Any], values: dict[str, Any]) -> None:
        """Write a row in place of the one with its key, in one transaction."""
        try:
            with self._writes.transaction() as connection:
                _delete_and_insert(connection, table, key, values)
        except IntegrityError:  # on databases that run transactions side by side, another was first: ours follows
            with self._writes.transaction() as connection:
                _delete_and_insert(connection, table, key, values)


def _delete_and_insert(connection: Connection, table: Table, key: dict[str, Any], values: dict[str, Any]) -> None:
    connection.execute(table.delete().where(*(table.c[name] == value for name, value in key.items())))
    connection.execute(table.insert().values(**values))


@lru_cache(maxsize=8)
def open_writer(location: StoreLocation) -> StoreWriter:
    """Open a store for writing, and make it where there is none; once a process.

    Raises:
        EngineError: It cannot be written, or was made by another version.
    """
    if location.folder is not None:
        with writing(str(location.folder)):
            location.folder.mkdir(parents=True, exist_ok=True)
    database = open_database(location)
    database.create()
    return StoreWriter(location, database)
