"""Reads what is recorded. A store that does not exist answers as an empty one, and stays as it is."""

from __future__ import annotations

import os
import socket
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from mlops_compiler.store.migration import BEFORE, environment_of
from mlops_compiler.store.objects import Objects, open_objects
from mlops_compiler.store.operations import OperationsReader
from mlops_compiler.store.records import ENVIRONMENTS, Deployment, Event, FoldRecord, Release, RunRecord, StageRecord

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mlops_compiler.store.database import Database
    from mlops_compiler.store.location import StoreLocation

_BATCH = 500


class StoreReader(OperationsReader):
    """A store, for reading.

    Attributes:
        objects: Its objects.
        location: Where it is.
    """

    def __init__(self, location: StoreLocation, database: Database | None) -> None:
        self.location = location
        self.objects: Objects = open_objects(location)
        self._database = database

    @property
    def is_empty(self) -> bool:
        """Whether there is no store yet."""
        return self._database is None

    def recipes(self) -> list[str]:
        """List the recipes of which something is recorded, by name."""
        told = " UNION ".join(f"SELECT recipe FROM {table}" for table in ("runs", "releases", self._services))
        return [row["recipe"] for row in self._rows(f"{told} ORDER BY recipe")]

    @property
    def database_shown(self) -> str | None:
        """Where the metadata are, as messages name it; None while there are none."""
        return None if self._database is None else self._database.shown

    def counts(self) -> list[tuple[str, int]]:
        """Count the records of each kind."""
        tables = ("runs", "stages", "folds", "releases", self._services)
        each = (f"SELECT '{table}' AS kind, COUNT(*) AS many FROM {table}" for table in tables)
        return [(row["kind"], row["many"]) for row in self._rows(" UNION ALL ".join(each))]

    def stage(self, fingerprint: str) -> StageRecord | None:
        """Find a finished stage by its fingerprint; None where it, or one of its objects, is not there."""
        record = self.stage_record(fingerprint)
        return record if record and all(map(self.objects.exists, record.outputs.values())) else None

    def stage_record(self, fingerprint: str) -> StageRecord | None:
        """Find what is recorded of a finished stage, whether or not its objects are still there."""
        return self._one(StageRecord, "SELECT * FROM stages WHERE fingerprint = :wanted", wanted=fingerprint)

    def last_stage(self, recipe: str, name: str) -> StageRecord | None:
        """Find the stage of a recipe that finished last."""
        wanted = "SELECT * FROM stages WHERE recipe = :recipe AND name = :name ORDER BY started DESC LIMIT 1"
        return self._one(StageRecord, wanted, recipe=recipe, name=name)

    def stages(self, recipe: str, name: str) -> list[StageRecord]:
        """List the stages of a recipe of one name, the oldest first."""
        wanted = "SELECT * FROM stages WHERE recipe = :recipe AND name = :name ORDER BY started, fingerprint"
        return self._all(StageRecord, wanted, recipe=recipe, name=name)

    def every_stage(self) -> list[StageRecord]:
        """List all finished stages, whatever recipe they are of; the oldest first."""
        return self._all(StageRecord, "SELECT * FROM stages ORDER BY started, fingerprint")

    def every_release(self) -> list[Release]:
        """List all releases, by recipe and number."""
        return self._all(Release, "SELECT * FROM releases ORDER BY recipe, number")

    def every_prediction(self) -> dict[str, str]:
        """Give the digest of each recorded fold's predictions, by the fold's fingerprint."""
        rows = self._rows("SELECT fingerprint, predictions FROM folds ORDER BY fingerprint")
        return {row["fingerprint"]: row["predictions"] for row in rows}

    def faults(self) -> list[str]:
        """Let the database examine itself; returns what it complains of."""
        return [] if self._database is None else self._database.faults()

    def folds(self, fingerprints: Iterable[str]) -> dict[str, FoldRecord]:
        """Find recorded folds by their fingerprints; those that are not recorded are not in the answer."""
        wanted = list(fingerprints)
        histories = {row["fingerprint"]: row["history"] for row in self._named("histories", wanted)}
        rows = self._named("folds", wanted)
        return {row["fingerprint"]: FoldRecord(**row, history=histories.get(row["fingerprint"])) for row in rows}

    def _named(self, table: str, fingerprints: list[str]) -> list[dict[str, Any]]:
        """Find the rows of a table by their fingerprints; none of a table that an older store does not have."""
        if self._database is None or not self._database.has(table):
            return []
        found = []
        for start in range(0, len(fingerprints), _BATCH):
            named = {f"f{index}": each for index, each in enumerate(fingerprints[start : start + _BATCH])}
            places = ", ".join(f":{name}" for name in named)
            found += self._rows(f"SELECT * FROM {table} WHERE fingerprint IN ({places})", **named)
        return found

    def runs(self, recipe: str | None = None, limit: int = 20) -> list[RunRecord]:
        """List runs, the newest first."""
        which = "" if recipe is None else "WHERE recipe = :recipe"
        chosen = f"SELECT * FROM runs {which} ORDER BY started DESC, run_id DESC LIMIT :limit"
        values = {"limit": limit} if recipe is None else {"limit": limit, "recipe": recipe}
        return [_as_it_is(run) for run in self._all(RunRecord, chosen, **values)]

    def run(self, run_id: str) -> RunRecord | None:
        """Find a run by its name."""
        found = self._one(RunRecord, "SELECT * FROM runs WHERE run_id = :run_id", run_id=run_id)
        return _as_it_is(found) if found else None

    def runs_named(self, start: str) -> list[RunRecord]:
        """List the runs whose names start so, the newest first."""
        chosen = "SELECT * FROM runs WHERE substr(run_id, 1, :length) = :start ORDER BY started DESC, run_id DESC"
        return [_as_it_is(run) for run in self._all(RunRecord, chosen, length=len(start), start=start)]

    def events(self, run_id: str, after: int = 0) -> list[Event]:
        """List the events of a run, in order, from the one that follows event `after`."""
        chosen = "SELECT * FROM events WHERE run_id = :run_id AND id > :after ORDER BY id"
        return self._all(Event, chosen, run_id=run_id, after=after)

    def releases(self, recipe: str) -> list[Release]:
        """List the releases of a recipe, the newest first."""
        chosen = "SELECT * FROM releases WHERE recipe = :recipe ORDER BY number DESC"
        return self._all(Release, chosen, recipe=recipe)

    def release(self, recipe: str, number: int | None = None) -> Release | None:
        """Find a release, the newest where no number is given."""
        found = self.releases(recipe)
        return next((item for item in found if number in (None, item.number)), None)

    def deployments(self, recipe: str | None = None) -> list[Deployment]:
        """List what is recorded as deployed, by recipe; of one, the strictest environment first."""
        which = "" if recipe is None else "WHERE recipe = :recipe"
        rows = self._rows(f"SELECT * FROM {self._services} {which}", **({} if recipe is None else {"recipe": recipe}))
        found = [Deployment(**{"environment": environment_of(row["settings"]), **row}) for row in rows]
        return sorted(found, key=lambda item: (item.recipe, -ENVIRONMENTS.index(item.environment)))

    def deployment(self, recipe: str, environment: str) -> Deployment | None:
        """Find the deployment of a recipe in an environment."""
        return next((item for item in self.deployments(recipe) if item.environment == environment), None)

    def foremost(self, recipe: str) -> Deployment | None:
        """Find the deployment of a recipe in the strictest environment that has one."""
        return next(iter(self.deployments(recipe)), None)

    @property
    def _services(self) -> str:
        """The table of deployments, which an older store has under another name."""
        return "services" if self._database is None or self._database.has("services") else BEFORE

    def file_digest(self, path: str, size: int, mtime_ns: int) -> str | None:
        """Recall the hash that was taken of a file that has not been touched since."""
        chosen = "SELECT digest FROM files WHERE path = :path AND size = :size AND mtime_ns = :mtime_ns"
        rows = self._rows(chosen, path=path, size=size, mtime_ns=str(mtime_ns))
        return rows[0]["digest"] if rows else None


def open_reader(location: StoreLocation) -> StoreReader:
    """Open a store for reading; creates nothing.

    Raises:
        EngineError: It is there and cannot be read, or was made by another version.
    """
    if location.sqlite is not None and not location.sqlite.exists():
        return StoreReader(location, None)
    from mlops_compiler.store.database import open_database

    database = open_database(location, read_only=True)
    if not database.is_made():
        return StoreReader(location, None)
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
