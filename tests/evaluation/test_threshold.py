"""No threshold is worth more than the best one."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlops_compiler.evaluation.confusion import Confusion, confusion, total_value
from mlops_compiler.evaluation.threshold import best_threshold, value_curve, value_summary
from mlops_compiler.ir.ops.search import ValueMatrix

PROBABILITY = st.integers(0, 8).map(lambda eighths: eighths / 8) | st.floats(0, 1)
ROWS = st.lists(st.tuples(st.integers(0, 1), PROBABILITY), min_size=1, max_size=30).map(
    lambda pairs: (np.array([y for y, _ in pairs]), np.array([p for _, p in pairs]))
)
WORTH = st.integers(-100, 100) | st.floats(-1e6, 1e6)
VALUES = st.builds(ValueMatrix, true_positive=WORTH, false_positive=WORTH, false_negative=WORTH, true_negative=WORTH)
CAMPAIGN = ValueMatrix(true_positive=90.0, false_positive=-10.0)


def worth(y, probability, threshold, value):
    return total_value(confusion(y, probability, threshold), value)


@settings(max_examples=300, deadline=None)
@given(ROWS, VALUES)
def test_no_threshold_is_worth_more(rows, value):
    y, probability = rows
    found = worth(y, probability, best_threshold(y, probability, value), value)
    rivals = [-np.inf, *probability, *np.nextafter(probability, 2), np.inf]
    assert found == max(worth(y, probability, rival, value) for rival in rivals)


@settings(max_examples=100, deadline=None)
@given(ROWS, VALUES)
def test_of_equal_thresholds_the_highest_acts_on_the_fewest_rows(rows, value):
    y, probability = rows
    best = best_threshold(y, probability, value)
    top = worth(y, probability, best, value)
    equal = [rival for rival in (*probability, np.inf) if worth(y, probability, rival, value) == top]
    acted_upon = np.count_nonzero(probability >= best)
    assert all(acted_upon <= np.count_nonzero(probability >= rival) for rival in equal)


def test_the_threshold_lies_halfway():
    assert best_threshold(np.array([0, 1]), np.array([0.2, 0.6]), CAMPAIGN) == pytest.approx(0.4)


@pytest.mark.parametrize(
    ("value", "highest", "expected"),
    [
        pytest.param(ValueMatrix(true_positive=1.0, false_positive=1.0), 0.8, 0.0, id="always worth acting"),
        pytest.param(ValueMatrix(true_positive=-1.0, false_positive=-1.0), 0.8, 0.9, id="never worth acting"),
        pytest.param(
            ValueMatrix(true_positive=-1.0, false_positive=-1.0),
            1.0,
            np.nextafter(1.0, 2.0),
            id="not even at 1",
        ),
    ],
)
def test_one_decision_for_all(value, highest, expected):
    assert best_threshold(np.array([0, 1]), np.array([0.2, highest]), value) == pytest.approx(
        expected, abs=0, rel=1e-15
    )


def test_neighbouring_floats_are_parted():
    low = 0.3
    high = np.nextafter(low, 1)
    assert best_threshold(np.array([0, 1]), np.array([low, high]), CAMPAIGN) == high


@settings(max_examples=50, deadline=None)
@given(ROWS, VALUES)
def test_the_value_curve_holds_what_thresholds_are_worth(rows, value):
    y, probability = rows
    curve = value_curve(y, probability, value)
    assert curve["threshold"] == sorted(curve["threshold"])
    assert curve["value"] == [worth(y, probability, threshold, value) for threshold in curve["threshold"]]


def test_a_thinned_value_curve_keeps_its_ends_and_its_best():
    random = np.random.default_rng(0)
    probability = random.random(3000)
    y = (random.random(3000) < probability).astype(int)
    curve = value_curve(y, probability, CAMPAIGN, points=50)
    assert len(curve["value"]) <= 50
    assert max(curve["value"]) == worth(y, probability, best_threshold(y, probability, CAMPAIGN), CAMPAIGN)
    assert curve["value"][0] == worth(y, probability, -np.inf, CAMPAIGN)
    assert curve["value"][-1] == worth(y, probability, np.inf, CAMPAIGN)


def test_the_summary_compares_with_acting_on_all_and_none():
    y, probability = np.array([0, 0, 1, 1]), np.array([0.1, 0.6, 0.4, 0.9])
    assert confusion(y, probability, 0.5) == Confusion(
        true_positive=1, false_positive=1, false_negative=1, true_negative=1
    )
    summary = value_summary(y, probability, 0.5, CAMPAIGN)
    assert summary == {
        "total": 80.0,
        "per_row": 20.0,
        "all_positive": 160.0,
        "all_negative": 0.0,
        "unit_values": asdict(CAMPAIGN),
    }
