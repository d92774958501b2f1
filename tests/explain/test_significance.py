"""L-FB-3: a difference is told as significant where chance hardly explains it, whatever number of slices was looked at."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops_compiler.evaluation.metrics import METRICS, metric_names, score_all
from mlops_compiler.evaluation.significance import adjusted, measure, measured_by, p_value

TASKS = ("binary_classification", "multiclass_classification", "regression")


def answers_to(task, rows, seed=0):
    draw = np.random.default_rng(seed)
    if task == "regression":
        y = draw.normal(5, 1, rows)
        return y, y + draw.normal(0, 0.4, rows)
    if task == "binary_classification":
        probability = draw.uniform(size=rows)
        return (draw.uniform(size=rows) < probability).astype(int), probability
    odds = draw.dirichlet(np.ones(3), rows)
    return np.array([draw.choice(3, p=each) for each in odds]), odds


@pytest.mark.parametrize(("task", "metric"), [(task, metric) for task in TASKS for metric in metric_names(task)])
def test_every_metric_has_a_measure_and_its_value_is_the_metric_of_the_rows(task, metric):
    y, predicted = answers_to(task, 200)
    name = measured_by(metric)
    found = measure(task, metric, y, predicted, 0.4).of(np.ones(200, bool))
    assert found.value == pytest.approx(score_all(task, y, predicted, 0.4, [name])[name])
    assert METRICS[name].greater_is_better == METRICS[metric].greater_is_better or name in ("log_loss", "mae", "rmse")


@pytest.mark.parametrize(
    ("task", "metric"), [("binary_classification", "roc_auc"), ("regression", "rmse"), ("regression", "mape")]
)
def test_the_standard_error_is_that_of_new_rows(task, metric):
    values, errors = [], []
    for seed in range(120):
        y, predicted = answers_to(task, 150, seed)
        found = measure(task, metric, y, predicted, None).of(np.ones(150, bool))
        values.append(found.value)
        errors.append(found.error)
    assert np.mean(errors) == pytest.approx(np.std(values, ddof=1), rel=0.25)


def test_groups_of_few_rows_or_few_of_a_class_are_not_compared():
    y, predicted = answers_to("binary_classification", 100)
    few = np.arange(100) < 29
    assert measure("binary_classification", "log_loss", y, predicted, None).of(few) is None
    assert (
        measure("binary_classification", "roc_auc", np.arange(100) < 5, predicted, None).of(np.ones(100, bool)) is None
    )


def test_the_adjustment_is_that_of_the_paper():
    """The example of Benjamini and Hochberg (1995), table 1: of 15 tests, the first four are significant at 0.05."""
    p = [
        0.0001,
        0.0004,
        0.0019,
        0.0095,
        0.0201,
        0.0278,
        0.0298,
        0.0344,
        0.0459,
        0.3240,
        0.4262,
        0.5719,
        0.6528,
        0.7590,
        1.0,
    ]
    found = adjusted(p)
    assert [rate <= 0.05 for rate in found] == [True] * 4 + [False] * 11
    assert found[0] == pytest.approx(0.0015)


@given(st.lists(st.floats(0, 1), max_size=30))
def test_adjusted_rates_keep_the_order_and_are_never_smaller(p):
    found = adjusted(p)
    assert all(rate >= value or rate == pytest.approx(value) for rate, value in zip(found, p, strict=True))
    order = np.argsort(p, kind="stable")
    assert (np.diff(np.array(found)[order]) >= 0).all()
    assert all(0 <= rate <= 1 for rate in found)


def test_equal_groups_do_not_differ_and_distant_ones_do():
    y, predicted = answers_to("regression", 400)
    half = np.arange(400) < 200
    same = measure("regression", "mae", np.tile(y[:200], 2), np.tile(predicted[:200], 2), None)
    assert p_value(same.of(half), same.of(~half)) == 1.0
    worse = measure("regression", "mae", y, np.where(half, predicted, predicted + 3), None)
    assert p_value(worse.of(half), worse.of(~half)) < 1e-10
