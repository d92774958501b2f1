"""Metrics of rows that weigh differently are scikit-learn's with `sample_weight`; weight 2 is the row twice."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics as oracle

from mlops_compiler.diagnostics import DataError
from mlops_compiler.evaluation.confusion import confusion
from mlops_compiler.evaluation.curves import roc
from mlops_compiler.evaluation.intervals import Answers, replicate
from mlops_compiler.evaluation.metrics import score_all
from mlops_compiler.evaluation.samples import rows_by_class
from mlops_compiler.evaluation.threshold import best_threshold, value_summary
from mlops_compiler.ir.ops.search import ValueMatrix
from mlops_compiler.models.calibration import fit_calibration

BINARY, SEVERAL, VALUES = "binary_classification", "multiclass_classification", "regression"
ROWS, CLASSES = 120, 3
_RNG = np.random.default_rng(11)
LABELS = _RNG.integers(2, size=ROWS)
PROBABILITY = np.round(_RNG.random(ROWS), 1)
OF_CLASSES = _RNG.dirichlet(np.ones(CLASSES), size=ROWS)
CAME = _RNG.normal(1000, 5, ROWS)
SAID = CAME + _RNG.normal(0, 3, ROWS)
NUMBERS = _RNG.integers(CLASSES, size=ROWS)
CASES = {BINARY: (LABELS, PROBABILITY), SEVERAL: (NUMBERS, OF_CLASSES), VALUES: (CAME, SAID)}
WEIGHTS = _RNG.uniform(0.1, 5, ROWS)
TWICE = _RNG.integers(1, 4, ROWS)
VALUE = ValueMatrix(true_positive=60, false_positive=-15, false_negative=-100, true_negative=0)


def binary(y, p, w):
    decided = p >= 0.5
    return {
        "roc_auc": oracle.roc_auc_score(y, p, sample_weight=w),
        "average_precision": oracle.average_precision_score(y, p, sample_weight=w),
        "log_loss": oracle.log_loss(y, p, sample_weight=w),
        "brier": oracle.brier_score_loss(y, p, sample_weight=w),
        "accuracy": oracle.accuracy_score(y, decided, sample_weight=w),
        "balanced_accuracy": oracle.balanced_accuracy_score(y, decided, sample_weight=w),
        "f1": oracle.f1_score(y, decided, sample_weight=w),
        "precision": oracle.precision_score(y, decided, sample_weight=w),
        "recall": oracle.recall_score(y, decided, sample_weight=w),
        "mcc": oracle.matthews_corrcoef(y, decided, sample_weight=w),
    }


def several(y, p, w):
    decided = p.argmax(axis=1)
    return {
        "log_loss": oracle.log_loss(y, p, sample_weight=w),
        "roc_auc_ovr": oracle.roc_auc_score(y, p, multi_class="ovr", sample_weight=w),
        "accuracy": oracle.accuracy_score(y, decided, sample_weight=w),
        "balanced_accuracy": oracle.balanced_accuracy_score(y, decided, sample_weight=w),
        "f1_macro": oracle.f1_score(y, decided, average="macro", sample_weight=w),
        "f1_weighted": oracle.f1_score(y, decided, average="weighted", sample_weight=w),
        "mcc": oracle.matthews_corrcoef(y, decided, sample_weight=w),
    }


def values(y, p, w):
    return {
        "rmse": oracle.root_mean_squared_error(y, p, sample_weight=w),
        "mae": oracle.mean_absolute_error(y, p, sample_weight=w),
        "median_absolute_error": oracle.median_absolute_error(y, p, sample_weight=w),
        "mape": oracle.mean_absolute_percentage_error(y, p, sample_weight=w),
        "max_error": oracle.max_error(y, p),
        "r2": oracle.r2_score(y, p, sample_weight=w),
    }


@pytest.mark.parametrize(("task", "by_scikit_learn"), [(BINARY, binary), (SEVERAL, several), (VALUES, values)])
def test_they_are_scikit_learns(task, by_scikit_learn):
    y, answers = CASES[task]
    found = score_all(task, y, answers, weights=WEIGHTS)
    assert found == pytest.approx(by_scikit_learn(y, answers, WEIGHTS), rel=1e-9)
    unweighted = score_all(task, y, answers)
    assert all(found[name] != pytest.approx(unweighted[name], rel=1e-6) for name in found if name != "max_error")


@pytest.mark.parametrize("task", CASES)
def test_a_whole_weight_is_the_row_so_often(task):
    y, answers = CASES[task]
    again = np.repeat(np.arange(ROWS), TWICE)
    weighted = score_all(task, y, answers, weights=TWICE.astype(float))
    assert weighted == pytest.approx(score_all(task, y[again], answers[again]), rel=1e-9)


def test_one_class_alone_has_no_metrics():
    with pytest.raises(DataError, match="one class"):
        score_all(BINARY, np.ones(5, dtype=int), np.ones(5), weights=np.ones(5))


def test_the_interval_is_around_the_weighted_metric():
    units = rows_by_class(None, ROWS)
    y, answers = CASES[VALUES]
    heavy = np.where(np.abs(answers - y) > 4, 50.0, 1.0)
    side = {"model": Answers(predicted=answers)}
    low, high = replicate(VALUES, y, side, units, 1, weights=heavy).intervals("model")["mae"]
    assert low < score_all(VALUES, y, answers, weights=heavy)["mae"] < high
    assert score_all(VALUES, y, answers)["mae"] < low


def test_what_is_decided_is_that_of_the_rows_so_often():
    again = np.repeat(np.arange(ROWS), TWICE)
    y, p, weights = LABELS, PROBABILITY, TWICE.astype(float)
    assert best_threshold(y, p, VALUE, weights) == best_threshold(y[again], p[again], VALUE)
    assert value_summary(y, p, 0.3, VALUE, weights) == value_summary(y[again], p[again], 0.3, VALUE)
    assert confusion(y, p, 0.3, weights) == confusion(y[again], p[again], 0.3)
    assert roc(y, p, weights) == roc(y[again], p[again])
    for method in ("isotonic", "sigmoid"):
        (one,), (other,) = (
            fit_calibration(method, *given)["curves"] for given in ((y, p, weights), (y[again], p[again]))
        )
        assert {name: pytest.approx(value, rel=1e-6) for name, value in one.items()} == other
