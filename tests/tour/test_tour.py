"""The tour, from the first release to the rollback: each stop says itself what must be true after it."""

from __future__ import annotations

import pytest

from mlops_compiler.store.location import StoreLocation
from mlops_compiler.store.reader import open_reader
from tests.tour.place import Inbox, Place
from tests.tour.recipe import SECRET
from tests.tour.scenario import STOPS, walk

pytestmark = [pytest.mark.engine, pytest.mark.timeout(600)]


def test_the_tour_comes_to_its_end(tmp_path, monkeypatch):
    said = []
    with Inbox() as inbox:
        monkeypatch.setenv(SECRET, inbox.url)
        walk(Place(root=tmp_path, out=said.append), inbox)
    text = "\n".join(said)
    assert text.count("none lost") == 2
    assert [f"\n{number}. " in text for number in range(1, len(STOPS) + 1)] == [True] * len(STOPS)
    store = open_reader(StoreLocation(url=str(tmp_path / ".mlops")))
    assert [release.number for release in store.releases("churn")] == [2, 1]
    assert store.deployment("churn", "production") is None
    entries = store.audit("churn", 1000)
    assert {entry.action for entry in entries} >= {"approve", "promote", "canary", "rollback", "retrain", "undeploy"}
    assert {(entry.action, entry.actor) for entry in entries if entry.action in {"approve", "promote"}} == {
        ("approve", "ann"), ("promote", "bob"),
    }  # fmt: skip
    assert [check.status for check in store.checks("churn", "production")] == ["alert", "alert", "quiet"]
