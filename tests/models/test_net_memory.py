"""A device that runs out of memory gets fewer rows at a time, and what is learned is the same."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from mlops_compiler.backends.search import trial
from mlops_compiler.backends.search.trial import Place
from mlops_compiler.diagnostics import Diagnostic, EngineError
from mlops_compiler.models.adapters import net_training
from mlops_compiler.models.adapters.net_memory import LEAST, RowsAtOnce, on_device
from mlops_compiler.models.kind import NO_GPU_MEMORY, FitOptions
from mlops_compiler.models.registry import MODELS

NET = MODELS["torch_mlp"]
GENERATOR = np.random.default_rng(3)
X = GENERATOR.normal(size=(700, 4))
Y = (X[:, 0] + 0.3 * GENERATOR.normal(size=700) > 0).astype(np.int64)
PARAMETERS = {**NET.defaults, "hidden": 8, "epochs": 4, "dropout": 0.0, "batch_size": 256}


def fit(**changes):
    return NET.fit(X, Y, parameters={**PARAMETERS, **changes}, options=FitOptions(seed=5))


@pytest.fixture
def room_for(monkeypatch):
    """Give a function that lets a network take so many rows at once, and no more."""
    made = net_training.make_network

    def limit(rows, *, held_too=True):
        def network(*given):
            model = made(*given)

            def look(module, given):
                if len(given[0]) > rows and (held_too or module.training):
                    raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")

            model.register_forward_pre_hook(look)
            return model

        monkeypatch.setattr(net_training, "make_network", network)

    return limit


def test_a_batch_in_parts_teaches_the_same(room_for):
    whole = fit()
    assert whole.smaller == ()
    room_for(100)
    parts = fit()
    assert parts.smaller == ("out of memory at a batch of 256 rows, went on with 64 rows at a time",)
    np.testing.assert_allclose(parts.history.training, whole.history.training, rtol=1e-5)
    np.testing.assert_allclose(parts.predict(X), whole.predict(X), rtol=0, atol=1e-5)
    assert parts.dump() != whole.dump()  # rounded otherwise: it was in parts


def test_rows_that_judge_are_taken_in_parts_too(room_for):
    whole = fit(batch_size=32)
    room_for(40)
    parts = fit(batch_size=32)
    assert parts.smaller == ("out of memory at the rows held back of 70 rows, went on with 35 rows at a time",)
    np.testing.assert_allclose(parts.history.validation, whole.history.validation, rtol=1e-5)
    assert parts.history.training == whole.history.training


def test_a_network_that_fits_with_no_rows_is_refused(room_for):
    room_for(LEAST - 1)
    with pytest.raises(EngineError) as caught:
        fit()
    (found,) = caught.value.diagnostics
    assert found.code == "gpu-memory"
    assert found.headline == "the GPU has no memory for torch_mlp with 16 rows at a time"


def test_what_fits_is_remembered():
    tried, sizes = [], RowsAtOnce("a batch")

    def work(most):
        tried.append(most)
        if most > 2000:
            raise torch.OutOfMemoryError
        return most

    assert [sizes.parts(rows, work) for rows in (8192, 8192, 700)] == [1024, 1024, 700]
    assert tried == [8192, 4096, 2048, 1024, 1024, 700]
    assert sizes.notes == ["out of memory at a batch of 8,192 rows, went on with 1,024 rows at a time"]


def test_another_error_is_not_taken_for_it():
    with pytest.raises(RuntimeError, match="no such kernel"):
        RowsAtOnce("a batch").parts(64, lambda _most: (_ for _ in ()).throw(RuntimeError("no such kernel")))


def test_rows_without_room_stay_where_they_are():
    class Full:
        def to(self, _device):
            raise torch.OutOfMemoryError

    tensor = Full()
    assert on_device(tensor, "cuda") is tensor


@pytest.fixture
def full_gpu(monkeypatch):
    """Let fits on a GPU find no memory there, or break for another reason."""
    code = [NO_GPU_MEMORY]

    def fit_and_score(_spec, _fold, device, _keeping):
        if device == "cuda":
            raise EngineError([Diagnostic(code=code[0], headline="the GPU has no memory for torch_mlp")])
        return "answers", "metrics", SimpleNamespace(smaller=(), history=None)

    monkeypatch.setattr(trial, "fit_and_score", fit_and_score)
    return code


def test_a_trial_that_may_goes_on_on_the_cpu(full_gpu):
    place = Place(device="cuda", gpus=0.5, falls_back=True)
    *_, model, notes = trial._fit_where_it_fits(None, None, place, None)
    assert notes == ["the GPU has no memory for torch_mlp; went on on the CPU"]
    assert trial._history(model, notes) == {"notes": notes}


@pytest.mark.parametrize(("falls_back", "code"), [(False, NO_GPU_MEMORY), (True, "fit-diverged")])
def test_any_other_trial_fails(full_gpu, falls_back, code):
    full_gpu[0] = code
    with pytest.raises(EngineError):
        trial._fit_where_it_fits(None, None, Place(device="cuda", falls_back=falls_back), None)
