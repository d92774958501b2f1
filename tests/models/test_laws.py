"""What every kind promises, whichever it is."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import adjusted_rand_score

from mlops_compiler.diagnostics import DataError
from mlops_compiler.models.registry import MODELS

KINDS = [f"{name}/{task}" for name, kind in MODELS.items() for task in kind.tasks]
OF_CLASSES = [case for case in KINDS if "classification" in case]
OF_VALUES = [case for case in KINDS if "regression" in case.partition("/")[2]]
LEARNING = [case for case in KINDS if not MODELS[case.partition("/")[0]].is_baseline]


@pytest.mark.parametrize("kind", OF_CLASSES)
def test_probabilities_are_probabilities(kind, zoo):
    probability = zoo.fitted(kind).predict(zoo.X)
    assert probability.shape == (len(zoo.X), zoo.outputs(kind))
    assert probability.dtype == np.float64
    assert ((probability >= 0) & (probability <= 1)).all()
    assert probability.sum(axis=1) == pytest.approx(1)


def test_it_learns(kind, model, zoo):
    y, found = zoo.target(kind), model.predict(zoo.X)
    if zoo.task(kind) == "clustering":
        assert (adjusted_rand_score(zoo.groups, found[:, 0]) > 0.9) != zoo.kind(kind).is_baseline
        return
    if zoo.task(kind) == "regression":
        left = ((found[:, 0] - y) ** 2).mean() / y.var()
        assert (left < 0.9) != zoo.kind(kind).is_baseline
        return
    right = (found.argmax(axis=1) == y).mean()
    assert (right > np.bincount(y).max() / len(y) + 0.03) != zoo.kind(kind).is_baseline


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_a_row_scores_the_same_whatever_is_beside_it(kind, data, zoo):
    X = zoo.X
    chosen = data.draw(st.lists(st.integers(0, len(X) - 1), min_size=1, max_size=40))
    together = zoo.fitted(kind).predict(X)
    assert (zoo.fitted(kind).predict(X[chosen]) == together[chosen]).all()


def test_a_row_scores_the_same_alone_and_among_thousands(model, zoo):
    X = zoo.X
    crowd = np.tile(X, (5, 1))
    together = model.predict(crowd)
    assert (together[:400] == together[400:800]).all()
    assert all((model.predict(X[index : index + 1]) == together[index]).all() for index in range(100))


@pytest.mark.parametrize("order", ["C", "F"])
def test_memory_layout_changes_nothing(model, order, zoo):
    X = zoo.X
    assert (model.predict(np.array(X, order=order)) == model.predict(X)).all()


def test_no_rows_give_no_scores(kind, model, zoo):
    assert model.predict(np.empty((0, 6))).shape == (0, zoo.outputs(kind))


def test_the_same_fit_gives_the_same_bytes(kind, model, zoo):
    assert zoo.fit(kind).dump() == model.dump()


@pytest.mark.parametrize("kind", [kind for kind in KINDS if "torch_mlp" not in kind])  # its sums may round otherwise
def test_threads_change_nothing(kind, model, zoo):
    assert zoo.fit(kind, threads=2).dump() == model.dump()


RANDOM = ("random_forest", "extra_trees", "hist_gradient_boosting", "torch_mlp")


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind.startswith(RANDOM)])
def test_the_seed_is_what_makes_it_random(kind, zoo):
    assert zoo.fit(kind, seed=2).dump() != zoo.fitted(kind).dump()


def test_a_loaded_model_scores_the_same_bits(kind, model, zoo):
    X = zoo.X
    loaded = zoo.kind(kind).load(model.dump())
    assert (loaded.predict(X) == model.predict(X)).all()
    assert loaded.dump() == model.dump()


def test_nothing_is_written_to_the_rows(kind, zoo):
    X, y = zoo.X, zoo.target(kind)
    before = X.copy(), y.copy()
    zoo.fit(kind)
    assert (before[0] == X).all()
    assert (y == before[1]).all()


def test_labels_may_be_sorted(kind, zoo):
    X, y = zoo.X, zoo.target(kind)
    order = np.argsort(y)
    assert zoo.fit(kind, X[order], y[order]).predict(X).shape == (len(X), zoo.outputs(kind))


@pytest.mark.parametrize("kind", [kind for kind in LEARNING if kind in OF_CLASSES])
class TestBadClasses:
    def test_a_class_without_rows(self, kind, zoo):
        with pytest.raises(DataError, match=f"no row of class 1: {zoo.kind(kind).name}"):
            zoo.fit(kind, zoo.X, np.zeros_like(zoo.y))

    def test_a_handful_of_rows(self, kind, zoo):
        X, y = np.arange(12.0).reshape(6, 2), np.array([0, 0, 1, 1, 1, 1])
        assert np.isfinite(zoo.fit(kind.partition("/")[0], X, y).predict(X)).all()

    def test_one_row_of_a_class(self, kind, zoo):
        y = zoo.target(kind).copy()
        y[y == 1] = 0
        y[7] = 1
        assert np.isfinite(zoo.fit(kind, zoo.X, y).predict(zoo.X)).all()


@pytest.mark.parametrize("kind", [kind for kind in LEARNING if kind in OF_VALUES])
class TestBadValues:
    @pytest.mark.parametrize("value", [np.nan, np.inf])
    def test_a_value_that_is_none(self, kind, value, zoo):
        y = zoo.target(kind).copy()
        y[3] = value
        with pytest.raises(DataError, match="missing or infinite in 1 of 400 rows"):
            zoo.fit(kind, zoo.X, y)

    def test_a_handful_of_rows(self, kind, zoo):
        X = np.arange(12.0).reshape(6, 2)
        assert np.isfinite(zoo.fit(kind, X, np.arange(6.0)).predict(X)).all()

    def test_equal_values(self, kind, zoo):
        X, y = zoo.X, np.full(len(zoo.X), 3.0)
        assert zoo.fit(kind, X, y).predict(X) == pytest.approx(3.0, abs=0.6)


@pytest.mark.parametrize("kind", LEARNING)
class TestBadRows:
    def test_no_columns(self, kind, zoo):
        with pytest.raises(DataError, match="no column"):
            zoo.fit(kind, np.empty((400, 0)))

    def test_infinity_names_its_feature(self, kind, zoo):
        X, y = zoo.X, zoo.target(kind)
        X = X.copy()
        X[3, 2] = np.inf
        for attempt in (lambda: zoo.fit(kind, X, y), lambda: zoo.fitted(kind).predict(X)):
            with pytest.raises(DataError, match="feature 2 is infinite in 1 of 400 rows"):
                attempt()

    def test_missing_values_are_taken_or_refused(self, kind, zoo):
        X, y = zoo.X, zoo.target(kind)
        X = X.copy()
        X[5:9, 4] = np.nan
        if zoo.kind(kind).accepts_missing:
            together = zoo.fit(kind, X, y).predict(X)
            assert (zoo.fit(kind, X, y).predict(X[5:6]) == together[5]).all()
            return
        for attempt in (lambda: zoo.fit(kind, X, y), lambda: zoo.fitted(kind).predict(X)):
            with pytest.raises(DataError, match=f"feature 4 is missing in 4 of 400 rows: {zoo.kind(kind).name}"):
                attempt()

    def test_another_width(self, kind, zoo):
        with pytest.raises(DataError, match="fitted on 6 features"):
            zoo.fitted(kind).predict(np.zeros((1, 5)))

    def test_huge_values_are_scored_or_refused(self, kind, zoo):
        X = np.array([[1e308, -1e308] * 3])
        try:
            assert np.isfinite(zoo.fitted(kind).predict(X)).all()
        except DataError as error:
            assert "too large" in str(error)  # noqa: PT017 - either is well


def test_scoring_one_row_needs_neither_torch_nor_scikit_learn(tmp_path, zoo):
    for number, kind in enumerate(KINDS):
        (tmp_path / str(number)).mkdir()
        for name, content in zoo.fitted(kind).dump().items():
            (tmp_path / str(number) / name).write_bytes(content)
    script = f"""
import pathlib, sys
import numpy as np
from mlops_compiler.models.registry import MODELS
for number, kind in enumerate({[zoo.kind(kind).name for kind in KINDS]}):
    files = {{path.name: path.read_bytes() for path in pathlib.Path({str(tmp_path)!r}, str(number)).iterdir()}}
    MODELS[kind].load(files).predict(np.zeros((1, 6)))
    if found := [name for name in ("torch", "sklearn", "scipy") if name in sys.modules]:
        sys.exit(f"{{kind}} needs {{found}}")
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
