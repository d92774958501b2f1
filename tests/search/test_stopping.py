"""How much the difference of two trials varies from fold to fold."""

from __future__ import annotations

import random
from statistics import stdev

import pytest

from mlops_compiler.backends.search.stopping import falls_behind, judged_after, spread_of_differences


def test_the_spread_of_two_trials_is_that_of_their_difference():
    one, two = [0.5, 0.7, 0.6, 0.9], [0.4, 0.75, 0.5, 0.8]
    assert spread_of_differences([one, two]) == pytest.approx(stdev(a - b for a, b in zip(one, two, strict=True)))


def test_hard_folds_and_good_trials_add_nothing_to_the_spread():
    rng = random.Random(1)  # noqa: S311 - numbers, no secret
    folds, trials = [rng.random() for _ in range(5)], [rng.random() for _ in range(200)]
    exact = [[trial + fold for fold in folds] for trial in trials]
    assert spread_of_differences(exact) == pytest.approx(0, abs=1e-9)
    noisy = [[score + rng.gauss(0, 0.1) for score in scores] for scores in exact]
    assert spread_of_differences(noisy) == pytest.approx(0.1 * 2**0.5, rel=0.05)


@pytest.mark.parametrize("trials", [[], [[0.1, 0.2]]])
def test_fewer_than_two_trials_tell_nothing_of_it(trials):
    assert spread_of_differences(trials) == 0.0


@pytest.mark.parametrize(
    ("scheduler", "folds"), [("none", []), ("asha", [1, 3, 9]), ("median", [*range(1, 10)]), ("race", [*range(1, 10)])]
)
def test_each_rule_judges_after_its_folds(scheduler, folds):
    assert [fold for fold in range(1, 10) if judged_after(scheduler, fold)] == folds


@pytest.mark.parametrize(("mean", "error", "behind"), [(0.8, 0.0, False), (0.79, 0.0, True), (0.79, 0.04, False)])
def test_a_race_allows_for_chance(mean, error, behind):
    assert falls_behind("race", mean, [0.8, 0.6], error) is behind
    assert not falls_behind("race", mean, [], error)
