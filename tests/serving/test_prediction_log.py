"""The log keeps what was answered, waits for nothing, and counts what it loses."""

from __future__ import annotations

import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import orjson
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlops_compiler.monitoring import observed
from mlops_compiler.serving import prediction_log
from mlops_compiler.serving.exchange import Exchange, Served, new_id
from mlops_compiler.serving.prediction_log import LogSettings, PredictionLog
from mlops_compiler.serving.service import Around, Service
from mlops_compiler.store.failures import failure
from mlops_compiler.store.location import StoreLocation
from mlops_compiler.store.segments import PREDICTIONS, TRAFFIC


class Clock:
    now = 1_800_000_000.0

    def __call__(self):
        return self.now


@pytest.fixture
def location(tmp_path):
    return StoreLocation(url=str(tmp_path / "store"))


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def make_log(location, clock):
    return lambda **settings: PredictionLog(location, "churn", 3, LogSettings(**settings), clock)


def served(rows=1, **about):
    exchange = Exchange(**about)
    return Served(
        exchange=exchange,
        ids=exchange.names(rows, single=rows == 1),
        keys={0: 17},
        inputs=pl.DataFrame({"tenure": [5] * rows, "name": ["Ann"] * rows}),
        outputs=pl.DataFrame({"probability": [0.25] * rows, "decision": ["No"] * rows}),
        seconds=0.002,
    )


def test_what_was_answered_is_read_back(make_log, location):
    log = make_log()
    one, two = served(client="crm", came=1_800_000_000.5), served(rows=2, role="canary")
    log.record(one)
    log.record(two)
    log.close()
    rows = observed.predictions(location, "churn").to_dicts()
    by_id = {row["id"]: row for row in rows}
    assert set(by_id) == {*one.ids, *two.ids}
    first = by_id[one.ids[0]]
    assert (first["release"], first["role"], first["client"], first["key"]) == (3, "answer", "crm", "17")
    assert first["time"].timestamp() == 1_800_000_000.5
    assert first["input"] == {"tenure": 5, "name": "Ann"}
    assert first["output"] == {"probability": 0.25, "decision": "No"}
    assert [by_id[name]["key"] for name in two.ids] == ["17", None]
    assert log.facts == {"waiting": 0, "lost": 0}


def test_what_is_excluded_is_not_kept(make_log, location):
    log = make_log(exclude=("name", "elsewhere"))
    log.record(served())
    log.close()
    assert observed.predictions(location, "churn")["input"].struct.fields == ["tenure"]


def test_a_sample_keeps_its_share_and_counts_all(make_log, location):
    log = make_log(sample=0.25)
    for _ in range(2000):
        log.record(served())
        log.count(200, 0.01)
    log.close()
    assert 400 <= observed.predictions(location, "churn").height <= 600
    assert observed.traffic(location, "churn")["requests"].sum() == 2000


def test_a_release_on_trial_keeps_the_same_requests(make_log):
    names = [new_id() for _ in range(200)]
    kept = [[log._keeps(name) for name in names] for log in (make_log(sample=0.3), make_log(sample=0.3))]
    assert kept[0] == kept[1]


def test_what_finds_no_room_is_lost_and_counted(make_log, location, monkeypatch):
    monkeypatch.setattr(prediction_log, "_MOST_ROWS", 3)
    log = make_log()
    for _ in range(5):
        log.record(served())
        log.count(200, 0.01)
    assert log.facts == {"waiting": 3, "lost": 2}
    log.close()
    assert observed.predictions(location, "churn").height == 3
    assert observed.traffic(location, "churn")["lost"].to_list() == [2]


def test_a_store_that_cannot_be_written_fails_nobody(make_log, location, monkeypatch):
    log = make_log()

    def full(*_args, **_more):
        raise failure("store-full", "no space is left")

    for segments in log._segments.values():
        monkeypatch.setattr(segments, "append", full)
    log.record(served(rows=4))
    log.count(200, 0.01)
    log.flush(whole=True)
    assert log.facts == {"waiting": 4, "lost": 0}
    monkeypatch.undo()
    log.record(served())
    log.count(200, 0.02)
    log.close()
    assert observed.predictions(location, "churn").height == 5
    assert observed.traffic(location, "churn")["requests"].sum() == 2
    assert log.facts == {"waiting": 0, "lost": 0}


def test_a_store_that_stays_away_keeps_the_log_bounded(make_log, location, monkeypatch):
    monkeypatch.setattr(prediction_log, "_MOST_ROWS", 10)
    log, told = make_log(), []
    log.on_loss = told.append

    def away(*_args, **_more):
        raise failure("store-unwritable", "it is away")

    monkeypatch.setattr(log._segments[PREDICTIONS], "append", away)
    for _ in range(8):
        log.record(served(rows=3))
        log.flush()
    assert log.facts == {"waiting": 9, "lost": 15}
    assert sum(told) == 15
    log.count(200, 0.01)
    log.flush(whole=True)
    assert observed.traffic(location, "churn")["lost"].to_list() == [15]


def test_what_is_not_packed_yet_is_bounded_by_requests(make_log, monkeypatch):
    monkeypatch.setattr(prediction_log, "_MOST_REQUESTS", 2)
    log = make_log()
    for _ in range(3):
        log.record(served(rows=2))
    assert log.facts == {"waiting": 4, "lost": 2}


def test_a_store_that_hangs_does_not_keep_a_replica(make_log, monkeypatch):
    monkeypatch.setattr(prediction_log, "_CLOSE_SECONDS", 0.01)
    log = make_log()
    log.record(served())
    with log._writing:
        log.close()
    assert log.facts["waiting"] == 1


def test_the_key_and_every_field_may_be_left_out(make_log, location):
    log = PredictionLog(location, "churn", 3, LogSettings(exclude=("customer", "tenure", "name")), key="customer")
    log.record(served())
    log.close()
    (row,) = observed.predictions(location, "churn").to_dicts()
    assert row["key"] is None
    assert not any(row["input"].values())
    assert row["output"]["decision"] == "No"
    other = make_log()
    other.record(served())
    other.close()
    assert observed.predictions(location, "churn").height == 2


def test_quantiles_are_drawn_of_the_whole_minute(make_log, location):
    log = make_log()
    for step in range(20_000):
        log.count(200, step / 20_000)
    log.flush(whole=True)
    (row,) = observed.traffic(location, "churn").to_dicts()
    assert row["requests"] == 20_000
    assert row["seconds_p50"] == pytest.approx(0.5, abs=0.1)
    assert row["seconds_p95"] == pytest.approx(0.95, abs=0.05)


def test_many_small_segments_are_put_together_and_old_ones_go(make_log, location, clock):
    log = make_log(keep=86400.0)
    for number in range(40):
        log.record(served())
        log.count(200, 0.01 + number / 1000)
        log.flush(whole=True)
    before = observed.predictions(location, "churn").sort("id")
    clock.now = time.time() + 3600
    log._tend()
    assert [len(log._segments[kind].names()) for kind in (PREDICTIONS, TRAFFIC)] == [1, 1]
    assert observed.predictions(location, "churn").sort("id").equals(before)
    assert observed.traffic(location, "churn")["requests"].sum() == 40
    clock.now = time.time() + 2 * 86400
    log._tend()
    assert observed.predictions(location, "churn").height == 0


def test_a_minute_is_written_when_it_is_over(make_log, location, clock):
    log = make_log()
    for seconds in (0.010, 0.020, 0.500):
        log.count(200, seconds, rows=2)
    log.count(422, 0.001, code="invalid-request")
    log.flush()
    assert observed.traffic(location, "churn").height == 0
    clock.now += 60
    log.flush()
    rows = observed.traffic(location, "churn").sort("status").to_dicts()
    assert [(row["status"], row["code"], row["requests"], row["rows"]) for row in rows] == [
        (200, None, 3, 6),
        (422, "invalid-request", 1, 0),
    ]
    assert (rows[0]["seconds_p50"], rows[0]["seconds_p99"]) == (0.020, 0.500)
    assert rows[0]["seconds_sum"] == pytest.approx(0.530)


def test_many_threads_lose_nothing(make_log, location):
    log = make_log()
    log.start()

    def ask():
        for _ in range(200):
            log.record(served())

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    log.close()
    found = observed.predictions(location, "churn")
    assert (found.height, found["id"].n_unique(), log.facts["lost"]) == (800, 800, 0)


def test_ids_sort_by_time():
    names = [new_id(1_800_000_000 + step / 100) for step in range(100)]
    assert names == sorted(names)
    assert len(set(names)) == 100
    assert {len(name) for name in names} == {32}


@given(
    asked=st.lists(st.lists(st.integers(0, 63), min_size=1, max_size=5) | st.integers(0, 63), min_size=1, max_size=8)
)
@settings(max_examples=25, deadline=None)
def test_what_is_logged_is_what_was_answered(predictor, rows, asked):
    with tempfile.TemporaryDirectory() as folder:
        location = StoreLocation(url=folder)
        log = PredictionLog(location, "churn", 3, key="customer")
        service = Service(predictor, {"recipe": "churn", "release": 3}, Around(log=log))
        sent = {index: {**row, "customer": f"c{index}"} for index, row in enumerate(rows.to_dicts())}

        def ask(chosen):
            wanted = sent[chosen] if isinstance(chosen, int) else [sent[index] for index in chosen]
            answer = service.answer(orjson.dumps(wanted), Exchange())
            return [answer] if isinstance(chosen, int) else answer["predictions"]

        with ThreadPoolExecutor(4) as pool:
            answered = [answer for answers in pool.map(ask, asked) for answer in answers]
        log.close()
        found = {row["id"]: row for row in observed.predictions(location, "churn").to_dicts()}
    assert len(found) == len(answered)
    for answer in answered:
        row = found[answer["id"]]
        assert row["output"] == {name: answer[name] for name in ("probability", "decision")}
        assert row["key"] == answer["customer"]
        assert {**row["input"], "customer": row["key"]} == sent[int(row["key"][1:])]


def test_each_environment_tends_its_own_log_and_that_of_before(location, clock):
    clock.now = time.time()
    logs = {
        name: PredictionLog(location, name, 3, LogSettings(keep=86400.0), clock)
        for name in ("churn", "churn.test", "churn.production")
    }
    for log in logs.values():
        log.record(served())
        log.flush(whole=True)
    clock.now += 2 * 86400
    logs["churn.test"]._tend()
    assert {name: len(log._segments[PREDICTIONS].names()) for name, log in logs.items()} == {
        "churn": 0,
        "churn.test": 0,
        "churn.production": 1,
    }
