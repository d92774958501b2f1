"""Records of operating a model: written, read back, and absent from a store that was made before they were."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, Any

import pytest

from mlops_compiler.store.location import StoreLocation
from mlops_compiler.store.operations import ApiKey, Approval, Placement, Retirement
from mlops_compiler.store.reader import open_reader
from mlops_compiler.store.segments import PREDICTIONS, Segments
from mlops_compiler.store.writer import open_writer

if TYPE_CHECKING:
    from pathlib import Path

    from mlops_compiler.store.writer import StoreWriter


@pytest.fixture
def store(tmp_path: Path) -> StoreWriter:
    return open_writer(StoreLocation(url=str(tmp_path / "store")))


def test_what_was_done_is_read_back_newest_first(store: StoreWriter) -> None:
    store.add_audit(actor="ann@host", action="deploy", recipe="churn", release=1)
    store.add_audit(actor="bob@host", action="rollback", recipe="churn", release=2, payload={"why": "errors"})
    store.add_audit(actor="bob@host", action="deploy", recipe="loan", release=1)
    found = open_reader(store.location).audit("churn")
    assert [(entry.actor, entry.action, entry.release, entry.payload) for entry in found] == [
        ("bob@host", "rollback", 2, {"why": "errors"}),
        ("ann@host", "deploy", 1, {}),
    ]
    assert len(store.audit()) == 3
    assert len(store.audit(limit=1)) == 1


def test_a_key_that_is_revoked_or_too_old_opens_nothing(store: StoreWriter) -> None:
    about: dict[str, Any] = {"id": "k1", "recipe": "churn", "name": "crm", "hash": "x", "roles": ["predict"]}
    key = ApiKey(**about, environment="test", created=1.0, expires=10.0)
    store.put_key(key)
    (kept,) = store.keys("churn", "test")
    assert kept == key
    assert kept.opens(9.9)
    assert not kept.opens(10.0)
    store.put_key(ApiKey(**about, environment="test", created=1.0, revoked=5.0))
    (kept,) = store.keys("churn", "test")
    assert not kept.opens(6.0)


def test_one_person_approves_once_and_an_environment_has_one_release(store: StoreWriter) -> None:
    for time in (1.0, 2.0):
        store.approve(Approval(recipe="churn", release=2, environment="production", actor="ann", time=time))
        store.place(Placement(recipe="churn", environment="production", release=int(time), actor="ann", time=time))
    assert [approval.time for approval in store.approvals("churn", 2)] == [2.0]
    assert store.approvals("churn", 1) == []
    assert [placement.release for placement in store.placements("churn")] == [2]


def test_the_first_retirement_counts(store: StoreWriter) -> None:
    for time, notes in ((1.0, "old"), (2.0, "again")):
        store.retire(Retirement(recipe="churn", release=1, actor="ann", time=time, notes=notes))
    assert store.retirements("churn")[1].notes == "old"


def test_checks_count_up(store: StoreWriter) -> None:
    about: dict[str, Any] = {"recipe": "churn", "environment": "test", "release": 1, "status": "quiet"}
    numbers = [store.add_check(**about, payload={"n": n}) for n in (1, 2)]
    assert numbers[1] > numbers[0]
    assert [check.payload["n"] for check in store.checks("churn", "test")] == [2, 1]
    assert [check.payload for check in store.check_states("churn", "test", limit=1)] == [{}]
    assert store.checks("churn", "production") == []


def test_a_key_opens_in_its_environment_alone(store: StoreWriter) -> None:
    about: dict[str, Any] = {"recipe": "churn", "hash": "x", "roles": ["predict"], "created": 1.0}
    for environment in ("test", "production"):
        store.put_key(ApiKey(id=environment, name="crm", environment=environment, **about))
    assert [key.id for key in store.keys("churn", "production")] == ["production"]
    assert store.keys("churn", "development") == []


def test_a_store_of_before_reads_as_if_nothing_was_done(store: StoreWriter) -> None:
    with sqlite3.connect(str(store.location.sqlite)) as connection:
        for table in ("audit", "keys", "approvals", "placements", "retirements", "checks"):
            connection.execute(f"DROP TABLE {table}")
    reader = open_reader(store.location)
    assert (
        reader.audit()
        == reader.keys("churn", "test")
        == reader.approvals("churn", 1)
        == reader.checks("churn", "test")
        == []
    )
    assert reader.placements("churn") == []
    assert reader.retirements("churn") == {}


@pytest.mark.parametrize("scheme", ["", "file://"])
def test_segments_are_listed_in_the_order_they_were_written(tmp_path: Path, scheme: str) -> None:
    segments = Segments(StoreLocation(url=f"{scheme}{tmp_path}/store"), PREDICTIONS, "churn")
    assert segments.names() == []
    names = [segments.append(content) for content in (b"one", b"two", b"three")]
    assert segments.names() == names
    assert segments.names(after=names[0]) == names[1:]
    assert segments.read(names[1]) == b"two"
    segments.remove(names[0])
    assert segments.names() == names[1:]
