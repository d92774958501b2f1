"""A fit that is killed goes on from where it was last kept, to the bits of one that never was."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

from mlops_compiler.backends.search.resumed import Keeping, fit_resumed
from mlops_compiler.diagnostics import EngineError
from mlops_compiler.models.kind import FitOptions
from mlops_compiler.models.registry import MODELS
from mlops_compiler.store.scratch import FolderScratch
from mlops_compiler.testing.rows import ROWS, target_of

NET = MODELS["torch_mlp"]
PARAMETERS = {**NET.defaults, "hidden": 16, "epochs": 8, "learning_rate": 0.01}
OPTIONS = FitOptions(seed=3)
Y = target_of("binary_classification")

KILLED = """
import os, signal, sys
from pathlib import Path
from tests.search.test_resumed import OPTIONS, PARAMETERS, ROWS, Y, NET, Keeping, FolderScratch, fit_resumed

class Deadly(FolderScratch):
    puts = 0

    def put(self, name, content):
        super().put(name, content)
        self.puts += 1
        if self.puts == 5:
            os.kill(os.getpid(), signal.SIGKILL)

keeping = Keeping(scratch=Deadly(Path(sys.argv[1])), name="fold", every=0)
fit_resumed(NET, (ROWS, Y), parameters=PARAMETERS, options=OPTIONS, keeping=keeping)
"""


class Counting(FolderScratch):
    """Counts what is kept."""

    puts = 0

    def put(self, name, content):
        super().put(name, content)
        self.puts += 1


def fit(scratch, name="fold", every=0.0, **changes):
    keeping = Keeping(scratch=scratch, name=name, every=every)
    return fit_resumed(NET, (ROWS, Y), parameters={**PARAMETERS, **changes}, options=OPTIONS, keeping=keeping)


@pytest.fixture(scope="module")
def whole():
    return NET.fit(ROWS, Y, parameters=PARAMETERS, options=OPTIONS)


def test_a_killed_fit_goes_on_to_the_same_bits(tmp_path, whole):
    done = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], check=False)
    assert done.returncode == -signal.SIGKILL
    scratch = Counting(tmp_path)
    assert scratch.get("fold") is not None
    model = fit(scratch)
    assert model.dump() == whole.dump()
    assert model.history == whole.history
    assert scratch.puts == 3  # five of eight passes were kept
    assert list((tmp_path / "tmp").iterdir()) == []


def test_what_is_done_is_not_kept(tmp_path, whole):
    scratch = Counting(tmp_path)
    assert fit(scratch, every=3600.0).dump() == whole.dump()
    assert scratch.puts == 0
    assert fit(scratch).dump() == whole.dump()
    assert scratch.puts == 8
    assert scratch.get("fold") is None


@pytest.mark.parametrize("what", ["nothing", "half", "another net"])
def test_a_checkpoint_that_is_none_is_not_taken_up(tmp_path, whole, what):
    scratch = FolderScratch(tmp_path)
    fit(_Kept(tmp_path, "other"), "other", hidden=8)
    other = scratch.get("other")
    scratch.put("fold", {"nothing": b"", "half": other[: len(other) // 2], "another net": other}[what])
    assert fit(scratch).dump() == whole.dump()
    assert scratch.get("fold") is None


class _Kept(FolderScratch):
    """Keeps what is to be removed."""

    def __init__(self, folder, _name):
        super().__init__(folder)

    def remove(self, name):
        """Keep it."""


def test_a_fit_that_comes_to_nothing_leaves_nothing(tmp_path):
    scratch = FolderScratch(tmp_path)
    huge, keeping = {**PARAMETERS, "bins": 1}, Keeping(scratch=scratch, name="fold", every=0)
    with pytest.raises(EngineError, match="diverged"):
        fit_resumed(NET, (ROWS * 1e60, Y), parameters=huge, options=OPTIONS, keeping=keeping)
    assert scratch.get("fold") is None


def test_another_learning_rate_is_heeded_from_a_checkpoint_on(tmp_path, whole):
    """As population-based training wants: the weights of one trial, the parameters of another."""
    from mlops_compiler.models.checkpointing import Checkpointing

    given = {"parameters": PARAMETERS, "options": OPTIONS}
    _, half = NET.resume(ROWS, Y, **given, checkpointing=Checkpointing(until=4))
    given["parameters"] = {**PARAMETERS, "learning_rate": 0.002, "dropout": 0.3}
    model, _ = NET.resume(ROWS, Y, **given, checkpointing=Checkpointing(start=half))
    assert list(model.history.learning_rate) == [0.01] * 4 + [0.002] * 4
    assert model.history.training[:4] == whole.history.training[:4]
    assert model.history.training[4:] != whole.history.training[4:]
