"""LightGBM keeps the laws of every kind, and scores as LightGBM itself does."""

from __future__ import annotations

import re

import lightgbm
import numpy as np
import pytest

from mlops_compile_lightgbm import LIGHTGBM
from mlops_compiler.diagnostics import EngineError
from mlops_compiler.models.registry import MODELS
from mlops_compiler.testing.categories import CATEGORY_ROWS, LEVELS
from mlops_compiler.testing.kinds import KindLaws
from mlops_compiler.testing.rows import ROWS
from mlops_compiler.testing.subjects import subjects

SUBJECTS = subjects(LIGHTGBM, n_estimators=30, min_child_samples=5)


class TestLaws(KindLaws):
    subjects = SUBJECTS


def test_the_registry_finds_it():
    assert MODELS["lightgbm"] is LIGHTGBM


@pytest.mark.parametrize("subject", SUBJECTS, ids=str)
@pytest.mark.parametrize("missing", [0.0, 0.2])
def test_scores_are_those_of_lightgbm(subject, missing):
    random = np.random.default_rng(5)
    X = np.where(random.random(ROWS.shape) < missing, np.nan, ROWS)
    model = subject.fit(X)
    booster = lightgbm.Booster(model_str=model.text.decode())
    odd = np.vstack([X, np.full((1, 6), np.nan), np.zeros((1, 6)), np.full((1, 6), 1e300)])
    theirs = booster.predict(odd)
    ours = model.predict(odd)
    found = ours if subject.task == "multiclass_classification" else ours[:, -1]
    assert found == pytest.approx(theirs, rel=1e-12)
    assert model.trees.count > 0


@pytest.mark.parametrize("subject", SUBJECTS, ids=str)
def test_scores_with_categories_are_those_of_lightgbm(subject):
    y = (CATEGORY_ROWS[:, 1] % 3).astype(np.int64) + (CATEGORY_ROWS[:, 0] > 0)
    y = y.clip(0, 1) if subject.task == "binary_classification" else y
    model = subject.fit(CATEGORY_ROWS, y, categories=LEVELS)
    assert (model.trees.chooses >= 0).any()
    rows = np.vstack([CATEGORY_ROWS, [[0.0, 40, 0, 3], [0.0, 41, 0, 4]]])
    booster = lightgbm.Booster(model_str=model.text.decode())
    theirs = booster.predict(np.where(np.array([np.inf, 41, np.inf, 3]) <= rows, np.nan, rows))
    ours = model.predict(rows)
    found = ours if subject.task == "multiclass_classification" else ours[:, -1]
    assert found == pytest.approx(theirs, rel=1e-12)


def test_it_stops_early_and_says_when_it_cannot():
    subject = subjects(LIGHTGBM, n_estimators=400, early_stopping_rounds=5)[0]
    assert subject.fitted.trees.count < 300
    X, y = np.arange(12.0).reshape(6, 2), np.array([0, 0, 1, 1, 1, 1])
    assert "too few" in subject.fit(X, y).notes[0]
    assert subjects(LIGHTGBM, n_estimators=40, early_stopping_rounds=None)[0].fitted.trees.count == 40


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        (r"left_child=\S+", "left_child=99"),
        (r"left_child=\S+", "left_child=-99"),
        (r"left_child=\S+", "left_child=0"),
        (r"split_feature=\S+", "split_feature=6"),
        (r"split_feature=\S+", "split_feature=-1"),
        (r"leaf_value=\S+", "leaf_value=nan"),
        (r"leaf_value=\S+", "leaf_value="),
        (r"decision_type=\S+", "decision_type=1"),
        (r"num_tree_per_iteration=\d", "num_tree_per_iteration=4"),
        (r"max_feature_idx=\d", "max_feature_idx=x"),
        (r"version=v4", "version=v9"),
        (r"Tree=0", "Tree=7"),
    ],
)
def test_a_text_that_is_no_model_is_refused(pattern, text):
    files = SUBJECTS[0].fitted.dump()
    changed = re.sub(pattern, text, files["model.txt"].decode(), count=1)
    with pytest.raises(EngineError, match="damaged"):
        LIGHTGBM.load({**files, "model.txt": changed.encode()})


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        (r"cat_boundaries=\S+ ", "cat_boundaries=7 "),
        (r"cat_threshold=\S+ ", "cat_threshold="),
        (r"cat_threshold=\S+ ", "cat_threshold=-1 "),
        (r"cat_threshold=", "cat_threshold=x "),
        (r"cat_threshold=", "cat_missing="),
    ],
)
def test_sets_of_levels_that_are_none_are_refused(pattern, text):
    y = (CATEGORY_ROWS[:, 1] % 3 == 0).astype(np.int64)
    files = SUBJECTS[0].fit(CATEGORY_ROWS, y, categories=LEVELS).dump()
    changed = re.sub(pattern, text, files["model.txt"].decode())
    assert changed != files["model.txt"].decode()
    with pytest.raises(EngineError, match="damaged"):
        LIGHTGBM.load({**files, "model.txt": changed.encode()})
