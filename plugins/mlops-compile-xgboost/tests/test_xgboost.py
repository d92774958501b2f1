"""XGBoost keeps the laws of every kind, and scores as XGBoost itself does."""

from __future__ import annotations

import json

import numpy as np
import pytest
import xgboost

from mlops_compile_xgboost import XGBOOST
from mlops_compiler.diagnostics import EngineError
from mlops_compiler.models.registry import MODELS
from mlops_compiler.testing.categories import CATEGORY_ROWS, LEVELS
from mlops_compiler.testing.kinds import KindLaws
from mlops_compiler.testing.rows import ROWS
from mlops_compiler.testing.subjects import subjects

SUBJECTS = subjects(XGBOOST, n_estimators=30)


class TestLaws(KindLaws):
    subjects = SUBJECTS


def test_the_registry_finds_it():
    assert MODELS["xgboost"] is XGBOOST


@pytest.mark.parametrize("subject", SUBJECTS, ids=str)
@pytest.mark.parametrize("missing", [0.0, 0.2])
def test_scores_are_those_of_xgboost(subject, missing):
    random = np.random.default_rng(5)
    X = np.where(random.random(ROWS.shape) < missing, np.nan, ROWS)
    model = subject.fit(X)
    booster = xgboost.Booster(model_file=bytearray(model.text))
    at_thresholds = np.tile(model.trees.threshold[:60, None], (1, 6))
    odd = np.vstack([X, np.full((1, 6), np.nan), np.zeros((1, 6)), at_thresholds])
    theirs = booster.predict(xgboost.DMatrix(odd))
    ours = model.predict(odd)
    found = ours if subject.task == "multiclass_classification" else ours[:, -1]
    assert found == pytest.approx(theirs, rel=3e-5)
    assert model.trees.count > 0


@pytest.mark.parametrize("subject", SUBJECTS, ids=str)
def test_scores_with_categories_are_those_of_xgboost(subject):
    y = (CATEGORY_ROWS[:, 1] % 3).astype(np.int64) + (CATEGORY_ROWS[:, 0] > 0)
    y = y.clip(0, 1) if subject.task == "binary_classification" else y
    model = subject.fit(CATEGORY_ROWS, y, categories=LEVELS)
    assert (model.trees.chooses >= 0).any()
    rows = np.vstack([CATEGORY_ROWS, [[0.0, 40, 0, 3], [0.0, 41, 0, 4]]])
    seen = np.where(np.array([np.inf, 41, np.inf, 3]) <= rows, np.nan, rows).astype(np.float32)
    booster = xgboost.Booster(model_file=bytearray(model.text))
    types = ["c" if count else "q" for count in LEVELS]
    theirs = booster.predict(xgboost.DMatrix(seen, feature_types=types, enable_categorical=True))
    ours = model.predict(rows)
    found = ours if subject.task == "multiclass_classification" else ours[:, -1]
    assert found == pytest.approx(theirs, rel=3e-5)


def test_it_stops_early_and_says_when_it_cannot():
    subject = subjects(XGBOOST, n_estimators=400, early_stopping_rounds=5)[0]
    assert subject.fitted.trees.count < 300
    X, y = np.arange(12.0).reshape(6, 2), np.array([0, 0, 1, 1, 1, 1])
    assert "too few" in subject.fit(X, y).notes[0]
    assert subjects(XGBOOST, n_estimators=40, early_stopping_rounds=None)[0].fitted.trees.count == 40


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("left_children", 10**6),
        ("left_children", -7),
        ("right_children", 0),
        ("split_indices", 6),
        ("split_indices", -2),
        ("split_type", 1),
        ("split_conditions", None),
        ("split_conditions", "x"),
    ],
)
def test_a_node_that_leads_astray_is_refused(name, value):
    files = SUBJECTS[0].fitted.dump()
    model = json.loads(files["model.json"])
    model["learner"]["gradient_booster"]["model"]["trees"][0][name][0] = value
    with pytest.raises(EngineError, match="damaged"):
        XGBOOST.load({**files, "model.json": json.dumps(model).encode()})


@pytest.mark.parametrize("score", ["[0E0]", "[2E0]", "[nan]", "", "[5E-1,5E-1]"])
def test_a_start_that_is_none_is_refused(score):
    files = SUBJECTS[0].fitted.dump()
    model = json.loads(files["model.json"])
    model["learner"]["learner_model_param"]["base_score"] = score
    with pytest.raises(EngineError, match="damaged"):
        XGBOOST.load({**files, "model.json": json.dumps(model).encode()})


@pytest.mark.parametrize(
    ("name", "value"),
    [("categories_nodes", 10**6), ("categories_segments", 10**6), ("categories_sizes", -3), ("categories", 999)],
)
def test_sets_of_levels_that_are_none_are_refused(name, value):
    y = (CATEGORY_ROWS[:, 1] % 3 == 0).astype(np.int64)
    files = SUBJECTS[0].fit(CATEGORY_ROWS, y, categories=LEVELS).dump()
    model = json.loads(files["model.json"])
    model["learner"]["gradient_booster"]["model"]["trees"][0][name][0] = value
    with pytest.raises(EngineError, match="damaged"):
        XGBOOST.load({**files, "model.json": json.dumps(model).encode()})
