"""What is recorded is told again, in order, and never more than is there."""

from __future__ import annotations

import os
import socket
import sqlite3
import subprocess
import sys
from contextlib import closing

import pytest

from mlops_compiler.store.reader import open_reader
from mlops_compiler.store.records import Deployment, FoldRecord, RunRecord, StageRecord
from mlops_compiler.store.writer import open_writer


@pytest.fixture
def dead_pid():
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def test_a_stage_is_recorded_whole(store, make, location):
    record = make(StageRecord, outputs={"table": store.objects.put(b"table")})
    store.record_stage(record)
    assert open_reader(location).stage(record.fingerprint) == record
    assert store.stage("0" * 64) is None


def test_a_stage_is_there_while_all_its_objects_are(store, make):
    digests = [store.objects.put(content) for content in (b"one", b"two")]
    record = make(StageRecord, outputs=dict(zip("ab", digests, strict=True)))
    store.record_stage(record)
    store.objects.local_path(digests[1]).unlink()
    assert store.stage(record.fingerprint) is None
    assert store.last_stage("churn", "split") == record
    store.objects.put(b"two")
    assert store.stage(record.fingerprint) == record


def test_a_stage_recorded_again_replaces_itself(store, make):
    store.record_stage(make(StageRecord, seconds=1.0))
    store.record_stage(make(StageRecord, seconds=2.0))
    assert store.stage("f" * 64).seconds == 2.0


def test_the_last_stage_is_of_the_same_recipe_and_name(store, make):
    store.record_stage(make(StageRecord, fingerprint="1" * 64, started=3.0))
    store.record_stage(make(StageRecord, fingerprint="2" * 64, started=1.0))
    store.record_stage(make(StageRecord, fingerprint="3" * 64, started=9.0, recipe="other"))
    store.record_stage(make(StageRecord, fingerprint="4" * 64, started=9.0, name="train"))
    assert store.last_stage("churn", "split").fingerprint == "1" * 64
    assert store.last_stage("churn", "search") is None


def test_folds_are_found_by_name_and_recorded_once(store, make):
    records = [make(FoldRecord, fingerprint=f"{number:064}", fold=number) for number in range(3)]
    for record in [*records, records[1]]:
        store.record_fold(record)
    assert store.folds(record.fingerprint for record in records) == {record.fingerprint: record for record in records}
    assert store.folds(["x" * 64, records[2].fingerprint]) == {records[2].fingerprint: records[2]}
    assert store.folds([]) == {}


def test_more_folds_are_found_than_a_query_may_name(store, make):
    record = make(FoldRecord)
    store.record_fold(record)
    assert store.folds([f"{number:064}" for number in range(1200)] + [record.fingerprint]) == {
        record.fingerprint: record
    }


def test_runs_are_listed_newest_first(store, make):
    for number in range(4):
        recipe = "other" if number == 3 else "churn"
        store.start_run(make(RunRecord, run_id=f"r{number}", started=float(number), recipe=recipe))
    assert [run.run_id for run in store.runs()] == ["r3", "r2", "r1", "r0"]
    assert [run.run_id for run in store.runs("churn", limit=2)] == ["r2", "r1"]
    assert store.run("r1") == make(RunRecord, started=1.0)
    assert store.run("r9") is None


def test_a_run_that_ends_says_how(store, make):
    store.start_run(make(RunRecord))
    store.finish_run("r1", "succeeded", {"release": 3})
    run = store.run("r1")
    assert (run.status, run.summary) == ("succeeded", {"release": 3})
    assert run.finished > run.started


def test_what_a_run_recorded_at_its_start_is_kept_when_it_ends(store, make):
    store.start_run(make(RunRecord, summary={"code": {"commit": "abc"}, "release": None}))
    store.finish_run("r1", "succeeded", {"release": 3})
    assert store.run("r1").summary == {"code": {"commit": "abc"}, "release": 3}


def test_runs_are_found_by_the_start_of_their_names(store, make):
    for number, name in enumerate(["ab1", "ab2", "b%1", "AB3"]):
        store.start_run(make(RunRecord, run_id=name, started=float(number)))
    assert [run.run_id for run in store.runs_named("ab")] == ["ab2", "ab1"]
    assert [run.run_id for run in store.runs_named("b%")] == ["b%1"]
    assert store.runs_named("%") == []


def test_a_stage_whose_object_is_gone_is_still_recorded(store, make):
    record = make(StageRecord, outputs={"rows": "e" * 64})
    store.record_stage(record)
    assert store.stage(record.fingerprint) is None
    assert store.stage_record(record.fingerprint) == record


@pytest.mark.parametrize(
    ("before", "alive", "shown"),
    [
        pytest.param({"status": "running", "host": socket.gethostname()}, True, "running", id="alive"),
        pytest.param({"status": "running", "host": socket.gethostname()}, False, "lost", id="dead"),
        pytest.param({"status": "running", "host": "elsewhere"}, False, "running", id="elsewhere"),
        pytest.param({"status": "failed", "host": socket.gethostname()}, False, "failed", id="ended"),
    ],
)
def test_a_run_whose_process_is_gone_is_lost(store, make, dead_pid, before, alive, shown):
    store.start_run(make(RunRecord, **before, pid=os.getpid() if alive else dead_pid))
    assert store.run("r1").status == shown
    assert [run.status for run in store.runs()] == [shown]


def test_events_follow_one_another(store):
    numbers = [store.add_event("r1", "note", {"text": f"{number} é"}) for number in range(4)]
    store.add_event("r2", "note", {"text": "of another run"})
    assert numbers == sorted(set(numbers))
    events = store.events("r1")
    assert [(event.id, event.payload["text"]) for event in events] == [
        (number, f"{index} é") for index, number in enumerate(numbers)
    ]
    assert [event.id for event in store.events("r1", after=numbers[1])] == numbers[2:]
    assert store.events("r1", after=numbers[-1]) == []


def test_a_recipe_has_one_deployment_in_each_environment(store, make):
    first, second, other = make(Deployment), make(Deployment, release=2), make(Deployment, recipe="other")
    production = make(Deployment, environment="production")
    for deployment in (first, second, production, other):
        store.record_deployment(deployment)
    assert store.deployments() == [production, second, other]
    assert store.deployments("churn") == [production, second]
    assert store.foremost("churn") == production
    store.remove_deployment("churn", "production")
    assert store.deployment("churn", "production") is None
    assert store.foremost("churn") == store.deployment("churn", "development") == second
    assert store.deployment("other", "development") == other
    store.remove_deployment("churn", "test")
    assert store.deployments("churn") == [second]


def test_the_hash_of_a_file_is_recalled_until_it_is_touched(store):
    store.remember_file("data.csv", 10, 2**60 + 1, "a" * 64)
    assert store.file_digest("data.csv", 10, 2**60 + 1) == "a" * 64
    assert store.file_digest("data.csv", 10, 2**60 + 2) is None
    assert store.file_digest("data.csv", 11, 2**60 + 1) is None
    store.remember_file("data.csv", 11, 5, "b" * 64)
    assert store.file_digest("data.csv", 10, 2**60 + 1) is None
    assert store.file_digest("data.csv", 11, 5) == "b" * 64


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_what_json_lacks_is_refused_and_leaves_no_trace(store, value):
    with pytest.raises(Exception, match="JSON"):
        store.add_event("r1", "note", {"value": value})
    assert store.events("r1") == []


def test_how_a_fit_went_is_kept_beside_its_fold(store, make):
    told = {"unit": "epoch", "steps": [1, 2], "training": [0.7, None], "best": 1}
    with_history, without = make(FoldRecord, history=told), make(FoldRecord, fingerprint="e" * 64)
    store.record_fold(with_history)
    store.record_fold(without)
    found = store.folds([with_history.fingerprint, without.fingerprint])
    assert found == {with_history.fingerprint: with_history, without.fingerprint: without}


def test_a_store_from_before_there_were_histories_is_read_and_written(store, location, make):
    store.record_fold(make(FoldRecord))
    with closing(sqlite3.connect(location.sqlite)) as connection:
        connection.execute("DROP TABLE histories")
        connection.commit()
    assert open_reader(location).folds(["a" * 64]) == {"a" * 64: make(FoldRecord)}
    open_writer.cache_clear()
    again = open_writer(location)
    again.record_fold(make(FoldRecord, history={"steps": [1]}))
    assert again.folds(["a" * 64])["a" * 64].history == {"steps": [1]}
