"""Predictions beside their outcomes: by id, by key, the first one told; whatever releases answered."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops_compiler.diagnostics import MlopsError
from mlops_compiler.monitoring import observed
from mlops_compiler.store.failures import failure
from mlops_compiler.store.location import StoreLocation
from mlops_compiler.store.records import service_name
from mlops_compiler.store.segments import PREDICTIONS, Segments
from mlops_compiler.store.served import LABEL, PREDICTION
from mlops_compiler.store.tending import tend
from tests.monitoring.logged import at, labelled, outcome_of, predicted, prediction, told


@pytest.fixture
def location(tmp_path):
    return StoreLocation(url=str(tmp_path / "store"))


def test_nothing_is_a_table_without_rows(location):
    assert observed.joined(location, "churn").height == 0
    assert observed.traffic(location, "churn").height == 0
    assert set(observed.joined(location, "churn").columns) >= {"id", "input", "output", "outcome", "outcome_source"}


def test_an_outcome_finds_its_prediction_by_id(location):
    predicted(location, prediction("a", 0), prediction("b", 1))
    labelled(location, told("Yes", 60, name="b"), told("No", 61, name="nobody"))
    assert outcome_of(location) == {"a": None, "b": "Yes"}


def test_a_key_stands_for_the_newest_prediction_before_the_outcome(location):
    predicted(location, prediction("a", 0, key="7"), prediction("b", 10, key="7"), prediction("c", 90, key="7"))
    labelled(location, told("Yes", 60, key="7"), told("No", -5, key="7"), told("No", 70, key="8"))
    assert outcome_of(location) == {"a": None, "b": "Yes", "c": None}


def test_the_first_outcome_counts_whoever_tells_another(location):
    predicted(location, prediction("a", 0, key="7"))
    labelled(location, told("No", 62, name="a", source="key:other"))
    labelled(location, told("Yes", 61, key="7"), told("Yes", 63, name="a"))
    (row,) = observed.joined(location, "churn").to_dicts()
    assert (row["outcome"], row["outcome_source"], row["outcome_time"]) == ("Yes", "key:crm", at(61))


def test_shadows_are_no_answers(location):
    predicted(location, prediction("a", 0), prediction("a", 0, role="shadow", release=2))
    predicted(location, prediction("b", 1, role="canary", release=2), prediction("v", 1, role="verification"))
    assert observed.predictions(location, "churn")["id"].to_list() == ["a", "b"]
    assert observed.predictions(location, "churn", roles=["shadow"])["release"].to_list() == [2]
    assert observed.predictions(location, "churn", release=2)["id"].to_list() == ["b"]


def test_releases_with_other_fields_stand_side_by_side(location):
    predicted(location, prediction("a", 0, tenure=5, contract="monthly"))
    predicted(location, prediction("b", 1, release=2, tenure=7.5, paperless=True))
    inputs = observed.predictions(location, "churn")["input"].struct.unnest()
    assert inputs.to_dicts() == [
        {"tenure": 5.0, "contract": "monthly", "paperless": None},
        {"tenure": 7.5, "contract": None, "paperless": True},
    ]


def test_a_window_is_cut_by_when_rows_were_answered(location):
    predicted(location, *(prediction(str(minute), minute) for minute in range(5)))
    within = observed.predictions(location, "churn", since=at(1), until=at(3))
    assert within["id"].to_list() == ["1", "2"]
    assert observed.joined(location, "churn", since=at(4))["id"].to_list() == ["4"]


@given(
    answers=st.lists(st.tuples(st.integers(0, 20), st.sampled_from("xyz")), max_size=8, unique=True),
    tellings=st.lists(
        st.tuples(st.integers(0, 30), st.sampled_from("xyzw"), st.sampled_from(["Yes", "No"])), max_size=8
    ),
)
def test_the_join_is_what_its_words_say(answers, tellings):
    rows = [prediction(f"{minute}{key}", minute, key=key) for minute, key in answers]
    schema = {**PREDICTION}
    frame = pl.DataFrame([{name: row[name] for name in PREDICTION} for row in rows] or None, schema=schema)
    told_rows = [told(outcome, minute + 0.5, key=key) for minute, key, outcome in tellings]
    found = observed.match(frame, pl.DataFrame(told_rows or None, schema=LABEL))
    expected = {}
    for minute, key, outcome in sorted(tellings, key=lambda item: item[0]):
        before = [when for when, whose in answers if whose == key and when <= minute]
        if before:
            expected.setdefault(f"{max(before)}{key}", outcome)
    assert dict(found.select("id", "outcome").rows()) == expected


def test_a_key_is_told_the_same_again_of_a_later_prediction(location):
    predicted(location, prediction("a", 0, key="7"), prediction("b", 100, key="7"))
    labelled(location, told("No", 50, key="7"), told("No", 150, key="7"))
    assert outcome_of(location) == {"a": "No", "b": "No"}


def test_a_segment_that_was_put_together_meanwhile_is_read_where_it_went(location, monkeypatch):
    predicted(location, prediction("a", 0))
    gone = predicted(location, prediction("b", 1)).rpartition("/")[2]
    read, reads = Segments.read, []

    def meanwhile(self, name):
        if name.endswith(gone) and not reads:
            reads.append(name)
            self.append(read(self, name))
            self.remove(name)
        return read(self, name)

    monkeypatch.setattr(Segments, "read", meanwhile)
    assert observed.predictions(location, "churn")["id"].to_list() == ["a", "b"]


def test_a_segment_that_cannot_be_read_is_told(location, monkeypatch):
    predicted(location, prediction("a", 0))

    def away(_segments, _name):
        raise failure("store-unreachable", "it is away")

    monkeypatch.setattr(Segments, "read", away)
    with pytest.raises(MlopsError, match="it is away"):
        observed.predictions(location, "churn")


def test_small_segments_are_put_together_and_old_ones_go(location):
    segments = Segments(location, PREDICTIONS, "churn")
    for minute in range(40):
        predicted(location, prediction(str(minute), minute))
    predicted(location, prediction("other", 50, plan="b"))
    before = observed.predictions(location, "churn")
    later = datetime.now(UTC) + timedelta(hours=1)
    assert tend(segments, keep=86400.0, now=datetime.now(UTC).timestamp()) == (0, 0)
    assert tend(segments, keep=86400.0, now=later.timestamp()) == (0, 40)
    assert len(segments.names()) == 2
    assert observed.predictions(location, "churn").equals(before)
    assert tend(segments, keep=None, now=(later + timedelta(days=9)).timestamp()) == (0, 0)
    assert tend(segments, keep=86400.0, now=(later + timedelta(days=2)).timestamp()) == (2, 0)
    assert observed.predictions(location, "churn").height == 0


def test_a_tending_that_ends_halfway_loses_and_doubles_nothing(location, monkeypatch):
    segments = Segments(location, PREDICTIONS, "churn")
    for minute in range(40):
        predicted(location, prediction(str(minute), minute))
    before = observed.predictions(location, "churn")

    def away(_segments, _name):
        raise failure("store-unreachable", "it is away")

    with monkeypatch.context() as patched:
        patched.setattr(Segments, "remove", away)
        with pytest.raises(MlopsError):
            tend(segments, keep=None, now=(datetime.now(UTC) + timedelta(hours=1)).timestamp())
    assert len(segments.names()) == 41
    assert observed.predictions(location, "churn").equals(before)


def test_environments_are_apart_and_what_was_logged_before_is_in_each(location):
    predicted(location, prediction("old", 0, key="7"))
    for environment in ("test", "production"):
        predicted(location, prediction(environment, 1, key="7"), log=service_name("churn", environment))
    labelled(location, told("Yes", 2, key="7"), log=service_name("churn", "test"))
    labelled(location, told("No", 3, name="old"))
    found = {
        environment: dict(observed.joined(location, service_name("churn", environment)).select("id", "outcome").rows())
        for environment in ("development", "test", "production")
    }
    assert found == {
        "development": {"old": "No"},
        "test": {"old": "No", "test": "Yes"},
        "production": {"old": "No", "production": None},
    }
