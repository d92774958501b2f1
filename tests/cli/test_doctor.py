"""`doctor`: what is kept and served is examined, told, and mended from another place (L-CI-4)."""

from __future__ import annotations

import json
import os
import socket

import pytest

from mlops_compiler.cli import main
from mlops_compiler.store.location import StoreLocation
from mlops_compiler.store.objects import digest_of
from mlops_compiler.store.records import Deployment, FoldRecord, RunRecord, StageRecord
from mlops_compiler.store.writer import open_writer

ROWS = b"the rows of a version"


@pytest.fixture
def store(tmp_path, monkeypatch):
    """The usual store of the working directory, with one version of data and two folds."""
    monkeypatch.chdir(tmp_path)
    made = open_writer(StoreLocation(url=str(tmp_path / ".mlops")))
    made.record_stage(
        StageRecord(
            fingerprint="1" * 64,
            recipe="churn",
            name="snapshot",
            ingredients={},
            outputs={"snapshot": made.objects.put(ROWS)},
            summary={},
            run_id="r1",
            started=1.0,
            seconds=1.0,
        )
    )
    for number in (0, 1):
        made.record_fold(
            FoldRecord(
                fingerprint=str(number + 2) * 64,
                trial="t" * 64,
                fold=number,
                metrics={},
                predictions=made.objects.put(f"said of fold {number}".encode()),
                seconds=1.0,
            )
        )
    return made


def told(capsys, *words):
    capsys.readouterr()
    code = main(["doctor", *words, "--json"])
    return code, {item["what"]: (item["state"], item["told"]) for item in json.loads(capsys.readouterr().out)}


def test_a_store_that_is_whole(store, capsys):
    code, found = told(capsys)
    assert code == 0
    assert found["metadata"] == ("well", "the database finds nothing wrong with itself")
    assert found["artifacts"] == ("well", "3 hashed anew, each has the content of its name")
    assert found["space"][0] in ("well", "note")


def test_where_there_is_no_store_nothing_is_wrong_and_nothing_made(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    code, found = told(capsys)
    assert (code, found["artifacts"][0]) == (0, "well")
    assert list(tmp_path.iterdir()) == []


def test_data_that_are_damaged_come_back_from_a_copy(store, tmp_path, capsys):
    store.objects.local_path(digest_of(ROWS)).write_bytes(b"other rows")
    wrong = f"{digest_of(ROWS)[:12]}, churn snapshot"
    code, found = told(capsys)
    assert (code, found["damaged"]) == (3, ("wrong", wrong))
    code, found = told(capsys, "--repair")
    assert (code, found["lost"]) == (3, ("wrong", wrong))
    open_writer(StoreLocation(url=str(tmp_path / "copy"))).objects.put(ROWS)
    code, found = told(capsys, "--repair", "--from", "copy")
    assert (code, found["restored"]) == (0, ("well", wrong))
    assert store.objects.get(digest_of(ROWS)) == ROWS


def test_folds_that_lost_their_predictions_are_told_together_and_fitted_again(store, capsys):
    for number in (0, 1):
        store.objects.discard(digest_of(f"said of fold {number}".encode()))
    code, found = told(capsys)
    assert (code, found["missing"]) == (3, ("wrong", "the predictions of 2 folds"))
    code, found = told(capsys, "--repair")
    assert (code, found["removed"]) == (0, ("note", "the predictions of 2 folds"))
    assert store.folds(["2" * 64, "3" * 64]) == {}
    assert told(capsys)[1]["artifacts"] == ("well", "1 hashed anew, each has the content of its name")


def test_a_run_whose_process_is_gone_and_a_service_that_does_not_answer(store, capsys):
    child = os.fork()
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)
    store.start_run(
        RunRecord(
            run_id="20260101-lost",
            recipe="churn",
            status="running",
            started=1.0,
            finished=None,
            pid=child,
            host=socket.gethostname(),
            overrides=[],
        )
    )
    store.record_deployment(
        Deployment(
            recipe="churn",
            release=4,
            route="/churn",
            host="127.0.0.1",
            port=1,
            address="127.0.0.1:1",
            pid=child,
            created=1.0,
            app="churn",
            session="",
            settings={"url": "http://127.0.0.1:1/churn", "folder": str(store.location.folder)},
        )
    )
    code, found = told(capsys)
    assert code == 3
    assert found["runs"] == ("note", "1 ended without a word, the last of them 20260101-lost")
    state, text = found["service"]
    assert state == "wrong"
    assert text.startswith("churn release 4 in development is ")


def test_what_to_do_stands_beside_what_is_wrong(store, capsys):
    store.objects.discard(digest_of(ROWS))
    assert main(["doctor"]) == 3
    shown = " ".join(capsys.readouterr().out.split())
    assert "1 wrong" in shown
    assert "bring it back: mlops-compile doctor --repair --from PLACE" in shown


def test_a_place_without_a_repair_is_refused(store, capsys):
    assert main(["doctor", "--from", "copy"]) == 2
    assert "mlops-compile doctor --repair --from copy" in capsys.readouterr().err
