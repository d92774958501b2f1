from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops_compiler.report import numbers

MINUS, DASH = "\N{MINUS SIGN}", "\N{EN DASH}"


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (0.004, "0.00 s"),
        (9.994, "9.99 s"),
        (12.34, "12.3 s"),
        (59.97, "1 min 00 s"),
        (185, "3 min 05 s"),
        (7620, "2 h 07 min"),
        (None, DASH),
    ],
    ids=str,
)
def test_seconds(value, said):
    assert numbers.seconds(value) == said


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (3, "3"),
        (1500, "1,500"),
        (2.0, "2"),
        (1e-6, "1e-06"),
        (0.123456, "0.1235"),
        (True, "True"),
        ("relu", "relu"),
        (float("nan"), DASH),
    ],
    ids=str,
)
def test_number(value, said):
    assert numbers.number(value) == said


@pytest.mark.parametrize(
    ("value", "said"),
    [(6610.4, "6,610"), (-37400, f"{MINUS}37,400"), (-0.2, "0"), (None, DASH), (float("inf"), DASH)],
    ids=str,
)
def test_amount(value, said):
    assert numbers.amount(value) == said


@pytest.mark.parametrize(
    ("value", "said"),
    [(0.1, "+0.1000"), (-0.1, f"{MINUS}0.1000"), (0.0, "0.0000"), (-1e-9, "0.0000")],
    ids=str,
)
def test_signed(value, said):
    assert numbers.signed(value) == said


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ((0.83, None), "at least 0.83"),
        ((None, 0.45), "at most 0.45"),
        ((0.1, 0.2), "at least 0.1 and at most 0.2"),
        ((None, None), DASH),
    ],
    ids=str,
)
def test_bounds(asked, said):
    assert numbers.bounds(*asked) == said


@given(st.floats(0, 1), st.sampled_from([0.5, 0.83, 0.9]))
def test_a_score_never_looks_like_a_bound_that_it_misses(value, bound):
    shown = float(numbers.score_beside(value, (bound, None)))
    if abs(value - bound) > 1e-8:
        assert (shown < bound) == (value < bound)


@given(st.one_of(st.floats(), st.integers(-(10**12), 10**12), st.none(), st.booleans(), st.text()))
def test_anything_can_be_written(value):
    shown = (
        numbers.score,
        numbers.signed,
        numbers.count,
        numbers.amount,
        numbers.percent,
        numbers.number,
        numbers.seconds,
    )
    for write in shown:
        assert "nan" not in write(value) or isinstance(value, str)
