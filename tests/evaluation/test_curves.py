"""Curves agree with scikit-learn's, and stay drawable."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics as oracle
from sklearn.calibration import calibration_curve

from mlops_compiler.evaluation.curves import calibration, precision_recall, roc


def rows(count, distinct=1_000_000):
    random = np.random.default_rng(3)
    probability = np.round(random.random(count) * distinct) / distinct
    return (random.random(count) < probability).astype(int), probability


@pytest.mark.parametrize("distinct", [10, 1_000_000], ids=["ties", "no ties"])
def test_roc_is_scikit_learns(distinct):
    y, probability = rows(150, distinct)
    false, true, _ = oracle.roc_curve(y, probability, drop_intermediate=False)
    curve = roc(y, probability)
    assert curve["false_positive_rate"] == pytest.approx(false)
    assert curve["true_positive_rate"] == pytest.approx(true)


@pytest.mark.parametrize("distinct", [10, 1_000_000], ids=["ties", "no ties"])
def test_precision_recall_is_scikit_learns(distinct):
    y, probability = rows(150, distinct)
    precision, recall, _ = oracle.precision_recall_curve(y, probability)
    curve = precision_recall(y, probability)
    assert curve["precision"] == pytest.approx(precision[::-1])
    assert curve["recall"] == pytest.approx(recall[::-1])


@pytest.mark.parametrize("count", [2, 199, 200, 201, 5000])
def test_a_curve_has_few_points_and_both_ends(count):
    y, probability = rows(count)
    y[:2] = [0, 1]
    both = roc(y, probability)
    points = list(zip(both["false_positive_rate"], both["true_positive_rate"], strict=True))
    assert len(points) <= 200
    assert points[0] == (0.0, 0.0)
    assert points[-1] == (1.0, 1.0)
    other = precision_recall(y, probability)
    assert len(other["recall"]) <= 200
    assert (other["recall"][0], other["precision"][0]) == (0.0, 1.0)
    assert (other["recall"][-1], other["precision"][-1]) == (1.0, pytest.approx(y.mean()))


@pytest.mark.parametrize("distinct", [4, 1_000_000], ids=["ties", "no ties"])
def test_calibration_is_scikit_learns(distinct):
    y, probability = rows(500, distinct)
    observed, predicted = calibration_curve(y, probability, n_bins=10, strategy="quantile")
    curve = calibration(y, probability)
    assert curve["observed"] == pytest.approx(observed)
    assert curve["predicted"] == pytest.approx(predicted)
    assert sum(curve["rows"]) == 500


def test_a_constant_prediction_has_one_bin():
    y = np.array([0, 1, 1, 0])
    assert calibration(y, np.full(4, 0.25)) == {"predicted": [0.25], "observed": [0.5], "rows": [4]}
