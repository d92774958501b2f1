"""L-SEL-2, L-SEL-4: calibrated models and ensembles answer a row alone as beside others, and are plain data."""

from __future__ import annotations

import json
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlops_compiler.backends.stages.ensemble import mixed, pick_members
from mlops_compiler.backends.stages.out_of_fold import OutOfFold, cross_calibrated
from mlops_compiler.evaluation.metrics import score_all
from mlops_compiler.models.calibration import calibrated, fit_calibration
from mlops_compiler.models.composed import Calibrated, Ensemble, load_described
from mlops_compiler.models.kind import FitOptions
from mlops_compiler.models.registry import MODELS

BINARY, SEVERAL = "binary_classification", "multiclass_classification"
METHODS = ("isotonic", "sigmoid")


def overconfident(seed, rows=600):
    """Make labels, and probabilities that are too near to 0 and 1."""
    rng = np.random.default_rng(seed)
    margin = rng.normal(size=rows)
    y = (rng.random(rows) < 1 / (1 + np.exp(-margin))).astype(np.int64)
    return y, 1 / (1 + np.exp(-4 * margin))


@pytest.mark.parametrize("method", METHODS)
def test_calibration_mends_what_is_too_sure(method):
    (y, probability), (later, unseen) = overconfident(1), overconfident(2)
    learned = json.loads(json.dumps(fit_calibration(method, y, probability)))
    found = calibrated(learned, unseen)
    before, after = (score_all(BINARY, later, item)["log_loss"] for item in (unseen, found))
    assert after < before - 0.2
    assert score_all(BINARY, later, found)["brier"] < score_all(BINARY, later, unseen)["brier"]
    assert ((found > 0) & (found < 1)).all()


@settings(max_examples=20, deadline=None)
@given(st.sampled_from(METHODS), st.integers(0, 10**6), st.sampled_from([1, 3]))
def test_a_calibrated_row_has_the_same_bits_alone_and_keeps_the_order(method, seed, columns):
    rng = np.random.default_rng(seed)
    if columns == 1:
        y, probability = overconfident(seed, 80)
        probability = np.concatenate([probability, [0.0, 1.0]])
    else:
        y, probability = rng.integers(3, size=80), rng.dirichlet(np.ones(3), size=82)
    learned = fit_calibration(method, y, probability[:80])
    whole = calibrated(learned, probability)
    alone = np.concatenate([calibrated(learned, probability[row : row + 1]) for row in range(82)])
    assert (whole == alone).all()
    if columns == 1:
        assert (np.diff(whole[np.argsort(probability, kind="stable")]) >= -1e-12).all()
    else:
        assert whole.sum(axis=1) == pytest.approx(1)


def test_no_row_teaches_its_own_calibration():
    """Each fold is calibrated by the others of its repeat; in order of time by those before it."""
    rng = np.random.default_rng(5)
    labels = tuple(rng.integers(2, size=30) for _ in range(4))
    answers = tuple(rng.random(30) for _ in range(4))
    found = OutOfFold(labels=labels, answers=answers)
    changed = OutOfFold(labels=(1 - labels[0], *labels[1:]), answers=answers)
    for ordered, k, untouched in ((False, 2, (0, 2, 3)), (True, 4, (0,))):
        one, other = (cross_calibrated(item, "sigmoid", k, ordered=ordered) for item in (found, changed))
        same = tuple(fold for fold in range(4) if (one.answers[fold] == other.answers[fold]).all())
        assert same == untouched


def test_an_ensemble_is_at_least_as_good_as_its_best_member_and_of_few():
    rng = np.random.default_rng(7)
    labels = tuple(rng.integers(2, size=200) for _ in range(3))
    library = [
        OutOfFold(labels=labels, answers=tuple(np.clip(y * 0.3 + rng.random(200) * 0.7, 0, 1) for y in labels))
        for _ in range(6)
    ]

    def score(found):
        pairs = zip(found.labels, found.answers, strict=True)
        return np.mean([score_all(BINARY, y, p)["roc_auc"] for y, p in pairs])

    picked = pick_members(BINARY, "roc_auc", library, 3)
    assert 1 < len(picked) <= 3
    assert score(mixed(library, picked)) > max(map(score, library))
    assert mixed(library, Counter({2: 4})).answers[0] == pytest.approx(library[2].answers[0])


def test_a_member_that_helps_in_some_folds_only_is_none():
    rng = np.random.default_rng(7)
    labels = tuple(rng.integers(2, size=200) for _ in range(4))
    good, poor = (
        tuple(
            np.clip(y * 0.3 + rng.random(200) * 0.7, 0, 1) if fold in knows else rng.random(200)
            for fold, y in enumerate(labels)
        )
        for knows in ({0, 1, 2, 3}, {0})
    )
    library = [OutOfFold(labels=labels, answers=answers) for answers in (good, poor)]
    assert pick_members(BINARY, "roc_auc", library, 3) == Counter({0: 1})
    alone = [OutOfFold(labels=labels[:1], answers=answers[:1]) for answers in (good, poor)]
    assert len(pick_members(BINARY, "roc_auc", alone, 3)) == 2


@pytest.mark.parametrize("task", [BINARY, SEVERAL])
def test_a_described_model_comes_back_and_scores_each_row_alone(task):
    rng = np.random.default_rng(3)
    classes = 2 if task == BINARY else 3
    X, y = rng.normal(size=(90, 4)), np.r_[np.arange(classes), rng.integers(classes, size=90 - classes)]
    options = FitOptions(seed=1, task=task, classes=classes)
    stored, members = {}, []
    for weight, name, parameters in (
        (0.75, "logistic_regression", {}),
        (0.25, "hist_gradient_boosting", {"max_iter": 5}),
    ):
        kind = MODELS[name]
        model = kind.fit(X, y, parameters={**kind.defaults, **parameters}, options=options)
        files = {file: f"{name}/{file}" for file in model.dump()}
        stored |= {f"{name}/{file}": content for file, content in model.dump().items()}
        members.append({"kind": name, "files": files, "weight": weight})
    answers = load_described(members[0], stored.__getitem__).predict(X)
    learned = fit_calibration("isotonic", y, answers[:, 1] if task == BINARY else answers)
    members[0]["calibration"] = json.loads(json.dumps(learned))
    model = load_described({"kind": "ensemble", "members": members}, stored.__getitem__)
    assert isinstance(model, Ensemble)
    assert isinstance(model.members[0][1], Calibrated)
    whole = model.predict(X)
    assert (whole == np.vstack([model.predict(X[row : row + 1]) for row in range(90)])).all()
    assert whole.sum(axis=1) == pytest.approx(1)
    raw = load_described({"kind": "ensemble", "members": members}, stored.__getitem__, raw=True)
    boosted = load_described(members[1], stored.__getitem__).predict(X)
    assert raw.predict(X) == pytest.approx(0.75 * answers + 0.25 * boosted)
