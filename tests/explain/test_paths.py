"""Trees that split by levels are explained exactly, as the library explains those that do not."""

from __future__ import annotations

from itertools import combinations
from math import factorial

import numpy as np
import pytest

from mlops_compiler.explain.paths import explain_paths
from mlops_compiler.explain.trees import explain_trees
from mlops_compiler.models.registry import MODELS
from mlops_compiler.testing.categories import CATEGORY_ROWS, LEVELS
from mlops_compiler.testing.subjects import subjects

BOOSTING = {item.task: item for item in subjects(MODELS["hist_gradient_boosting"], max_iter=5, max_leaf_nodes=8)}
X, BESIDE = CATEGORY_ROWS[:6], CATEGORY_ROWS[100:108]
Y = (CATEGORY_ROWS[:, 0] + (CATEGORY_ROWS[:, 1] % 3) > 1).astype(np.int64)


def by_definition(form, row, background):
    """Average over all coalitions (Shapley, 1953), asking the sum of trees itself."""
    players = range(len(row))

    def worth(coalition):
        mixed = background.copy()
        mixed[:, list(coalition)] = row[list(coalition)]
        return form.scores(mixed).mean(axis=0)

    found = []
    for player in players:
        others = [other for other in players if other != player]
        total = 0.0
        for size in range(len(others) + 1):
            share = factorial(size) * factorial(len(others) - size) / factorial(len(others) + 1)
            for coalition in combinations(others, size):
                total = total + share * (worth((*coalition, player)) - worth(coalition))
        found.append(total)
    return np.array(found)


def test_values_are_those_of_the_definition():
    form = BOOSTING["binary_classification"].fit(CATEGORY_ROWS, Y, categories=LEVELS).form()
    assert form.chooses
    seen, beside = form.asked(X), form.asked(BESIDE)
    values, base = explain_paths(form.trees[0], form.factor, seen, beside)
    for row, found in zip(seen, values, strict=True):
        assert found == pytest.approx(by_definition(form, row, beside), abs=1e-12)
    assert form.first + base + values.sum(axis=1) == pytest.approx(form.scores(X), abs=1e-12)


def test_of_thresholds_they_are_those_of_the_library():
    form = BOOSTING["binary_classification"].fit(CATEGORY_ROWS, Y).form()
    assert not form.chooses
    ours, base = explain_paths(form.trees[0], 0.5, X, BESIDE)
    theirs, their_base = explain_trees(form.trees[0], 0.5, X, BESIDE)
    assert ours == pytest.approx(theirs, abs=1e-6)
    assert base == pytest.approx(their_base, abs=1e-6)


def test_no_rows_are_no_values():
    form = BOOSTING["binary_classification"].fit(CATEGORY_ROWS, Y, categories=LEVELS).form()
    values, _ = explain_paths(form.trees[0], 1.0, X[:0], BESIDE)
    assert values.shape == (0, 4, 1)
