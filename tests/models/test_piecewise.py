"""The piecewise linear encoding is that of its paper: full below, filling within, empty above."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from mlops_compiler.models.adapters.piecewise import bins_of

NUMBERS = st.floats(-1e6, 1e6, width=32)


def test_it_is_that_of_the_paper():
    bins = bins_of(np.array([[0.0], [1.0], [2.0], [4.0]]), 3)
    assert [*bins.low, bins.high[-1]] == [0.0, 1.0, 2.0, 4.0]
    assert bins.fill(np.array([[1.5], [3.0], [-1.0], [6.0]])).tolist() == [
        [1.0, 0.5, 0.0],
        [1.0, 1.0, 0.5],
        [-1.0, 0.0, 0.0],
        [1.0, 1.0, 2.0],
    ]


def test_a_column_of_two_values_is_a_scaled_copy():
    X = np.array([[0.0, 7.0], [3.0, 7.0], [3.0, 7.0], [0.0, 7.0]])
    assert bins_of(X, 8).fill(X).tolist() == [[0.0, 0.0], [1.0, 0.0], [1.0, 0.0], [0.0, 0.0]]


@given(X=arrays(np.float64, (12, 2), elements=NUMBERS), count=st.integers(1, 9))
def test_a_number_can_be_read_back(X, count):
    bins = bins_of(X, count)
    assert bins.is_sound
    filled = bins.fill(X) * (bins.high - bins.low)
    first = np.array([bins.low[bins.column == column][0] for column in range(2)])
    back = np.stack([filled[:, bins.column == column].sum(axis=1) for column in range(2)], axis=1) + first
    assert back == pytest.approx(X, rel=1e-6, abs=1e-6)
