"""Metrics agree with scikit-learn's, edge cases included."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as oracle

from mlops_compiler.diagnostics import DataError
from mlops_compiler.evaluation.metrics import METRIC_NAMES, METRICS, score_all

# Few distinct probabilities, so that ties are common.
TIED = st.integers(0, 8).map(lambda eighths: eighths / 8)
FREE = st.floats(0, 1)


def predictions(probability):
    rows = st.lists(st.tuples(st.integers(0, 1), probability), min_size=2, max_size=40)
    both = rows.filter(lambda pairs: len({label for label, _ in pairs}) == 2)
    return both.map(lambda pairs: (np.array([y for y, _ in pairs]), np.array([p for _, p in pairs])))


def by_scikit_learn(y, probability, threshold):
    decided = (probability >= threshold).astype(int)
    return {
        "roc_auc": oracle.roc_auc_score(y, probability),
        "average_precision": oracle.average_precision_score(y, probability),
        "log_loss": oracle.log_loss(y, probability),
        "brier": oracle.brier_score_loss(y, probability),
        "accuracy": oracle.accuracy_score(y, decided),
        "balanced_accuracy": oracle.balanced_accuracy_score(y, decided),
        "f1": oracle.f1_score(y, decided, zero_division=0.0),
        "precision": oracle.precision_score(y, decided, zero_division=0.0),
        "recall": oracle.recall_score(y, decided),
        "mcc": oracle.matthews_corrcoef(y, decided),
    }


@settings(max_examples=60, deadline=None)
@given(predictions(TIED) | predictions(FREE), TIED)
def test_every_metric_is_scikit_learns(given_rows, threshold):
    y, probability = given_rows
    assert score_all(y, probability, threshold) == pytest.approx(
        by_scikit_learn(y, probability, threshold), rel=1e-9, abs=1e-12
    )


def test_a_decision_at_the_threshold_is_positive():
    scores = score_all(np.array([0, 1]), np.array([0.2, 0.7]), threshold=0.7)
    assert scores["accuracy"] == 1.0


def test_no_positive_decision_has_no_precision():
    scores = score_all(np.array([0, 1]), np.array([0.2, 0.3]), names=("precision", "f1", "mcc"))
    assert scores == {"precision": 0.0, "f1": 0.0, "mcc": 0.0}


def test_names_choose_the_metrics_and_their_order():
    assert list(score_all(np.array([0, 1]), np.array([0.2, 0.3]), names=("brier", "roc_auc"))) == [
        "brier",
        "roc_auc",
    ]


@pytest.mark.parametrize("label", [0, 1])
def test_one_class_cannot_be_scored(label):
    with pytest.raises(DataError, match="all of one class"):
        score_all(np.full(5, label), np.linspace(0, 1, 5))


def test_every_name_is_described():
    assert tuple(METRICS) == METRIC_NAMES
    assert {name for name, metric in METRICS.items() if not metric.greater_is_better} == {"log_loss", "brier"}


@pytest.mark.parametrize("name", METRIC_NAMES)
def test_the_better_direction_is_right(name):
    y = np.array([0, 0, 1, 1])
    good = score_all(y, np.array([0.1, 0.2, 0.8, 0.9]))[name]
    bad = score_all(y, np.array([0.9, 0.8, 0.2, 0.1]))[name]
    assert (good > bad) == METRICS[name].greater_is_better
