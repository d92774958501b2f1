"""What a network makes of numbers and of categories, before its first layer."""

from __future__ import annotations

import numpy as np
import pytest

from mlops_compiler.diagnostics import EngineError
from mlops_compiler.models.adapters.net_inputs import waves_of
from mlops_compiler.models.adapters.net_module import size_of
from mlops_compiler.models.registry import MODELS
from mlops_compiler.testing.categories import CATEGORY_ROWS, LEVELS
from mlops_compiler.testing.subjects import subjects

NET = MODELS["torch_mlp"]
SMALL = {"hidden": 16, "epochs": 5, "learning_rate": 0.01}
Y = (CATEGORY_ROWS[:, 1] % 2).astype(np.int64)


def subject(**changes):
    return subjects(NET, **SMALL, **changes)[0]


def taught(**changes):
    return subject(**changes).fit(CATEGORY_ROWS, Y, categories=LEVELS)


@pytest.mark.parametrize(
    ("levels", "share", "size"), [(2, 1.0, 2), (3, 1.0, 3), (40, 1.0, 13), (40, 0.1, 1), (254, 2.0, 72)]
)
def test_vectors_are_as_long_as_the_rule_says(levels, share, size):
    assert size_of(levels, share) == size


def test_each_category_has_a_vector_for_each_level_and_two_more():
    inputs = taught().inputs
    assert inputs.numbers == [0, 2]
    assert {column: table.shape for column, table in inputs.tables.items()} == {1: (42, 13), 3: (5, 3)}
    assert taught(embedding_size=2.0).inputs.tables[1].shape == (42, 26)


def test_a_level_that_no_row_taught_is_the_mean_of_those_that_did():
    rows = CATEGORY_ROWS.copy()
    rows[rows[:, 1] >= 38, 1] = 0.0  # two levels, and what is rare, are in no row
    table = subject().fit(rows, Y, categories=LEVELS).inputs.tables[1]
    assert (table[38] == table[39]).all()
    assert (table[38] == table[41]).all()
    assert np.ptp(table[:38], axis=0).min() > 0
    assert table[:38].min(axis=0) == pytest.approx(np.minimum(table[:38].min(axis=0), table[40]))


def test_what_is_no_number_of_a_level_is_as_one_never_seen():
    model = taught()
    rows = np.tile(CATEGORY_ROWS[3], (4, 1))
    rows[:, 1] = [40, -1, 99, 1e300]
    assert len(set(model.predict(rows)[:, 1].tolist())) == 1


def test_waves_are_sines_and_cosines():
    found = waves_of(np.array([[0.25, 1.0]]), np.array([[1.0, 2.0], [0.5, 0.0]]))
    assert found[0] == pytest.approx([1.0, 0.0, 0.0, -1.0, 0.0, 0.0, -1.0, 1.0], abs=1e-12)


def test_waves_are_as_torch_has_them():
    import torch

    model = taught(numeric_embedding="periodic", frequencies=16, frequency_scale=0.5)
    inputs = model.inputs
    assert inputs.waves.shape == (2, 16)
    assert len(model.layers[0].weights) == inputs.outputs == 2 * 32 + 13 + 3
    numbers = torch.from_numpy(np.ascontiguousarray(CATEGORY_ROWS[:, inputs.numbers]))
    angle = 2.0 * torch.pi * (numbers[:, :, None] * torch.from_numpy(inputs.waves))
    theirs = torch.cat([angle.sin(), angle.cos()], dim=2).flatten(1).numpy()
    assert inputs.fill(CATEGORY_ROWS)[:, :64] == pytest.approx(theirs, abs=1e-12)


@pytest.mark.parametrize("encoding", ["none", "piecewise_linear", "periodic"])
def test_each_encoding_scores_the_same_alone_when_stored_and_when_resumed(encoding):
    from mlops_compiler.models.checkpointing import Checkpointing
    from mlops_compiler.models.kind import FitOptions

    model = taught(numeric_embedding=encoding)
    together = model.predict(CATEGORY_ROWS)
    assert all((model.predict(CATEGORY_ROWS[at : at + 1]) == together[at]).all() for at in range(100))
    loaded = NET.load(model.dump())
    assert (loaded.predict(CATEGORY_ROWS) == together).all()
    given = {
        "parameters": {**NET.defaults, **SMALL, "numeric_embedding": encoding},
        "options": FitOptions(seed=1, categories=LEVELS),
    }
    _, half = NET.resume(CATEGORY_ROWS, Y, **given, checkpointing=Checkpointing(until=2))
    whole, _ = NET.resume(CATEGORY_ROWS, Y, **given, checkpointing=Checkpointing(start=half))
    assert whole.dump() == model.dump()


def test_rows_of_categories_alone_are_learned():
    model = subject().fit(CATEGORY_ROWS[:, [1, 3]], Y, categories=(40, 3))
    assert model.inputs.numbers == []
    assert (model.predict(CATEGORY_ROWS[:, [1, 3]]).argmax(axis=1) == Y).mean() > 0.7


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("waves", lambda array: array[:1]),
        ("waves", lambda array: array * np.nan),
        ("table.1", lambda array: array[:2]),
        ("table.1", lambda array: array.astype(np.float64)),
        ("table.1", lambda array: array[:, :3].copy()),
    ],
)
def test_an_encoding_that_is_none_is_refused(name, change):
    from safetensors.numpy import load, save

    files = taught(numeric_embedding="periodic").dump()
    arrays = load(files["model.safetensors"])
    arrays[name] = change(arrays[name])
    with pytest.raises(EngineError, match="damaged"):
        NET.load({**files, "model.safetensors": save(arrays)})


def test_what_another_encoding_reads_is_never_reached():
    given = {**NET.defaults, "numeric_embedding": "none"}
    assert set(NET.unreached(given)) == {"bins", "frequencies", "frequency_scale"}
    assert set(NET.unreached({**given, "numeric_embedding": "periodic"})) == {"bins"}
