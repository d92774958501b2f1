"""Metrics agree with scikit-learn's, edge cases included."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as oracle

from mlops_compiler.diagnostics import DataError
from mlops_compiler.evaluation.metrics import (
    METRICS,
    metric_names,
    score_all,
)
from mlops_compiler.ir.task import ALL_TASKS, TASKS

BINARY, SEVERAL = "binary_classification", "multiclass_classification"

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
    assert score_all(BINARY, y, probability, threshold) == pytest.approx(
        by_scikit_learn(y, probability, threshold), rel=1e-9, abs=1e-12
    )


def test_a_decision_at_the_threshold_is_positive():
    scores = score_all(BINARY, np.array([0, 1]), np.array([0.2, 0.7]), threshold=0.7)
    assert scores["accuracy"] == 1.0


def test_no_positive_decision_has_no_precision():
    scores = score_all(BINARY, np.array([0, 1]), np.array([0.2, 0.3]), names=("precision", "f1", "mcc"))
    assert scores == {"precision": 0.0, "f1": 0.0, "mcc": 0.0}


def test_names_choose_the_metrics_and_their_order():
    assert list(score_all(BINARY, np.array([0, 1]), np.array([0.2, 0.3]), names=("brier", "roc_auc"))) == [
        "brier",
        "roc_auc",
    ]


@pytest.mark.parametrize("label", [0, 1])
def test_one_class_cannot_be_scored(label):
    with pytest.raises(DataError, match="all of one class"):
        score_all(BINARY, np.full(5, label), np.linspace(0, 1, 5))


def several(rows=12, classes=4):
    """Rows of some classes, each with the odds of every class; not every class need have a row."""
    row = st.tuples(st.integers(0, classes - 1), st.lists(st.integers(0, 6), min_size=classes, max_size=classes))
    found = st.lists(row, min_size=2, max_size=rows).filter(lambda pairs: len({label for label, _ in pairs}) > 1)
    return found.map(lambda pairs: (np.array([y for y, _ in pairs]), _shares([odds for _, odds in pairs])))


def _shares(odds):
    odds = np.array(odds, dtype=float) + 0.25
    return odds / odds.sum(axis=1, keepdims=True)


@settings(max_examples=60, deadline=None)
@given(several())
def test_every_metric_of_several_classes_is_scikit_learns(given_rows):
    y, probability = given_rows
    decided, came = probability.argmax(axis=1), np.unique(y)
    aucs = [oracle.roc_auc_score(y == item, probability[:, item]) for item in came]
    recalls = oracle.recall_score(y, decided, labels=came, average="macro", zero_division=0.0)
    expected = {
        "log_loss": oracle.log_loss(y, probability, labels=range(probability.shape[1])),
        "roc_auc_ovr": np.mean(aucs),
        "accuracy": oracle.accuracy_score(y, decided),
        "balanced_accuracy": recalls,
        "f1_macro": oracle.f1_score(y, decided, average="macro", zero_division=0.0),
        "f1_weighted": oracle.f1_score(y, decided, average="weighted", zero_division=0.0),
        "mcc": oracle.matthews_corrcoef(y, decided),
    }
    assert score_all(SEVERAL, y, probability) == pytest.approx(expected, rel=1e-9, abs=1e-12)


values = st.lists(st.tuples(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6)), min_size=2, max_size=30)


@settings(max_examples=60, deadline=None)
@given(values.filter(lambda pairs: len({y for y, _ in pairs}) > 1))
def test_every_metric_of_a_regression_is_scikit_learns(pairs):
    y, predicted = (np.array(side) for side in zip(*pairs, strict=True))
    expected = {
        "rmse": oracle.root_mean_squared_error(y, predicted),
        "mae": oracle.mean_absolute_error(y, predicted),
        "median_absolute_error": oracle.median_absolute_error(y, predicted),
        "mape": oracle.mean_absolute_percentage_error(y, predicted),
        "max_error": oracle.max_error(y, predicted),
        "r2": oracle.r2_score(y, predicted),
    }
    assert score_all("regression", y, predicted) == pytest.approx(expected, rel=1e-9, abs=1e-12)


def test_values_that_do_not_vary_are_explained_or_not():
    y = np.full(3, 2.0)
    assert score_all("regression", y, y, names=("r2",)) == {"r2": 1.0}
    assert score_all("regression", y, y + 1, names=("r2",)) == {"r2": 0.0}


def test_several_classes_of_which_one_came_cannot_be_scored():
    with pytest.raises(DataError, match="all of one class"):
        score_all(SEVERAL, np.full(5, 2), _shares(np.ones((5, 3))))


def test_every_name_is_described():
    assert set(METRICS) == {name for task in (*ALL_TASKS, "forecasting") for name in metric_names(task)}
    losses = {"log_loss", "brier", "rmse", "mae", "median_absolute_error", "mape", "max_error"}
    losses |= {"smape", "mase", "davies_bouldin", "flagged"}
    assert {name for name, metric in METRICS.items() if not metric.greater_is_better} == losses


ANSWERS = {
    BINARY: (np.array([0, 0, 1, 1]), np.array([0.1, 0.2, 0.8, 0.9]), np.array([0.9, 0.8, 0.2, 0.1])),
    SEVERAL: (np.array([0, 1, 2]), np.eye(3) * 0.7 + 0.1, np.roll(np.eye(3), 1, axis=0) * 0.7 + 0.1),
    "regression": (np.array([1.0, 2.0, 3.0]), np.array([1.1, 2.0, 2.9]), np.array([3.0, 4.0, -1.0])),
}


@pytest.mark.parametrize(("task", "name"), [(task, name) for task in TASKS for name in metric_names(task)])
def test_the_better_direction_is_right(task, name):
    y, good, bad = ANSWERS[task]
    better, worse = (score_all(task, y, answers, names=(name,))[name] for answers in (good, bad))
    assert (better > worse) == METRICS[name].greater_is_better
