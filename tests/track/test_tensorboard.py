"""A trial becomes a folder of event files, whole and once."""

from __future__ import annotations

import struct
import subprocess
import sys
from dataclasses import replace

import pytest

from mlops_compiler.track.registry import TRACKERS

TENSORBOARD = TRACKERS["tensorboard"]


@pytest.fixture
def log(tmp_path, run):
    return TENSORBOARD.begin(TENSORBOARD.settings(path=str(tmp_path / "board")), run, {})


def values_of(folder):
    """Read the scalars and the hyperparameters of a folder, as TensorBoard does."""
    from tensorboardX.proto.event_pb2 import Event
    from tensorboardX.proto.plugin_hparams_pb2 import HParamsPluginData

    (file,) = folder.iterdir()
    data, at, scalars, params = file.read_bytes(), 0, {}, {}
    while at < len(data):
        (length,) = struct.unpack_from("<Q", data, at)
        event = Event.FromString(data[at + 12 : at + 12 + length])
        at += length + 16
        for value in event.summary.value:
            if value.HasField("simple_value"):
                scalars.setdefault(value.tag, []).append((event.step, round(value.simple_value, 4)))
            elif value.metadata.plugin_data.plugin_name == "hparams":
                found = HParamsPluginData.FromString(value.metadata.plugin_data.content)
                params |= {
                    name: getattr(item, item.WhichOneof("kind"))
                    for name, item in found.session_start_info.hparams.items()
                }
    return scalars, params


def test_a_trial_is_scalars_by_fold_and_epoch_and_hyperparameters(log, trial, tmp_path):
    log.trial(trial)
    (folder,) = (tmp_path / "board" / "churn").iterdir()
    assert folder.name == "net-aaaaaaaaaaaa"
    scalars, params = values_of(folder)
    assert scalars == {
        "roc_auc": [(0, 0.805)],
        "fold/roc_auc": [(0, 0.8), (1, 0.81)],
        "training/roc_auc": [(0, 0.9), (1, 0.9)],
        "epochs_fold_0/training_loss": [(1, 0.7), (2, 0.5)],
    }
    assert params == {"model": "net", "rate": 0.1, "dropout": True, "prepare.tails": "null"}


def test_a_trial_that_another_run_made_is_there_once(log, trial, tmp_path):
    log.trial(trial)
    (file,) = (tmp_path / "board").rglob("events*")
    before = file.read_bytes()
    log.trial(replace(trial, trial=9))
    assert list((tmp_path / "board").rglob("events*")) == [file]
    assert file.read_bytes() == before


def test_a_trial_that_failed_has_its_hyperparameters(log, trial, tmp_path):
    log.trial(replace(trial, status="failed", score=None, folds=[]))
    (folder,) = (tmp_path / "board" / "churn").iterdir()
    assert values_of(folder) == ({}, {"model": "net", "rate": 0.1, "dropout": True, "prepare.tails": "null"})


def test_what_cannot_be_written_whole_is_not_there(log, trial, tmp_path, monkeypatch):
    monkeypatch.setattr("tensorboardX.SummaryWriter.add_scalar", lambda *_: (_ for _ in ()).throw(OSError("full")))
    with pytest.raises(OSError, match="full"):
        log.trial(trial)
    assert list((tmp_path / "board" / "churn").iterdir()) == []


def test_reading_a_recipe_imports_no_tracker():
    code = "import mlops_compiler.recipe.recipe, sys; print({'tensorboardX', 'mlflow'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
