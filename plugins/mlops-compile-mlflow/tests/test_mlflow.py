"""MLflow gets a run with nested runs; where it cannot be reached, that is all that happens."""

from __future__ import annotations

import socket
from dataclasses import replace

import pytest
from pydantic import ValidationError

from mlops_compile_mlflow import MLFLOW
from mlops_compiler.store.records import FoldRecord
from mlops_compiler.track.following import Following
from mlops_compiler.track.tracker import EndFacts, RunFacts, TrialFacts

RUN = RunFacts(
    run_id="20261126-1", recipe="churn", started=1795418452.0, commit="abc", fingerprints={"search": "5ea4c4"}
)
FOLDS = [
    FoldRecord(
        fingerprint=f"fold-{fold}",
        trial="a" * 64,
        fold=fold,
        metrics={"roc_auc": 0.8 + fold / 100, "training.roc_auc": 0.9},
        predictions="p",
        seconds=1.0,
        history={"unit": "epoch", "steps": [1, 2], "training": [0.7, 0.5], "validation": [0.8, None]},
    )
    for fold in (0, 1)
]
TRIAL = TrialFacts(
    trial=3,
    model="net",
    kind="torch_mlp",
    fingerprint="a" * 64,
    parameters={"rate": 0.1, "on": True},
    status="stopped",
    metric="roc_auc",
    score=0.805,
    folds=FOLDS,
)
END = EndFacts(
    status="succeeded",
    metrics={"roc_auc": 0.81},
    chosen={"model": "net", "kind": "torch_mlp", "parameters": {"rate": 0.1}, "trial": 3},
    release=2,
    data="5na9",
    pages={"report.html": "<p>report</p>", "model-card.html": "<p>card</p>"},
)


@pytest.fixture
def uri(tmp_path):
    return (tmp_path / "mlruns").as_uri()


@pytest.fixture
def noted(uri):
    """Note a whole run; gives MLflow's client."""
    from mlflow import MlflowClient

    log = MLFLOW.begin(MLFLOW.settings(uri=uri), RUN, {})
    log.trial(TRIAL)
    log.end(END)
    return MlflowClient(tracking_uri=uri)


def runs(client, part):
    experiment = client.get_experiment_by_name("churn")
    return client.search_runs([experiment.experiment_id], f"tags.`mlops.part` = '{part}'")


def test_a_run_has_what_came_of_it(noted):
    (run,) = runs(noted, "run")
    assert (run.info.run_name, run.info.status) == ("20261126-1", "FINISHED")
    assert run.data.metrics == {"holdout/roc_auc": 0.81}
    assert run.data.params == {"model": "net", "kind": "torch_mlp", "rate": "0.1"}
    tags = run.data.tags
    assert tags["mlflow.source.git.commit"] == "abc"
    assert (tags["mlops.release"], tags["mlops.data"], tags["mlops.fingerprint.search"]) == ("2", "5na9", "5ea4c4")
    assert {item.path for item in noted.list_artifacts(run.info.run_id)} == {"report.html", "model-card.html"}


def test_a_trial_is_a_nested_run_with_its_folds_as_steps(noted):
    (run,), (trial,) = runs(noted, "run"), runs(noted, "trial")
    assert trial.data.tags["mlflow.parentRunId"] == run.info.run_id
    assert trial.data.tags["mlops.fingerprint"] == "a" * 64
    assert (trial.info.run_name, trial.info.status) == ("net 3", "KILLED")
    assert trial.data.params == {"kind": "torch_mlp", "rate": "0.1", "on": "True"}
    assert trial.data.metrics["roc_auc"] == 0.805
    folds = noted.get_metric_history(trial.info.run_id, "fold/roc_auc")
    assert [(item.step, item.value) for item in folds] == [(0, 0.8), (1, 0.81)]
    epochs = noted.get_metric_history(trial.info.run_id, "fold 0/training loss")
    assert [(item.step, item.value) for item in epochs] == [(1, 0.7), (2, 0.5)]
    assert len(noted.get_metric_history(trial.info.run_id, "fold 0/validation loss")) == 1


def test_a_trial_that_an_earlier_run_noted_is_not_noted_again(noted, uri):
    log = MLFLOW.begin(MLFLOW.settings(uri=uri), replace(RUN, run_id="20261126-2"), {})
    log.trial(TRIAL)
    log.trial(replace(TRIAL, fingerprint="b" * 64, status="failed", score=None, folds=[]))
    log.end(EndFacts(status="failed"))
    assert len(runs(noted, "trial")) == 2
    assert {run.info.status for run in runs(noted, "run")} == {"FINISHED", "FAILED"}


def test_the_secret_holds_the_address(uri, tmp_path):
    settings = MLFLOW.settings(uri={"secret": "MLFLOW_AT"}, experiment="team")
    MLFLOW.begin(settings, RUN, {"MLFLOW_AT": uri})
    assert (tmp_path / "mlruns").is_dir()
    with pytest.raises(KeyError, match="MLFLOW_AT"):
        MLFLOW.begin(settings, RUN, {})


def test_no_password_stands_in_a_recipe():
    with pytest.raises(ValidationError, match="no password"):
        MLFLOW.settings(uri="https://me:hunter2@mlflow.example.com")


def test_a_server_that_is_down_is_one_failure(monkeypatch):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{taken.getsockname()[1]}"
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    settings = MLFLOW.settings(uri=address)
    following = Following({"team": lambda: MLFLOW.begin(settings, RUN, {})}, lambda _: {})
    (name,) = failures = following.end(END, patience=60)
    assert name == "team"
    assert "did not end" not in failures[name]
