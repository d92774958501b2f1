"""A store that was made when environments shared one service: it opens, and what it recorded is kept."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from mlops_compiler.store.location import StoreLocation
from mlops_compiler.store.reader import open_reader
from mlops_compiler.store.writer import open_writer

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from mlops_compiler.store.reader import StoreReader

OLD = """
DROP TABLE services;
CREATE TABLE deployments (
    recipe VARCHAR(64) PRIMARY KEY, release INTEGER NOT NULL, route TEXT NOT NULL, host TEXT NOT NULL,
    port INTEGER NOT NULL, address TEXT NOT NULL, pid BIGINT, created DOUBLE PRECISION NOT NULL,
    app TEXT NOT NULL, session TEXT NOT NULL, settings TEXT NOT NULL);
ALTER TABLE keys DROP COLUMN environment;
INSERT INTO keys VALUES ('k1', 'churn', 'crm', 'x', '["predict"]', 1.0, NULL, NULL);
ALTER TABLE checks DROP COLUMN environment;
INSERT INTO checks VALUES (1, 'churn', 1, 1.0, 'alert', '{}');
"""
SERVED = {"churn": {"url": "u", "environment": "production"}, "loan": {"url": "u"}}
open_anew = open_writer.__wrapped__


@pytest.fixture
def location(tmp_path: Path) -> StoreLocation:
    found = StoreLocation(url=str(tmp_path))
    open_anew(found)
    with closing(sqlite3.connect(str(found.sqlite))) as connection, connection:
        connection.executescript(OLD)
        for recipe, settings in SERVED.items():
            values = (recipe, 1, "/", "127.0.0.1", 8000, "a", 1, 1.0, recipe, "s", json.dumps(settings))
            connection.execute(f"INSERT INTO deployments VALUES ({', '.join('?' * len(values))})", values)
    return found


@pytest.mark.parametrize("opened", [open_reader, open_anew], ids=["read", "brought up to date"])
def test_what_it_recorded_is_kept(location: StoreLocation, opened: Callable[[StoreLocation], StoreReader]) -> None:
    store = opened(location)
    assert [(item.named, item.app) for item in store.deployments()] == [
        ("churn in production", "churn"),
        ("loan in development", "loan"),
    ]
    assert store.deployment("churn", "test") is None
    for environment in ("test", "production"):
        assert [key.id for key in store.keys("churn", environment)] == ["k1"]
        assert [check.status for check in store.checks("churn", environment)] == ["alert"]
    assert store.recipes() == ["churn", "loan"]
    assert store.counts()[-1][1] == 2


def test_what_is_ended_stays_so(location: StoreLocation) -> None:
    for _ in range(2):
        store = open_anew(location)
        store.remove_deployment("churn", "production")
        assert [item.named for item in store.deployments()] == ["loan in development"]
    assert [item.named for item in open_reader(location).deployments()] == ["loan in development"]


def test_what_comes_after_is_of_its_environment(location: StoreLocation) -> None:
    store = open_anew(location)
    store.add_check(recipe="churn", environment="test", release=1, status="quiet", payload={})
    assert [check.status for check in store.checks("churn", "test")] == ["quiet", "alert"]
    assert [check.status for check in store.checks("churn", "production")] == ["alert"]
