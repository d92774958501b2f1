"""Balanced classes weigh the same, and a sign stands for each feature."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.utils.class_weight import compute_sample_weight

from mlops_compiler.models.wishes import balanced, signs

LABELS = st.lists(st.integers(0, 3), min_size=1, max_size=30).map(np.array)


@given(labels=LABELS)
def test_weights_are_scikit_learns(labels):
    assert balanced(labels, None) == pytest.approx(compute_sample_weight("balanced", labels))


@given(labels=LABELS, data=st.data())
def test_classes_weigh_the_same_whatever_rows_weigh(labels, data):
    before = np.array(data.draw(st.lists(st.floats(0.1, 10), min_size=len(labels), max_size=len(labels))))
    sums = np.bincount(labels, weights=balanced(labels, before))
    assert sums[np.unique(labels)] == pytest.approx(before.sum() / len(np.unique(labels)))


def test_a_class_that_weighs_nothing_is_left_at_that():
    assert balanced(np.array([0, 0, 1]), np.array([1.0, 1.0, 0.0])).tolist() == [1.0, 1.0, 0.0]


def test_signs_follow_the_features_of_the_fold():
    asked = (("tenure", "decreasing"), ("contract=Two year", "increasing"), ("gone", "increasing"))
    assert signs(["age", "tenure", "contract=Two year"], asked) == (0, -1, 1)
    assert signs(["age"], ()) == ()
