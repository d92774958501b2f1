"""Reading creates nothing; a place that cannot be a store says why, and never tells a password."""

from __future__ import annotations

import pickle
import sqlite3
from contextlib import closing

import pytest

from mlops_compiler.diagnostics import EngineError, render_text
from mlops_compiler.store.database import open_database
from mlops_compiler.store.location import StoreLocation
from mlops_compiler.store.reader import open_reader
from mlops_compiler.store.records import RunRecord, StageRecord
from mlops_compiler.store.tables import SCHEMA_VERSION
from mlops_compiler.store.writer import open_writer


def refusal(open_store, location):
    with pytest.raises(EngineError) as refused:
        open_store(location)
    return refused.value.diagnostics[0].code, render_text(refused.value.diagnostics)


def places(root):
    return {
        "folder": StoreLocation(url=str(root / "store")),
        "file URL": StoreLocation(url=f"file://{root}/store"),
        "database beside it": StoreLocation(url=str(root / "store"), database=f"sqlite:///{root}/other.db"),
        "memory URL": StoreLocation(url=f"memory://{root.name}", database=f"sqlite:///{root}/other.db"),
    }


KINDS = list(places(StoreLocation(url="x").folder))


@pytest.mark.parametrize("kind", KINDS)
def test_a_store_that_is_not_there_reads_as_an_empty_one_and_stays_so(tmp_path, kind):
    reader = open_reader(places(tmp_path)[kind])
    assert reader.stage("f" * 64) is None
    assert reader.last_stage("churn", "split") is None
    assert reader.folds(["f" * 64]) == {}
    assert reader.runs() == reader.events("r1") == reader.releases("churn") == reader.deployments() == []
    assert reader.run("r1") is reader.release("churn") is reader.deployment("churn", "test") is None
    assert reader.file_digest("data.csv", 1, 1) is None
    assert not reader.objects.exists("f" * 64)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_written_at_a_place_is_read_there(tmp_path, make, kind):
    location = places(tmp_path)[kind]
    store = open_writer(location)
    record = make(StageRecord, outputs={"table": store.objects.put(b"rows")})
    store.record_stage(record)
    reader = open_reader(pickle.loads(pickle.dumps(location)))  # noqa: S301 - as it travels to workers
    assert reader.stage(record.fingerprint) == record
    assert reader.objects.get(record.outputs["table"]) == b"rows"


def test_a_database_that_nothing_was_written_to_yet_is_empty(location):
    location.sqlite.parent.mkdir()
    location.sqlite.touch()
    assert open_reader(location).runs() == []
    assert location.sqlite.stat().st_size == 0


def test_a_reader_cannot_write(store, location, make):
    reader, database = open_reader(location), open_database(location, read_only=True)
    with pytest.raises(EngineError) as refused, database.transaction() as transaction:
        transaction.run("UPDATE schema_version SET version = 9", {})
    assert refused.value.diagnostics[0].code == "store-unwritable"
    store.start_run(make(RunRecord))
    assert len(reader.runs()) == 1


@pytest.mark.parametrize(
    "open_store", [open_reader, lambda place: open_database(place).create()], ids=["read", "write"]
)
def test_a_store_of_another_version_is_refused(store, location, open_store):
    with closing(sqlite3.connect(location.sqlite)) as connection, connection:
        connection.execute("UPDATE schema_version SET version = ?", [SCHEMA_VERSION + 1])
    code, message = refusal(open_store, location)
    assert code == "store-version"
    assert f"layout {SCHEMA_VERSION + 1}" in message


@pytest.mark.parametrize("below", ["", "sub/store"], ids=["a file", "below a file"])
def test_a_place_that_cannot_be_a_folder_is_refused(tmp_path, below):
    (tmp_path / "file").write_text("x")
    location = StoreLocation(url=str(tmp_path / "file" / below))
    assert open_reader(location).runs() == []
    code, message = refusal(open_writer, location)
    assert code == "store-unwritable"
    assert location.url in message


@pytest.mark.parametrize("open_store", [open_reader, open_writer], ids=["read", "write"])
def test_metadata_that_are_none_are_refused(location, open_store):
    location.sqlite.parent.mkdir()
    location.sqlite.write_bytes(b"no database" * 100)
    code, message = refusal(open_store, location)
    assert code == "store-damaged"
    assert "another store" in message


@pytest.mark.parametrize("open_store", [open_reader, open_writer], ids=["read", "write"])
@pytest.mark.parametrize(
    ("url", "database", "words"),
    [
        pytest.param("s3://me:hunter2@bucket/x", None, "s3://bucket/x needs `store.database`", id="no database"),
        pytest.param("nope://me:hunter2@host/x", "sqlite:///{root}/m.db", "opened at nope://host/x", id="unknown URL"),
        pytest.param("folder", "postgres me:hunter2", "no database URL", id="no URL"),
        pytest.param("folder", "nodriver://me:hunter2@host/x", "no database URL", id="unknown database"),
        pytest.param("folder", "sqlite:///{root}/no/such/m.db", "cannot be opened", id="no folder"),
    ],
)
def test_a_url_that_cannot_be_opened_is_refused_without_its_password(tmp_path, url, database, words, open_store):
    place = url if "://" in url else str(tmp_path / url)
    location = StoreLocation(url=place, database=database and database.format(root=tmp_path))
    if open_store is open_reader and "no/such" in str(database):
        assert open_reader(location).runs() == []
        return
    _, message = refusal(open_store, location)
    assert words in message
    assert "hunter2" not in message


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("s3://bucket/folder", "s3://bucket/folder"),
        ("ftp://me:p@ss@host/a@b", "ftp://host/a@b"),
        ("/a/folder@home", "/a/folder@home"),
    ],
)
def test_a_place_is_shown_without_its_user(url, shown):
    assert StoreLocation(url=url).shown == shown
