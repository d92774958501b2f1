"""A store tells which of its artifacts are not what their names say, and mends what can be mended."""

from __future__ import annotations

import pytest

from mlops_compiler.store.backup import Backup
from mlops_compiler.store.health import faults, repair, users
from mlops_compiler.store.location import StoreLocation
from mlops_compiler.store.objects import digest_of
from mlops_compiler.store.reader import open_reader
from mlops_compiler.store.records import FoldRecord, StageRecord
from mlops_compiler.store.writer import open_writer

ROWS, DEALT, SAID, MODEL = b"the rows", b"who is in which fold", b"what a trial said", b"what serves"


@pytest.fixture
def kept(store, make):
    """A store with a stage that comes from outside, one that is computed, a fold and a release."""
    store.record_stage(
        make(StageRecord, name="snapshot", fingerprint="1" * 64, outputs={"snapshot": store.objects.put(ROWS)})
    )
    store.record_stage(make(StageRecord, fingerprint="2" * 64, outputs={"split": store.objects.put(DEALT)}))
    store.record_fold(make(FoldRecord, predictions=store.objects.put(SAID)))
    store.register_release(
        recipe="churn", fingerprint="3" * 64, manifest=store.objects.put(MODEL), metrics={}, run_id="r1", notes=""
    )
    return store


def damage(store, content):
    path = store.objects.local_path(digest_of(content))
    path.write_bytes(content + b"!")


def lose(store, content):
    store.objects.discard(digest_of(content))


def found(store):
    return {fault.digest: (fault.state, [str(user) for user in fault.users]) for fault in faults(store, users(store))}


def test_every_artifact_that_a_record_names_is_hashed(kept):
    assert set(users(kept)) == {digest_of(content) for content in (ROWS, DEALT, SAID, MODEL)}
    assert found(kept) == {}
    damage(kept, DEALT)
    lose(kept, SAID)
    lose(kept, MODEL)
    assert found(kept) == {
        digest_of(DEALT): ("damaged", ["churn split"]),
        digest_of(SAID): ("missing", ["the predictions of a fold"]),
        digest_of(MODEL): ("missing", ["churn release 1"]),
    }


def test_what_another_place_has_whole_comes_back(kept, tmp_path):
    other = open_writer(StoreLocation(url=str(tmp_path / "other")))
    for content in (ROWS, DEALT, SAID):
        other.objects.put(content)
    damage(other, DEALT)
    for content in (ROWS, DEALT, SAID):
        damage(kept, content)
    done = repair(faults(kept, users(kept)), kept, [other.objects])
    assert {item.fault.digest: item.outcome for item in done} == {
        digest_of(ROWS): "restored",
        digest_of(DEALT): "removed",
        digest_of(SAID): "restored",
    }
    assert kept.objects.get(digest_of(ROWS)) == ROWS
    assert kept.folds(["a" * 64])


def test_what_a_run_can_make_again_is_cleared_away_and_what_it_cannot_is_lost(kept):
    for content in (ROWS, DEALT, SAID):
        damage(kept, content)
    done = repair(faults(kept, users(kept)), kept, [])
    assert {item.fault.digest: item.outcome for item in done} == {
        digest_of(ROWS): "lost",
        digest_of(DEALT): "removed",
        digest_of(SAID): "removed",
    }
    assert kept.stage("2" * 64) is None
    assert kept.folds(["a" * 64]) == {}


def test_a_copy_of_a_model_is_no_version_of_the_data(kept, make, tmp_path):
    record = make(StageRecord, name="train", fingerprint="4" * 64, outputs={"manifest": digest_of(MODEL)})
    backup = Backup(str(tmp_path / "backup"))
    backup.keep(record, kept.objects)
    assert backup.has(record)
    assert backup.records("churn") == []
    lose(kept, MODEL)
    (done,) = repair(faults(kept, users(kept)), kept, [backup.objects])
    assert done.outcome == "restored"


def test_a_database_examines_itself(kept, location):
    assert open_reader(location).faults() == []
    with kept._writes.transaction() as transaction:
        transaction.run("PRAGMA writable_schema = 1", {})
        (index,) = transaction.rows("SELECT rootpage FROM sqlite_master WHERE name = 'runs_by_recipe'", {})
        transaction.run(
            "UPDATE sqlite_master SET rootpage = :page WHERE name = 'events_by_run'", {"page": index["rootpage"]}
        )
    assert any("events_by_run" in text or "page" in text.lower() for text in open_reader(location).faults())
