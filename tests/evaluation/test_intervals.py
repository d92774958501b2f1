"""L-SEL-2: every metric has an interval, and a difference says whether it is more than chance."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlops_compiler.evaluation import intervals
from mlops_compiler.evaluation.intervals import Answers, differences, replicate
from mlops_compiler.evaluation.metrics import metric_names, score_all
from mlops_compiler.evaluation.samples import (
    blocks_of_time,
    draw,
    how_many,
    of_rows,
    rows_by_class,
    thinned,
    whole_groups,
)
from mlops_compiler.evaluation.weighted import weighted_scores

BINARY, SEVERAL, REGRESSION = "binary_classification", "multiclass_classification", "regression"


def made(task, seed, rows=40):
    """Make labels and predictions, with ties."""
    rng = np.random.default_rng(seed)
    if task == REGRESSION:
        return rng.normal(size=rows).round(1), rng.normal(size=rows).round(1)
    if task == BINARY:
        return np.r_[0, 1, rng.integers(2, size=rows - 2)], rng.integers(9, size=rows) / 8
    labels = np.r_[0, 1, 2, rng.integers(3, size=rows - 3)]
    return labels, rng.dirichlet(np.ones(3), size=rows)


@settings(max_examples=30, deadline=None)
@given(
    st.sampled_from([BINARY, SEVERAL, REGRESSION]),
    st.integers(0, 10**6),
    st.lists(st.integers(0, 3), min_size=40, max_size=40),
)
def test_a_row_that_weighs_two_is_a_row_that_is_there_twice(task, seed, counts):
    y, predicted = made(task, seed)
    weights = np.array(counts, dtype=np.int32)
    weights[:3] += 1
    found = weighted_scores(task, y, predicted, 0.4, np.stack([weights, np.ones(40, dtype=np.int32)]))
    assert tuple(found) == metric_names(task)
    for sample, repeats in enumerate((weights, np.ones(40, dtype=int))):
        rows = np.repeat(np.arange(40), repeats)
        expected = score_all(task, y[rows], predicted[rows], 0.4)
        assert {name: values[sample] for name, values in found.items()} == pytest.approx(expected, rel=1e-9, abs=1e-9)


def test_samples_keep_the_classes_and_are_the_same_each_time():
    labels = np.array([0] * 30 + [1] * 7)
    first, again = (np.vstack(list(draw(rows_by_class(labels, 37), 50, seed=5))) for _ in range(2))
    assert (first == again).all()
    assert (first[:, :30].sum(axis=1) == 30).all()
    assert (first[:, 30:].sum(axis=1) == 7).all()


@pytest.mark.parametrize("units", [whole_groups(np.arange(60) // 4), blocks_of_time(np.arange(60) // 2)])
def test_what_goes_together_is_drawn_together(units):
    weights = np.vstack(list(draw(units, 40, seed=1)))
    for number in range(units.count):
        assert (np.ptp(weights[:, units.number == number], axis=1) == 0).all()
    assert units.count in (15, 10)


def test_an_interval_holds_the_truth_about_as_often_as_it_says():
    """The mean squared error of unit normal errors is 1."""
    rng, held = np.random.default_rng(8), 0
    for seed in range(60):
        y = rng.normal(size=150)
        found = replicate(REGRESSION, y, {"model": Answers(predicted=np.zeros(150))}, rows_by_class(None, 150), seed)
        low, high = found.intervals("model")["rmse"]
        held += low <= 1 <= high
    assert held / 60 >= 0.85


def test_a_better_side_is_told_from_one_that_is_not():
    rng = np.random.default_rng(3)
    y = np.repeat([0, 1], 400)
    good = np.clip(0.5 + 0.25 * (y - 0.5) + rng.normal(scale=0.2, size=800), 0, 1)
    same = np.clip(good + rng.normal(scale=0.01, size=800), 0, 1)
    sides = {"model": Answers(predicted=good), "same": Answers(predicted=same), "none": Answers(predicted=0 * good)}
    found = replicate(BINARY, y, sides, rows_by_class(y, 800), 1)
    scores = {name: score_all(BINARY, y, side.predicted) for name, side in sides.items()}
    better = differences(found, "model", "none", scores["model"], scores["none"])
    alike = differences(found, "model", "same", scores["model"], scores["same"])
    assert better["roc_auc"]["low"] > 0.1
    assert better["roc_auc"]["p"] < 0.01
    assert better["brier"]["low"] > 0, "less of a loss is a gain"
    assert alike["roc_auc"]["low"] < 0.005
    assert alike["roc_auc"]["p"] > 0.01


def test_few_groups_tell_nothing():
    y = np.tile([0, 1], 20)
    found = replicate(BINARY, y, {"model": Answers(predicted=y * 0.5)}, whole_groups(np.arange(40) // 10), 1)
    assert found.intervals("model") == {}
    assert found.about()["units"] == 4


def test_some_rows_tell_how_far_all_of_them_stray(monkeypatch):
    rng = np.random.default_rng(4)
    y = rng.integers(2, size=6000)
    sides = {"model": Answers(predicted=np.clip(0.3 + 0.3 * y + rng.normal(scale=0.3, size=6000), 0, 1))}
    whole = replicate(BINARY, y, sides, rows_by_class(y, 6000), 1).intervals("model")
    monkeypatch.setattr(intervals, "thinned", lambda units: thinned(units, 1500))
    some = replicate(BINARY, y, sides, rows_by_class(y, 6000), 1).intervals("model")
    assert some["roc_auc"] == pytest.approx(whole["roc_auc"], abs=0.004)
    assert some["log_loss"] == pytest.approx(whole["log_loss"], rel=0.03)
    units = whole_groups(np.arange(100) // 5)
    kept = of_rows(units, thinned(units, 50))
    assert (kept.count, len(kept.number)) == (10, 50)


def test_more_rows_take_fewer_samples():
    assert (how_many(1000), how_many(20_000), how_many(20_000, 9)) == (2000, 500, 200)
