"""Records of operating a model: who did what, who may call, what was approved, placed, retired and found.

Two classes, one that reads and one that writes, are parts of `StoreReader` and `StoreWriter`.
"""

from __future__ import annotations

import getpass
import os
import socket
import time
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from mlops_compiler.store.audit_chain import extend
from mlops_compiler.store.rows import ReadsRows, insert, put
from mlops_compiler.store.tables import insertion, to_row

if TYPE_CHECKING:
    from mlops_compiler.store.database import Database

Json = dict[str, Any]
_LONGEST_ACTOR = 255


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """Something that somebody did to what is served; never changed, never removed.

    Attributes:
        id: Counts up.
        time: Seconds since 1970.
        actor: Who: a user and their machine, or ``key:NAME`` of the service.
        action: ``deploy``, ``undeploy``, ``promote``, ``rollback``, ``retire``, ``approve``, ``key-create``, ...
        recipe: The recipe's name.
        release: The release, where it is about one.
        environment: The environment, where it is about one.
        payload: Whatever else is to be known of it; no secret.
    """

    id: int
    time: float
    actor: str
    action: str
    recipe: str
    release: int | None = None
    environment: str | None = None
    payload: Json = field(default_factory=dict)


PASSING = "mlops-compile"
"""Who holds the keys that a command makes for itself: they open everything and soon nothing, and are not listed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """A key of a service; the key itself is kept nowhere.

    Attributes:
        id: Its public part.
        recipe: Whose service it opens.
        name: Who holds it.
        hash: Of its secret part.
        roles: Of ``predict``, ``label`` and ``operate``.
        created: Seconds since 1970.
        expires: Likewise; None where it does not.
        revoked: Likewise; None where it was not.
        environment: In which environment it opens that; None, of a key that an older store has, in each.
    """

    id: str
    recipe: str
    name: str
    hash: str
    roles: list[str]
    created: float
    expires: float | None = None
    revoked: float | None = None
    environment: str | None = None

    def opens(self, now: float) -> bool:
        """Say whether the key opens anything still."""
        return self.revoked is None and (self.expires is None or now < self.expires)


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """Somebody's word that a release may go to an environment."""

    recipe: str
    release: int
    environment: str
    actor: str
    time: float
    notes: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """The release that an environment has."""

    recipe: str
    environment: str
    release: int
    actor: str
    time: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Retirement:
    """The end of a release."""

    recipe: str
    release: int
    actor: str
    time: float
    notes: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """What monitoring found at one time.

    Attributes:
        id: Counts up.
        recipe: The recipe's name.
        release: The release that was looked at.
        time: Seconds since 1970.
        status: ``quiet``, ``noticed`` (a rule fired, too few agree), ``alert``, or ``blind`` (nothing to look at).
        payload: The findings, as JSON.
        environment: Whose service was looked at; None, of a check that an older store has, whichever it was.
    """

    id: int
    recipe: str
    release: int
    time: float
    status: str
    payload: Json = field(default_factory=dict)
    environment: str | None = None


def actor() -> str:
    """Name who acts: what ``MLOPS_ACTOR`` says, else the user and the machine."""
    named = os.environ.get("MLOPS_ACTOR", "").strip()
    return (named or f"{_user()}@{socket.gethostname()}")[:_LONGEST_ACTOR]


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # no entry for the user, as in some containers
        return f"uid {os.getuid()}"


class OperationsReader(ReadsRows):
    """Reads records of operating a model."""

    def audit(self, recipe: str | None = None, limit: int = 1000) -> list[AuditEntry]:
        """List what was done, the newest first."""
        which = "" if recipe is None else "WHERE recipe = :recipe"
        values = {"limit": limit} if recipe is None else {"limit": limit, "recipe": recipe}
        return self._of("audit", AuditEntry, f"SELECT * FROM audit {which} ORDER BY id DESC LIMIT :limit", **values)

    def audit_links(self) -> dict[int, str]:
        """Give the hash of each entry of the audit log, by its number (`audit_chain`)."""
        if self._database is None or not self._database.has("audit_chain"):
            return {}
        return {int(row["id"]): str(row["hash"]) for row in self._rows("SELECT * FROM audit_chain ORDER BY id")}

    def keys(self, recipe: str, environment: str) -> list[ApiKey]:
        """List the keys of a service, the oldest first; those that were revoked, too."""
        chosen = "SELECT * FROM keys WHERE recipe = :recipe ORDER BY created, id"
        found = self._of("keys", ApiKey, chosen, recipe=recipe)
        return [key for key in found if key.environment in (None, environment)]

    def approvals(self, recipe: str, release: int) -> list[Approval]:
        """List who approved of a release, for which environment; the oldest first."""
        chosen = "SELECT * FROM approvals WHERE recipe = :recipe AND release = :release ORDER BY time, actor"
        return self._of("approvals", Approval, chosen, recipe=recipe, release=release)

    def placements(self, recipe: str) -> list[Placement]:
        """List which release each environment has."""
        chosen = "SELECT * FROM placements WHERE recipe = :recipe ORDER BY environment"
        return self._of("placements", Placement, chosen, recipe=recipe)

    def retirements(self, recipe: str) -> dict[int, Retirement]:
        """Give the releases that were retired, by number."""
        chosen = "SELECT * FROM retirements WHERE recipe = :recipe ORDER BY release"
        return {item.release: item for item in self._of("retirements", Retirement, chosen, recipe=recipe)}

    def checks(self, recipe: str, environment: str, limit: int = 100) -> list[Check]:
        """List what monitoring found in an environment, the newest first."""
        return self._checks("payload", recipe, environment, limit)

    def check_states(self, recipe: str, environment: str, limit: int = 100) -> list[Check]:
        """List the same without the findings: what monitoring said, and when."""
        return self._checks("'{}' AS payload", recipe, environment, limit)

    def _checks(self, payload: str, recipe: str, environment: str, limit: int) -> list[Check]:
        if self._database is None or not self._database.has("checks"):
            return []
        columns, which = f"id, recipe, release, time, status, {payload}", "recipe = :recipe"
        values: dict[str, Any] = {"recipe": recipe, "limit": limit}
        if self._database.has_column("checks", "environment"):
            columns, which = (
                f"{columns}, environment",
                f"{which} AND (environment IS NULL OR environment = :environment)",
            )
            values["environment"] = environment
        return self._all(Check, f"SELECT {columns} FROM checks WHERE {which} ORDER BY id DESC LIMIT :limit", **values)


class OperationsWriter:
    """Writes records of operating a model."""

    _writes: Database

    def add_audit(
        self,
        *,
        actor: str,
        action: str,
        recipe: str,
        release: int | None = None,
        environment: str | None = None,
        payload: Json | None = None,
    ) -> None:
        """Record what somebody did, linked to what was recorded before."""
        values = {
            "time": time.time(),
            "actor": actor,
            "action": action,
            "recipe": recipe,
            "release": release,
            "environment": environment,
            "payload": payload or {},
        }
        row = to_row(values)
        with self._writes.transaction() as transaction:
            self._writes.lock_numbers(transaction)
            (made,) = transaction.rows(f"{insertion('audit', row)} RETURNING id", row)
            extend(transaction, {"id": int(made["id"]), **row})

    def put_key(self, key: ApiKey) -> None:
        """Record a key, in place of the one with its id."""
        with self._writes.transaction() as transaction:
            put(transaction, "keys", "id", asdict(key))

    def approve(self, approval: Approval) -> None:
        """Record an approval; of one person's, the last one counts."""
        with self._writes.transaction() as transaction:
            put(transaction, "approvals", "recipe, release, environment, actor", asdict(approval))

    def place(self, placement: Placement) -> None:
        """Record which release an environment has, in place of the one before."""
        with self._writes.transaction() as transaction:
            put(transaction, "placements", "recipe, environment", asdict(placement))

    def remove_placement(self, recipe: str, environment: str) -> None:
        """Record that an environment has no release any more."""
        with self._writes.transaction() as transaction:
            wanted = {"recipe": recipe, "environment": environment}
            transaction.run("DELETE FROM placements WHERE recipe = :recipe AND environment = :environment", wanted)

    def retire(self, retirement: Retirement) -> None:
        """Record the end of a release; the first one counts."""
        with self._writes.transaction() as transaction:
            known = "SELECT release FROM retirements WHERE recipe = :recipe AND release = :release"
            if not transaction.rows(known, {"recipe": retirement.recipe, "release": retirement.release}):
                insert(transaction, "retirements", asdict(retirement))

    def add_check(self, *, recipe: str, environment: str, release: int, status: str, payload: Json) -> int:
        """Record what monitoring found; returns the check's number."""
        values = {"recipe": recipe, "environment": environment, "release": release}
        row = to_row({**values, "time": time.time(), "status": status, "payload": payload})
        with self._writes.transaction() as transaction:
            (made,) = transaction.rows(f"{insertion('checks', row)} RETURNING id", row)
        return int(made["id"])
