"""Each kind scores as the library that fitted it does."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.linear_model import LogisticRegression, Ridge

from mlops_compiler.diagnostics import EngineError
from mlops_compiler.models.adapters import logistic
from mlops_compiler.models.adapters.tree_predictor import sum_by_tree


def test_prior_gives_the_class_frequencies(zoo):
    X, y = zoo.X, zoo.y
    assert zoo.fitted("prior").predict(X)[7] == pytest.approx([1 - y.mean(), y.mean()])


def test_the_mean_is_the_mean(zoo):
    assert zoo.fitted("mean").predict(zoo.X)[7] == pytest.approx([zoo.targets["regression"].mean()])


def test_ridge_is_scikit_learns(zoo):
    X, y = zoo.X, zoo.targets["regression"]
    assert zoo.fit("ridge", alpha=3.0).predict(X)[:, 0] == pytest.approx(
        Ridge(alpha=3.0).fit(X, y).predict(X), rel=1e-12
    )


@pytest.mark.parametrize("task", ["multiclass_classification", "regression"])
@pytest.mark.parametrize(
    ("kind", "classifier", "regressor"),
    [
        ("random_forest", RandomForestClassifier, RandomForestRegressor),
        ("hist_gradient_boosting", HistGradientBoostingClassifier, HistGradientBoostingRegressor),
        ("logistic_regression", LogisticRegression, None),
    ],
)
def test_other_tasks_are_scikit_learns(kind, classifier, regressor, task, zoo):
    X, y = zoo.X, zoo.targets[task]
    settings = {**zoo.parameters(kind), **({} if kind == "logistic_regression" else {"random_state": 1})}
    if task == "regression" and regressor is not None:
        assert zoo.fitted(f"{kind}/{task}").predict(X)[:, 0] == pytest.approx(
            regressor(**settings).fit(X, y).predict(X), rel=1e-12
        )
    elif task != "regression":
        oracle = classifier(**settings, **({"max_iter": 1000} if kind == "logistic_regression" else {})).fit(X, y)
        assert zoo.fitted(f"{kind}/{task}").predict(X) == pytest.approx(oracle.predict_proba(X), rel=1e-9)


def test_a_class_without_rows_has_probability_zero(zoo):
    X, y = zoo.X, zoo.y
    assert zoo.fit("prior", X, np.zeros_like(y)).predict(X[:1]).tolist() == [[1.0, 0.0]]


@pytest.mark.parametrize("class_weight", [None, "balanced"])
def test_logistic_regression_is_scikit_learns(class_weight, zoo):
    X, y = zoo.X, zoo.y
    oracle = LogisticRegression(C=0.1, class_weight=class_weight).fit(X, y)
    ours = zoo.fit("logistic_regression", C=0.1, class_weight=class_weight)
    assert ours.predict(X) == pytest.approx(oracle.predict_proba(X), rel=1e-12)


def test_a_forest_is_scikit_learns(zoo):
    X, y = zoo.X, zoo.y
    oracle = RandomForestClassifier(**zoo.parameters("random_forest"), random_state=1).fit(X, y)
    assert zoo.fitted("random_forest").predict(X) == pytest.approx(oracle.predict_proba(X), rel=1e-12)


def test_all_columns_is_not_one_column(zoo):
    assert zoo.fit("random_forest", max_features=1).dump() == zoo.fit("random_forest", max_features=1.0).dump()


@pytest.mark.parametrize("early_stopping", [True, False])
@pytest.mark.parametrize("missing", [0.0, 0.2])
def test_boosting_is_scikit_learns(early_stopping, missing, zoo):
    X, y = zoo.X, zoo.y
    X = np.where(np.random.default_rng(5).random(X.shape) < missing, np.nan, X)
    settings = zoo.parameters("hist_gradient_boosting", early_stopping=early_stopping)
    oracle = HistGradientBoostingClassifier(**settings, random_state=1).fit(X, y)
    ours = zoo.fit("hist_gradient_boosting", X, y, early_stopping=early_stopping)
    assert ours.predict(X) == pytest.approx(oracle.predict_proba(X), rel=1e-12)


@pytest.mark.parametrize("task", ["binary_classification", "multiclass_classification", "regression"])
@pytest.mark.parametrize("kind", ["random_forest", "hist_gradient_boosting"])
def test_both_engines_walk_trees_alike(kind, task, zoo):
    X = zoo.X
    trees = zoo.fitted(f"{kind}/{task}").trees
    odd = np.vstack([X, np.full((1, 6), np.nan), np.full((1, 6), 1e300), trees.threshold[:6][None, :]])
    assert (trees.sum_by_level(odd, 0.25) == sum_by_tree(trees, odd, 0.25)).all()


def test_boosting_says_when_it_cannot_hold_rows_back(zoo):
    X, y = np.arange(12.0).reshape(6, 2), np.array([0, 0, 1, 1, 1, 1])
    assert "too few" in zoo.fit("hist_gradient_boosting", X, y).notes[0]
    assert zoo.fit("hist_gradient_boosting", X, y, early_stopping=False).notes == ()


def test_an_unconverged_fit_leaves_a_note_and_no_warning(monkeypatch, zoo):
    assert zoo.fitted("logistic_regression").notes == ()
    monkeypatch.setattr(logistic, "_MAX_ITERATIONS", 1)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = zoo.fit("logistic_regression")
    assert "did not converge in 1 steps" in model.notes[0]


class TestNet:
    def test_is_the_network_that_torch_trained(self, zoo):
        import torch

        X = zoo.X
        hidden, last = zoo.fitted("torch_mlp").layers[:-1], zoo.fitted("torch_mlp").layers[-1]
        value = torch.from_numpy(X.copy())
        for layer in hidden:
            value = torch.relu(value @ torch.from_numpy(layer.weights) + torch.from_numpy(layer.bias))
        margin = value @ torch.from_numpy(last.weights) + torch.from_numpy(last.bias)
        ours = zoo.fitted("torch_mlp").predict(X)[:, 1]
        assert ours == pytest.approx(torch.sigmoid(margin)[:, 0].numpy(), rel=1e-9)

    def test_leaves_torch_as_it_was(self, zoo):
        import torch

        torch.manual_seed(5)
        before = torch.get_rng_state(), torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
        zoo.fit("torch_mlp")
        after = torch.get_rng_state(), torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
        assert torch.equal(before[0], after[0])
        assert before[1:] == after[1:]

    def test_depends_on_no_state_outside(self, zoo):
        import torch

        torch.manual_seed(99)
        assert zoo.fit("torch_mlp").dump() == zoo.fitted("torch_mlp").dump()

    def test_stops_when_patience_ends(self, zoo):
        short, long = (zoo.fit("torch_mlp", epochs=epochs, patience=1) for epochs in (100, 1000))
        assert short.dump() == long.dump()

    def test_a_divergence_is_an_error_not_a_model(self, zoo):
        X, y = zoo.X, zoo.y
        with pytest.raises(EngineError, match="diverged"):
            zoo.fit("torch_mlp", X * 1e38, y)

    @pytest.mark.gpu
    def test_trains_on_a_gpu(self, zoo):
        import torch

        if not torch.cuda.is_available():
            pytest.skip("no GPU here")
        from mlops_compiler.models.kind import FitOptions
        from mlops_compiler.models.registry import MODELS

        X, y = zoo.X, zoo.y
        options = FitOptions(seed=1, device="cuda")
        trained = [
            MODELS["torch_mlp"].fit(X, y, parameters=zoo.parameters("torch_mlp"), options=options) for _ in range(2)
        ]
        assert trained[0].dump() == trained[1].dump()
        assert ((trained[0].predict(X)[:, 1] > 0.5) == y).mean() > 0.6
