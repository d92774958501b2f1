"""A model that is to be used learns, in the end, from the rows too that told it when to stop."""

from __future__ import annotations

import numpy as np
import pytest

from mlops_compiler.models.adapters.sampling import hold_back, rounds_of_all
from mlops_compiler.models.kind import FitOptions
from mlops_compiler.models.registry import MODELS

RANDOM = np.random.default_rng(11)
X = RANDOM.normal(size=(600, 4))
NOISE = RANDOM.normal(size=600)
TARGETS = {
    "regression": X[:, 0] * 3 + np.abs(X[:, 1]) + NOISE,
    "binary_classification": (X[:, 0] + NOISE > 0).astype(np.int64),
    "multiclass_classification": np.digitize(X[:, 0] + NOISE, [-0.7, 0.7]).astype(np.int64),
}
KINDS = {
    "hist_gradient_boosting": "early_stopping",
    "lightgbm": "early_stopping_rounds",
    "xgboost": "early_stopping_rounds",
}


def fitted(name, task, y=None, *, whole, stops=True):
    kind = MODELS[name]
    own = {} if stops else {KINDS[name]: False if KINDS[name] == "early_stopping" else None}
    options = FitOptions(seed=3, task=task, classes=3 if task.startswith("multi") else 2, whole=whole)
    return kind.fit(X, TARGETS[task] if y is None else y, parameters={**kind.defaults, **own}, options=options)


@pytest.mark.parametrize("task", TARGETS)
@pytest.mark.parametrize("name", KINDS)
def test_it_learns_from_all_rows_for_as_many_more_rounds(name, task):
    judged, used = fitted(name, task, whole=False), fitted(name, task, whole=True)
    assert used.history.to_json() == judged.history.to_json()
    outputs = len(judged.baseline)
    assert judged.trees.count == judged.history.best * outputs
    assert used.trees.count == rounds_of_all(judged.history.best) * outputs
    assert fitted(name, task, whole=True).dump() == used.dump()


@pytest.mark.parametrize("name", KINDS)
def test_where_nothing_is_held_back_it_is_the_same(name):
    assert (
        fitted(name, "regression", whole=True, stops=False).dump()
        == fitted(name, "regression", whole=False, stops=False).dump()
    )


@pytest.mark.parametrize("name", ["lightgbm", "xgboost"])
def test_rows_that_were_held_back_teach_it(name):
    options = FitOptions(seed=3, task="regression")
    _, held = hold_back(TARGETS["regression"], options)
    changed = TARGETS["regression"].copy()
    changed[held] += 40.0
    before, after = (fitted(name, "regression", y, whole=True).predict(X[held]).mean() for y in (None, changed))
    assert after - before > 10
    before, after = (fitted(name, "regression", y, whole=False).predict(X[held]).mean() for y in (None, changed))
    assert abs(after - before) < 10
