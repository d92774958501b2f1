"""Counts of a rollout add up, survive the way, and take a release back where chance does not explain them."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from mlops_compiler.serving.comparison import Difference, compare
from mlops_compiler.serving.rollout import Limits, Rollout, sentence
from mlops_compiler.serving.tally import Side, Tally, judge, lower_end


def seen(requests, errors=0, seconds=0.01, allowed=None):
    tally = Tally()
    for index in range(requests):
        tally.new.add(seconds, failed=index < errors, allowed=allowed)
    return tally


@given(st.lists(st.floats(1e-4, 100), min_size=1, max_size=200), st.sampled_from([0.5, 0.9, 0.99, 1.0]))
def test_a_quantile_is_right_to_five_percent(seconds, share):
    side = Side()
    for each in seconds:
        side.add(each)
    exact = sorted(seconds)[max(0, -int(-share * len(seconds) // 1) - 1)]
    assert exact * 0.999 <= side.quantile(share) <= exact * 1.0501


@given(st.integers(0, 50), st.integers(1, 50))
def test_the_lower_end_is_that_of_wilson(count, more):
    total = count + more
    expected = binomtest(count, total).proportion_ci(0.99, method="wilson").low
    assert lower_end(count, total) == pytest.approx(max(0.0, expected), abs=1e-4)


def test_tallies_add_up_and_survive_the_way():
    one, other = seen(10, errors=2, seconds=0.2, allowed=0.1), seen(5, seconds=0.01)
    other.pair(Difference(rows=4, differing=1, largest=0.3))
    one.merge(Tally.from_json(json.loads(json.dumps(other.to_json()))))
    assert (one.new.requests, one.new.errors, one.new.slow) == (15, 2, 10)
    assert (one.pairs, one.differing, one.largest) == (4, 1, 0.3)
    assert one.summary()["latency_p50"] == pytest.approx(0.2, rel=0.06)


@pytest.mark.parametrize(
    ("tally", "ended", "reason"),
    [
        pytest.param(seen(100), True, None, id="well"),
        pytest.param(seen(100, errors=2), True, "errors 2.0% of 100", id="at the end the share counts"),
        pytest.param(seen(100, errors=2), False, None, id="before it chance is allowed for"),
        pytest.param(seen(5, errors=5), False, "errors 100.0% of 5", id="what chance does not explain ends it early"),
        pytest.param(seen(0), True, None, id="nothing seen"),
    ],
)
def test_errors_take_a_release_back(tally, ended, reason):
    found = judge(tally, Limits(error_rate=0.01), ended=ended)
    assert found is None if reason is None else reason in found


def test_a_slow_release_is_taken_back():
    limits = Limits(latency_p99=0.1)
    assert "latency p99" in judge(seen(50, seconds=0.5, allowed=0.1), limits, ended=True)
    assert judge(seen(50, seconds=0.05, allowed=0.1), limits, ended=True) is None


def test_a_release_that_decides_otherwise_is_taken_back():
    tally = seen(50)
    tally.pair(Difference(rows=50, differing=10, largest=0.4))
    assert "disagreement 20.0% of 50" in judge(tally, Limits(disagreement=0.1), ended=True)
    assert judge(tally, Limits(), ended=True) is None


@pytest.mark.parametrize(
    ("ours", "theirs", "tolerance", "found"),
    [
        pytest.param(
            b'{"release":1,"id":"x","probability":0.4,"decision":"No"}',
            b'{"release":2,"id":"y","probability":0.5,"decision":"No"}',
            0.0,
            (1, 0, 0.1),
            id="numbers apart, decided alike",
        ),
        pytest.param(
            b'{"probability":0.4,"decision":"No"}',
            b'{"probability":0.6,"decision":"Yes"}',
            0.0,
            (1, 1, 0.2),
            id="decided otherwise",
        ),
        pytest.param(b'{"prediction":10}', b'{"prediction":10.5}', 0.5, (1, 0, 0.5), id="within tolerance"),
        pytest.param(b'{"prediction":10}', b'{"prediction":10.5}', 0.0, (1, 1, 0.5), id="beyond tolerance"),
        pytest.param(
            b'{"predictions":[{"decision":"a","probabilities":{"a":0.7,"b":0.3}},{"decision":"a"}]}',
            b'{"predictions":[{"decision":"a","probabilities":{"a":0.6,"c":0.4}},{"decision":"b"}]}',
            0.0,
            (2, 1, 0.1),
            id="rows and classes",
        ),
        pytest.param(b'{"predictions":[{"decision":"a"}]}', b'{"predictions":[]}', 0.0, (1, 1, 0.0), id="a row less"),
    ],
)
def test_answers_are_compared_row_by_row(ours, theirs, tolerance, found):
    difference = compare(ours, theirs, tolerance)
    assert (difference.rows, difference.differing, pytest.approx(difference.largest)) == found


def test_a_rollout_has_the_steps_of_its_kind_and_survives_the_way():
    assert Rollout().shares == ()
    assert Rollout(kind="blue_green").shares == (1.0,)
    canary = Rollout(kind="canary", steps=(0.1, 1.0), shadow=True, hold=10, limits=Limits(latency_p99=0.2))
    assert canary.shares == (0.0, 0.1, 1.0)
    assert canary.longest == 90
    assert Rollout.from_json(json.loads(json.dumps(canary.to_json()))) == canary


def test_every_step_is_told_in_a_sentence():
    summary = seen(100, errors=1).summary()
    ended = {"step": "canary-ended", "share": 0.25, "held": 5.0, "verdict": "passed", **summary}
    assert sentence(ended, 4).startswith("release 4 at 25% of the traffic: passed; 100 requests, 1 errors, p99 10")
    assert "in the shadow, for 5 s" in sentence({"step": "shadow", "share": 0.0, "hold": 5.0}, 4)
    assert sentence({"step": "replay", "rows": 500, "differing": 0}, 4).endswith("all equal to the last bit")
    taken = ended | {"verdict": "taken back", "reason": "errors 50% of 10"}
    assert sentence(taken, 4).endswith("taken back; errors 50% of 10")
