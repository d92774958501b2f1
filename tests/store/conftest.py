"""A store in an empty folder, and records to keep in it."""

from __future__ import annotations

import os
import socket

import pytest

from mlops_compiler.store.location import StoreLocation
from mlops_compiler.store.records import Deployment, FoldRecord, RunRecord, StageRecord
from mlops_compiler.store.writer import open_writer

BUILDERS = {
    StageRecord: {
        "fingerprint": "f" * 64,
        "recipe": "churn",
        "name": "split",
        "ingredients": {"split.k": 5, "split.holdout": "stratified"},
        "outputs": {},
        "summary": {"rows": 9},
        "run_id": "r1",
        "started": 1.5,
        "seconds": 0.25,
    },
    FoldRecord: {
        "fingerprint": "a" * 64,
        "trial": "b" * 64,
        "fold": 0,
        "metrics": {"roc_auc": 0.5},
        "predictions": "c" * 64,
        "seconds": 1.0,
    },
    RunRecord: {
        "run_id": "r1",
        "recipe": "churn",
        "status": "running",
        "started": 1.0,
        "finished": None,
        "pid": os.getpid(),
        "host": socket.gethostname(),
        "overrides": ["recipe=churn", "search.trials=3"],
        "plan": [{"stage": "split", "action": "new"}],
    },
    Deployment: {
        "recipe": "churn",
        "release": 1,
        "route": "/churn",
        "host": "127.0.0.1",
        "port": 8000,
        "address": "127.0.0.1:6379",
        "pid": None,
        "created": 1.0,
        "app": "churn",
        "session": "logs",
        "settings": {"replicas": 1},
    },
}


@pytest.fixture
def make():
    """Give a function that makes a record of a kind, with what the test cares for."""
    return lambda kind, **changes: kind(**(BUILDERS[kind] | changes))


@pytest.fixture
def location(tmp_path):
    return StoreLocation(url=str(tmp_path / "store"))


@pytest.fixture
def store(location):
    return open_writer(location)
