"""A small problem that every kind can learn, and each kind fitted on it once."""

from __future__ import annotations

import pytest

from mlops_compiler.ir.task import ALL_TASKS
from mlops_compiler.models.registry import BUILTIN, MODELS
from mlops_compiler.testing.rows import ROWS, target_of
from mlops_compiler.testing.subjects import Subject

CASES = [f"{kind.name}/{task}" for kind in BUILTIN for task in kind.tasks]
"""Each kind with each task that it can do; a name alone means its first."""
SMALL = {
    "random_forest": {"n_estimators": 20},
    "extra_trees": {"n_estimators": 20},
    "hist_gradient_boosting": {"max_iter": 20},
    "torch_mlp": {"hidden": 16, "epochs": 5, "learning_rate": 0.01},
    "k_means": {"n_clusters": 3},
    "isolation_forest": {"n_estimators": 30},
    "gaussian_mixture": {"n_components": 3},
}
"""Small enough to be quick; the rest are the kinds' defaults."""


class Zoo:
    """Every kind, on rows that it can learn from, for each of its tasks."""

    X = ROWS
    y = target_of("binary_classification")
    targets = {task: target_of(task) for task in ALL_TASKS}  # noqa: RUF012

    def __init__(self):
        self._fitted = {}

    def kind(self, case):
        return MODELS[case.partition("/")[0]]

    def task(self, case):
        return case.partition("/")[2] or self.kind(case).tasks[0]

    def parameters(self, case, **changes):
        kind = self.kind(case)
        return {**kind.defaults, **SMALL.get(kind.name, {}), **changes}

    def fit(self, case, X=None, y=None, *, seed=1, **changes):
        subject = Subject(self.kind(case), self.task(case), {**SMALL.get(self.kind(case).name, {}), **changes})
        return subject.fit(X, y, seed=seed)

    def fitted(self, case):
        if case not in self._fitted:
            self._fitted[case] = self.fit(case)
        return self._fitted[case]


@pytest.fixture(scope="session")
def zoo():
    return Zoo()


@pytest.fixture(params=CASES)
def kind(request):
    return request.param


@pytest.fixture
def model(kind, zoo):
    return zoo.fitted(kind)
