"""Reads what is recorded. A store that does not exist answers as an empty one, and stays as it is."""

from __future__ import annotations

import os
import socket
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from mlops_compiler.store.objects import Objects, open_objects
from mlops_compiler.store.records import Deployment, Event, FoldRecord, Release, RunRecord, StageRecord

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import Select

    from mlops_compiler.store.database import Database
    from mlops_compiler.store.location import StoreLocation

T = TypeVar("T")
_BATCH = 500


class StoreReader:
    """A store, for reading.

    Attributes:
        objects: Its objects.
        location: Where it is.
    """

    def __init__(self, location: StoreLocation, database: Database | None) -> None:
        self.location = location
        self.objects: Objects = open_objects(location)
        self._database = database

    def stage(self, fingerprint: str) -> StageRecord | None:
        """Find a finished stage by its fingerprint; None where it, or one of its objects, is not there."""
        from mlops_compiler.store.tables import STAGES

        record = self._one(StageRecord, STAGES.select().where(STAGES.c.fingerprint == fingerprint))
        return record if record and all(map(self.objects.exists, record.outputs.values())) else None

    def last_stage(self, recipe: str, name: str) -> StageRecord | None:
        """Find the stage of a recipe that finished last."""
        from mlops_compiler.store.tables import STAGES

        chosen = STAGES.select().where(STAGES.c.recipe == recipe, STAGES.c.name == name)
        return self._one(StageRecord, chosen.order_by(STAGES.c.started.desc()).limit(1))

    def folds(self, fingerprints: Iterable[str]) -> dict[str, FoldRecord]:
        """Find recorded folds by their fingerprints; those that are not recorded are not in the answer."""
        from mlops_compiler.store.tables import FOLDS

        wanted, found = list(fingerprints), []
        for start in range(0, len(wanted), _BATCH):
            chosen = FOLDS.select().where(FOLDS.c.fingerprint.in_(wanted[start : start + _BATCH]))
            found += self._all(FoldRecord, chosen)
        return {record.fingerprint: record for record in found}

    def runs(self, recipe: str | None = None, limit: int = 20) -> list[RunRecord]:
        """List runs, the newest first."""
        from mlops_compiler.store.tables import RUNS

        chosen = RUNS.select().order_by(RUNS.c.started.desc(), RUNS.c.run_id.desc()).limit(limit)
        if recipe is not None:
            chosen = chosen.where(RUNS.c.recipe == recipe)
        return [_as_it_is(run) for run in self._all(RunRecord, chosen)]

    def run(self, run_id: str) -> RunRecord | None:
        """Find a run by its name."""
        from mlops_compiler.store.tables import RUNS

        found = self._one(RunRecord, RUNS.select().where(RUNS.c.run_id == run_id))
        return _as_it_is(found) if found else None

    def events(self, run_id: str, after: int = 0) -> list[Event]:
        """List the events of a run, in order, from the one that follows event `after`."""
        from mlops_compiler.store.tables import EVENTS

        chosen = EVENTS.select().where(EVENTS.c.run_id == run_id, EVENTS.c.id > after).order_by(EVENTS.c.id)
        return self._all(Event, chosen)

    def releases(self, recipe: str) -> list[Release]:
        """List the releases of a recipe, the newest first."""
        from mlops_compiler.store.tables import RELEASES

        chosen = RELEASES.select().where(RELEASES.c.recipe == recipe)
        return self._all(Release, chosen.order_by(RELEASES.c.number.desc()))

    def release(self, recipe: str, number: int | None = None) -> Release | None:
        """Find a release, the newest where no number is given."""
        found = self.releases(recipe)
        return next((item for item in found if number in (None, item.number)), None)

    def deployments(self) -> list[Deployment]:
        """List what is recorded as deployed."""
        from mlops_compiler.store.tables import DEPLOYMENTS

        return self._all(Deployment, DEPLOYMENTS.select().order_by(DEPLOYMENTS.c.recipe))

    def deployment(self, recipe: str) -> Deployment | None:
        """Find the deployment of a recipe."""
        return next((item for item in self.deployments() if item.recipe == recipe), None)

    def file_digest(self, path: str, size: int, mtime_ns: int) -> str | None:
        """Recall the hash that was taken of a file that has not been touched since."""
        from mlops_compiler.store.tables import FILES

        chosen = FILES.select().where(FILES.c.path == path, FILES.c.size == size, FILES.c.mtime_ns == str(mtime_ns))
        rows = self._rows(chosen)
        return rows[0]["digest"] if rows else None

    def _rows(self, chosen: Select[Any]) -> list[dict[str, Any]]:
        if self._database is None:
            return []
        with self._database.transaction() as connection:
            return [dict(row) for row in connection.execute(chosen).mappings()]

    def _all(self, kind: type[T], chosen: Select[Any]) -> list[T]:
        return [kind(**row) for row in self._rows(chosen)]

    def _one(self, kind: type[T], chosen: Select[Any]) -> T | None:
        return next(iter(self._all(kind, chosen)), None)


def open_reader(location: StoreLocation) -> StoreReader:
    """Open a store for reading; creates nothing.

    Raises:
        EngineError: It is there and cannot be read, or was made by another version.
    """
    if location.sqlite is not None and not location.sqlite.exists():
        return StoreReader(location, None)
    from mlops_compiler.store.database import open_database

    database = open_database(location, read_only=True)
    database.check()
    return StoreReader(location, database)


def _as_it_is(run: RunRecord) -> RunRecord:
    """A run whose process ended without saying so is lost."""
    if run.status != "running" or run.host != socket.gethostname() or _lives(run.pid):
        return run
    return replace(run, status="lost")


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
