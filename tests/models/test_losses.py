"""Boosting for values that are never negative: losses that count an error beside the size of the value."""

from __future__ import annotations

import json

import lightgbm
import numpy as np
import pytest
import xgboost
from sklearn.ensemble import HistGradientBoostingRegressor

from mlops_compiler.diagnostics import DataError, EngineError
from mlops_compiler.models.form import TreeSum
from mlops_compiler.models.kind import FitOptions
from mlops_compiler.models.registry import MODELS
from mlops_compiler.serving.compiled.models import compile_model
from mlops_compiler.serving.compiled.signals import Beyond

KINDS = {
    "hist_gradient_boosting": {"max_iter": 40, "early_stopping": False},
    "lightgbm": {"n_estimators": 40, "early_stopping_rounds": None},
    "xgboost": {"n_estimators": 40, "early_stopping_rounds": None},
}
LOSSES = ("poisson", "gamma")
OPTIONS = FitOptions(seed=1, task="regression")
random = np.random.default_rng(3)
X = random.normal(size=(600, 4))
Y = np.exp(1.0 + X[:, 0] + 0.5 * X[:, 1] * (X[:, 2] > 0)) * random.gamma(9.0, 1 / 9, size=600)

each_kind = pytest.mark.parametrize("kind", KINDS)
each_loss = pytest.mark.parametrize("loss", LOSSES)


def fit(kind, loss, y=Y, options=OPTIONS, **parameters):
    given = {**MODELS[kind].defaults, **KINDS[kind], **parameters, "loss": loss}
    return MODELS[kind].fit(X, y, parameters=given, options=options)


def theirs(kind, loss, model, rows):
    """Score rows by the library itself."""
    match kind:
        case "lightgbm":
            return lightgbm.Booster(model_str=model.text.decode()).predict(rows)
        case "xgboost":
            return xgboost.Booster(model_file=bytearray(model.text)).predict(xgboost.DMatrix(rows))
    known = {name: value for name, value in MODELS[kind].defaults.items() if name not in ("max_cat_to_onehot", "loss")}
    return HistGradientBoostingRegressor(**{**known, **KINDS[kind]}, loss=loss, random_state=1).fit(X, Y).predict(rows)


@each_kind
@each_loss
def test_scores_are_those_of_the_library(kind, loss):
    model = fit(kind, loss)
    assert model.predict(X)[:, 0] == pytest.approx(
        theirs(kind, loss, model, X), rel=1e-4 if kind == "xgboost" else 1e-9
    )
    assert (model.predict(X) > 0).all()


@each_kind
@each_loss
def test_a_stored_model_is_the_same_and_its_trees_add_up_to_the_logarithm(kind, loss):
    model = fit(kind, loss)
    again = MODELS[kind].load(model.dump())
    assert again.dump() == model.dump()
    assert (again.predict(X) == model.predict(X)).all()
    form = again.form()
    assert isinstance(form, TreeSum)
    assert form.scale == "log_value"
    assert np.exp(form.scores(X)) == pytest.approx(model.predict(X), rel=1e-12)


@each_kind
@each_loss
def test_one_row_is_scored_as_many_are(kind, loss):
    model = fit(kind, loss)
    score, compiled = compile_model(model)
    assert compiled
    assert [list(score(row)) for row in X.tolist()] == model.predict(X).tolist()


@each_kind
def test_a_value_that_overflows_is_left_to_the_batch_path(kind):
    model = fit(kind, "poisson")
    object.__setattr__(model, "baseline", model.baseline + 1000.0)
    model.__dict__.pop("_by_output", None)
    score, _ = compile_model(model)
    with pytest.raises(Beyond):
        score(X[0].tolist())
    with pytest.raises(DataError, match="too large"):
        model.predict(X)


@each_kind
def test_relative_errors_are_smaller_than_with_squares(kind):
    """Small values are not drowned by the errors of large ones."""
    held = slice(400, None)
    errors = {}
    for loss in ("squared_error", *LOSSES):
        given = {**MODELS[kind].defaults, **KINDS[kind], "loss": loss, "learning_rate": 0.2}
        model = MODELS[kind].fit(X[:400], Y[:400], parameters=given, options=OPTIONS)
        errors[loss] = float(np.abs(model.predict(X[held])[:, 0] / Y[held] - 1).mean())
    assert errors["gamma"] < errors["squared_error"]
    assert errors["poisson"] < errors["squared_error"]


@each_kind
def test_it_stops_by_the_loss_that_it_makes_small(kind):
    stopping = {"early_stopping": True, "max_iter": 300, "learning_rate": 0.3}
    rounds = {"n_estimators": 300, "early_stopping_rounds": 10, "learning_rate": 0.3}
    model = fit(kind, "poisson", **(stopping if kind == "hist_gradient_boosting" else rounds))
    told = model.history
    assert told.loss == "poisson"
    assert told.training[-1] < told.training[0]
    assert len(told.validation) == len(told.training) < 300


@each_kind
@pytest.mark.parametrize(
    ("loss", "y", "why"),
    [
        ("poisson", np.where(np.arange(600) < 3, -1.0, Y), "3 of 600 rows"),
        ("poisson", np.zeros(600), "not all of it 0"),
        ("gamma", np.where(np.arange(600) < 2, 0.0, Y), "2 of 600 rows"),
    ],
)
def test_a_target_that_the_loss_is_not_for_is_refused(kind, loss, y, why):
    with pytest.raises(DataError, match=why) as error:
        fit(kind, loss, y)
    assert error.value.diagnostics[0].code == "wrong-target"


@each_kind
def test_zeros_are_counts(kind):
    counts = random.poisson(Y / Y.mean()).astype(float)
    assert (counts == 0).any()
    assert fit(kind, "poisson", counts).predict(X).mean() == pytest.approx(counts.mean(), rel=0.1)


@each_kind
@pytest.mark.parametrize("link", ["logit", 1, ["log"]])
def test_a_link_that_is_none_is_refused(kind, link):
    files = fit(kind, "poisson").dump()
    name = next(
        name
        for name in files
        if name.endswith("config.json") or (name.endswith(".json") and "link" in json.loads(files[name]))
    )
    config = json.loads(files[name]) | {"link": link}
    with pytest.raises(EngineError, match="damaged"):
        MODELS[kind].load({**files, name: json.dumps(config).encode()})


@each_kind
def test_a_loss_of_values_is_not_read_where_there_are_classes(kind):
    given = {**MODELS[kind].defaults, "loss": "poisson"}
    assert "loss" in MODELS[kind].unread(given, "binary_classification")
    assert "loss" not in MODELS[kind].unread(given, "regression")
