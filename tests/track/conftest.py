"""Facts of a made-up run."""

from __future__ import annotations

import pytest

from mlops_compiler.store.records import FoldRecord
from mlops_compiler.track.tracker import RunFacts, TrialFacts

HISTORY = {"unit": "epoch", "loss": "log_loss", "best": 2, "count": 2, "steps": [1, 2], "training": [0.7, 0.5]}


def record(fold, **more):
    metrics = {"roc_auc": 0.8 + fold / 100, "training.roc_auc": 0.9}
    given = {"fingerprint": f"fold-{fold}", "trial": "a" * 64, "fold": fold, "predictions": "p", "seconds": 1.0}
    return FoldRecord(**{**given, "metrics": metrics, **more})


@pytest.fixture
def run():
    return RunFacts(
        run_id="20261126-1", recipe="churn", started=1795418452.0, commit="abc", fingerprints={"search": "s"}
    )


@pytest.fixture
def trial():
    return TrialFacts(
        trial=3,
        model="net",
        kind="torch_mlp",
        fingerprint="a" * 64,
        parameters={"rate": 0.1, "dropout": True, "prepare.tails": "null"},
        status="complete",
        metric="roc_auc",
        score=0.805,
        folds=[record(0, history=HISTORY), record(1)],
    )
