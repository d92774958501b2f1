"""Writes what happened. Each call is one transaction: there whole when it returns, or not at all."""

from __future__ import annotations

import time
from dataclasses import asdict
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from mlops_compiler.store.database import Database, open_database
from mlops_compiler.store.failures import writing
from mlops_compiler.store.operations import OperationsWriter
from mlops_compiler.store.reader import StoreReader
from mlops_compiler.store.records import Release
from mlops_compiler.store.rows import insert, put
from mlops_compiler.store.tables import from_row, insertion, to_row

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mlops_compiler.store.location import StoreLocation
    from mlops_compiler.store.records import Deployment, FoldRecord, RunRecord, StageRecord


class StoreWriter(OperationsWriter, StoreReader):
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
        self._replace("stages", "fingerprint", asdict(record))

    def commit_intake(self, intake: StageRecord, snapshot: StageRecord) -> bool:
        """Record an intake with the version that it made, both or neither.

        Returns:
            Whether it follows the last one still; else somebody was quicker, and nothing is recorded.
        """
        with self._writes.transaction() as transaction:
            self._writes.lock_numbers(transaction)
            wanted = "SELECT * FROM stages WHERE recipe = :recipe AND name = :name"
            rows = transaction.rows(wanted, {"recipe": intake.recipe, "name": intake.name})
            newest = max(map(from_row, rows), key=lambda row: int(row["ingredients"]["number"]), default=None)
            if (newest["fingerprint"] if newest else None) != intake.ingredients["follows"]:
                return False
            for record in (snapshot, intake):
                put(transaction, "stages", "fingerprint", asdict(record))
        return True

    def record_fold(self, record: FoldRecord) -> None:
        """Record a finished fold; recording the same one again changes nothing that results depend on."""
        values = asdict(record)
        history = values.pop("history")
        with self._writes.transaction() as transaction:
            put(transaction, "folds", "fingerprint", values)
            if history is not None:
                kept = {"fingerprint": record.fingerprint, "history": history}
                put(transaction, "histories", "fingerprint", kept)

    def forget_folds(self, fingerprints: Iterable[str]) -> None:
        """Forget folds, so that a search fits them again."""
        with self._writes.transaction() as transaction:
            for fingerprint in fingerprints:
                transaction.run("DELETE FROM folds WHERE fingerprint = :wanted", {"wanted": fingerprint})

    def start_run(self, record: RunRecord) -> None:
        """Record that a run begins."""
        with self._writes.transaction() as transaction:
            insert(transaction, "runs", asdict(record))

    def finish_run(self, run_id: str, status: str, summary: dict[str, Any]) -> None:
        """Record how a run ended; what it recorded of itself at its start is kept."""
        with self._writes.transaction() as transaction:
            begun = transaction.rows("SELECT summary FROM runs WHERE run_id = :run_id", {"run_id": run_id})
            known = from_row(begun[0])["summary"] if begun else {}
            ended = {"status": status, "summary": {**known, **summary}, "finished": time.time()}
            values = to_row({"run_id": run_id, **ended})
            transaction.run(
                "UPDATE runs SET status = :status, summary = :summary, finished = :finished WHERE run_id = :run_id",
                values,
            )

    def add_event(self, run_id: str, kind: str, payload: dict[str, Any]) -> int:
        """Record something that happened in a run; returns the event's number."""
        values = to_row({"run_id": run_id, "time": time.time(), "kind": kind, "payload": payload})
        with self._writes.transaction() as transaction:
            (row,) = transaction.rows(f"{insertion('events', values)} RETURNING id", values)
        return int(row["id"])

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
        with self._writes.transaction() as transaction:
            self._writes.lock_numbers(transaction)
            known = transaction.rows("SELECT * FROM releases WHERE recipe = :recipe", {"recipe": recipe})
            if same := [row for row in known if row["fingerprint"] == fingerprint]:
                return Release(**from_row(same[0]))
            release = Release(
                recipe=recipe,
                number=max((row["number"] for row in known), default=0) + 1,
                fingerprint=fingerprint,
                manifest=manifest,
                metrics=metrics,
                created=time.time(),
                run_id=run_id,
                notes=notes,
            )
            insert(transaction, "releases", asdict(release))
            return release

    def record_deployment(self, deployment: Deployment) -> None:
        """Record what is deployed for a recipe in an environment, in place of what was."""
        self._replace("services", "recipe, environment", asdict(deployment))

    def remove_deployment(self, recipe: str, environment: str) -> None:
        """Forget the deployment of a recipe in an environment."""
        with self._writes.transaction() as transaction:
            wanted = {"recipe": recipe, "environment": environment}
            transaction.run("DELETE FROM services WHERE recipe = :recipe AND environment = :environment", wanted)

    def remember_file(self, path: str, size: int, mtime_ns: int, digest: str) -> None:
        """Remember the hash of a file as it is now."""
        values = {"path": path, "size": size, "mtime_ns": str(mtime_ns), "digest": digest}
        self._replace("files", "path", values)

    def _replace(self, table: str, key: str, values: dict[str, Any]) -> None:
        """Write a row; of writers at once, the last one wins."""
        with self._writes.transaction() as transaction:
            put(transaction, table, key, values)


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
