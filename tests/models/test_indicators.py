"""Kinds that take numbers alone learn from categories by indicators inside them; what they are is stored and explained."""

from __future__ import annotations

import json

import numpy as np
import pytest

from mlops_compiler.diagnostics import DataError, EngineError
from mlops_compiler.explain.shapley import of_form
from mlops_compiler.models import indicators
from mlops_compiler.models.composed import ENSEMBLE, load_described
from mlops_compiler.models.form import Linear, TreeSum
from mlops_compiler.models.indicators import FILE, WithIndicators, widened
from mlops_compiler.models.kind import FitOptions
from mlops_compiler.models.registry import MODELS
from mlops_compiler.serving.compiled.models import compile_model

LEVELS = (0, 4, 0, 3)
RANDOM = np.random.default_rng(5)
X = np.column_stack(
    [RANDOM.normal(size=400), RANDOM.integers(0, 4, 400), RANDOM.normal(size=400), RANDOM.integers(0, 3, 400)]
)
VALUE = X[:, 0] + np.array([3.0, -3.0, -3.0, 3.0])[X[:, 1].astype(int)] + 0.1 * RANDOM.normal(size=400)
X[::40, 1] = 4.0  # rare
X[7::40, 3] = 4.0  # missing
ODD = np.array([[0.0, 4, 0, 4], [1.0, 5, 1, 3], [0.0, 0, 0, 0]])
NUMBERS_ALONE = [name for name, kind in MODELS.items() if not kind.takes_categories and not kind.is_baseline]
SCORED = [
    (name, task)
    for name in NUMBERS_ALONE
    for task in MODELS[name].tasks
    if task in ("binary_classification", "regression")
]


def taught(name, task="binary_classification", **parameters):
    kind = MODELS[name]
    y = (VALUE > 0).astype(np.int64) if task == "binary_classification" else VALUE
    options = FitOptions(seed=1, task=task, categories=LEVELS)
    return kind, indicators.fit(kind, X, y, parameters={**kind.defaults, **parameters}, options=options)


@pytest.mark.parametrize(("name", "task"), SCORED)
def test_it_learns_from_levels_and_is_stored(name, task):
    kind, model = taught(name, task)
    found = model.predict(X)
    if task == "regression":
        assert ((found[:, 0] - VALUE) ** 2).mean() < 0.5 * VALUE.var()
    else:
        assert (found.argmax(axis=1) == (VALUE > 0)).mean() > 0.9
    again = indicators.load(kind, model.dump())
    rows = np.vstack([X[:9], ODD])
    together = model.predict(rows)
    assert (again.predict(rows) == together).all()
    assert all((again.predict(rows[at : at + 1]) == together[at]).all() for at in range(len(rows)))


@pytest.mark.parametrize(("name", "task"), [item for item in SCORED if MODELS[item[0]].explains])
def test_it_is_explained_by_the_columns_that_there_are(name, task):
    _, model = taught(name, task)
    form = model.form()
    groups = {f"column {place}": [place] for place in range(4)}
    found = of_form(form, ODD, X[:30], groups)
    if found is None:  # the library cannot do such trees
        pytest.skip("no exact explanation")
    assert found.values.shape[1] == 4
    asked = model.predict(ODD)[:, -1]
    told = found.scores()[:, -1]
    if found.scale == "log_odds":
        told = 1 / (1 + np.exp(-told))
    assert told == pytest.approx(asked, abs=1e-6)
    assert np.abs(found.values[:, 1]).max() > np.abs(found.values[:, 2]).max()


@pytest.mark.parametrize(
    "name", ["logistic_regression", "random_forest", "hist_gradient_boosting", "lightgbm", "xgboost"]
)
@pytest.mark.parametrize("most", [0, 254])
def test_one_row_is_answered_by_itself_with_the_bits_of_many(name, most):
    own = {"max_cat_to_onehot": most or int(name != "hist_gradient_boosting")} if MODELS[name].of_categories else {}
    _, model = taught(name, **own)
    score, compiled = compile_model(model)
    assert compiled
    rows = np.vstack([X, ODD])
    assert [tuple(score(row)) for row in rows.tolist()] == [tuple(row) for row in model.predict(rows).tolist()]


def test_a_level_has_one_indicator_and_so_have_new_and_missing_ones():
    rows = np.array([[7.0, 0], [8.0, 2], [9.0, 3], [7.0, np.nan]])
    assert widened(rows, (0, 2)).tolist() == [[7, 1, 0, 0, 0], [8, 0, 0, 1, 0], [9, 0, 0, 0, 1], [7, 0, 0, 0, 1]]


def test_boosting_sees_few_levels_as_indicators_and_many_as_sets():
    forms = {most: taught("hist_gradient_boosting", max_cat_to_onehot=most)[1] for most in (0, 3, 4)}
    spread = {most: model.spread if isinstance(model, WithIndicators) else () for most, model in forms.items()}
    assert spread == {0: (), 3: (0, 0, 0, 3), 4: LEVELS}
    assert isinstance(forms[3].form(), TreeSum)
    assert len(forms[3].predict(ODD)) == 3


def test_without_categories_nothing_is_added():
    kind = MODELS["ridge"]
    model = indicators.fit(kind, X, VALUE, parameters=kind.defaults, options=FitOptions(seed=1, task="regression"))
    assert FILE not in model.dump()
    assert isinstance(model.form(), Linear)
    assert model.form().spread == ()


@pytest.mark.parametrize(
    "wrong", [b"{", b"{}", b'{"spread": 4}', b'{"spread": [0, -1]}', b'{"spread": [0, 999]}', b'{"spread": [true]}']
)
def test_a_damaged_file_is_refused(wrong):
    kind, model = taught("logistic_regression")
    with pytest.raises(EngineError):
        indicators.load(kind, {**model.dump(), FILE: wrong})


def test_another_width_is_refused():
    kind, model = taught("logistic_regression")
    with pytest.raises(DataError):
        model.predict(X[:, :3])
    narrow = indicators.load(kind, {**model.dump(), FILE: json.dumps({"spread": [0, 3, 0, 3]}).encode()})
    with pytest.raises(DataError):
        narrow.predict(X)


def test_members_of_an_ensemble_see_a_column_in_several_ways():
    models = [taught("logistic_regression"), taught("lightgbm"), taught("lightgbm", max_cat_to_onehot=4)]
    stored = {
        f"{place}/{name}": content for place, (_, model) in enumerate(models) for name, content in model.dump().items()
    }
    members = [
        {"kind": kind.name, "weight": 1 / 3, "files": {name: f"{place}/{name}" for name in model.dump()}}
        for place, (kind, model) in enumerate(models)
    ]
    ensemble = load_described({"kind": ENSEMBLE, "members": members}, stored.__getitem__)
    expected = sum(1 / 3 * model.predict(ODD) for _, model in models)
    assert ensemble.predict(ODD) == pytest.approx(expected)
    score, compiled = compile_model(ensemble)
    assert compiled
    assert [tuple(score(row)) for row in ODD.tolist()] == [tuple(row) for row in ensemble.predict(ODD).tolist()]
