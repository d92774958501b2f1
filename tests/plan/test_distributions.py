"""How far a column moved is a distance that scipy, or a count by hand, gives too."""

from __future__ import annotations

import warnings
from datetime import date

import hypothesis.strategies as st
import numpy as np
import polars as pl
import pytest
from hypothesis import given
from scipy.stats import ks_2samp

from mlops_compiler.plan.compare.distributions import kolmogorov_smirnov, shift
from mlops_compiler.plan.compare.part import Pair

NUMBERS = st.lists(st.floats(-1e6, 1e6) | st.sampled_from([0.0, 1.0, 2.0]), min_size=1, max_size=40)


@given(NUMBERS, NUMBERS)
def test_the_distance_of_numbers_is_that_of_scipy(first, second):
    with warnings.catch_warnings(action="ignore"):  # what it says of its p-value, which nobody asks for
        expected = ks_2samp(first, second).statistic
    assert kolmogorov_smirnov(np.array(first), np.array(second)) == pytest.approx(expected, abs=1e-12)


def test_the_distance_of_numbers_leaves_missing_values_out():
    rng = np.random.default_rng(7)
    first, second = rng.normal(size=400), rng.normal(0.5, 2.0, size=300)
    before = pl.Series("x", [*first, None, float("nan")])
    found = shift(before, pl.Series("x", second))
    assert found.distance == pytest.approx(ks_2samp(first, second).statistic)
    assert found.figures["std"].before == pytest.approx(first.std(ddof=1))
    assert found.missing == Pair(before=2 / 402, after=0.0)


LEVELS = st.lists(st.sampled_from("abcd"), min_size=1, max_size=30)


@given(LEVELS, LEVELS)
def test_the_distance_of_levels_is_half_of_all_that_moved(first, second):
    gaps = [abs(first.count(level) / len(first) - second.count(level) / len(second)) for level in "abcd"]
    found = shift(pl.Series("x", first), pl.Series("x", second))
    assert found.distance == pytest.approx(sum(gaps) / 2, abs=1e-12)
    assert found.moved == pytest.approx(found.distance)
    if found.level is not None:
        assert abs(found.share.after - found.share.before) == pytest.approx(max(gaps))


SERIES = {
    "numbers of other types": ([1, 2], [1.0, 2.0], ("numeric", 0.0)),
    "truth values": ([True, False], [True, True], ("levels", 0.5)),
    "dates": ([date(2026, 1, 1)], [date(2026, 1, 2)], ("time", 1.0)),
    "nothing but missing": ([None, 1], [None, None], ("levels", None)),
    "keys": ([f"a{n}" for n in range(99)], [f"b{n}" for n in range(99)], ("levels", None)),
}


@pytest.mark.parametrize(("before", "after", "told"), SERIES.values(), ids=SERIES)
def test_kinds_of_columns(before, after, told):
    if told == ("levels", None) and None in before:
        before, after = ["a", None], pl.Series("x", [None, None], dtype=pl.String)
    found = shift(pl.Series("x", before), pl.Series("x", after))
    assert (found.kind, found.distance) == told


def test_types_that_have_nothing_in_common_are_not_compared():
    assert shift(pl.Series("x", ["a"]), pl.Series("x", [1])) is None


def test_a_column_that_lost_its_values_moved():
    found = shift(pl.Series("x", [1, 2, 3, 4]), pl.Series("x", [None, None, 3, None], dtype=pl.Int64))
    assert found.moved == 0.75
