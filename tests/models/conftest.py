"""A small problem that every kind can learn, and each kind fitted on it once."""

from __future__ import annotations

import numpy as np
import pytest

from mlops_compiler.models.kind import FitOptions
from mlops_compiler.models.registry import MODELS

CASES = [f"{name}/{task}" for name, kind in MODELS.items() for task in kind.tasks]
"""Each kind with each task that it can do; a name alone means its first."""


class Zoo:
    """Every kind, on rows that it can learn from, for each of its tasks."""

    # Small enough to be quick; the rest are the kinds' defaults.
    SMALL = {  # noqa: RUF012
        "random_forest": {"n_estimators": 20},
        "extra_trees": {"n_estimators": 20},
        "hist_gradient_boosting": {"max_iter": 20},
        "torch_mlp": {"hidden": 16, "epochs": 5, "learning_rate": 0.01},
        "k_means": {"n_clusters": 3},
        "gaussian_mixture": {"n_components": 3},
    }
    CLASSES = 4

    def __init__(self):
        random = np.random.default_rng(0)
        self.X = random.normal(size=(400, 6))
        self.groups = random.integers(0, 3, size=400)
        self.X[:, 3:] += np.array([[-4, -4, -4], [4, 0, 4], [0, 4, -4]])[self.groups]
        value = self.X[:, 0] - self.X[:, 1] * self.X[:, 2] + random.normal(size=400)
        self.y = (value > 0.3).astype(np.int64)
        self.targets = {
            "binary_classification": self.y,
            "multiclass_classification": np.digitize(value, [-1.0, 0.0, 1.0]),
            "regression": 1000 + 50 * value,
            "clustering": np.zeros(400, dtype=np.int64),
        }
        for array in (self.X, *self.targets.values()):
            array.flags.writeable = False
        self._fitted = {}

    def kind(self, case):
        return MODELS[case.partition("/")[0]]

    def task(self, case):
        return case.partition("/")[2] or self.kind(case).tasks[0]

    def outputs(self, case):
        counts = {"binary_classification": 2, "multiclass_classification": self.CLASSES, "regression": 1}
        clustering = 3 if self.kind(case).name == "gaussian_mixture" else 2  # which has probabilities
        return {**counts, "clustering": clustering}[self.task(case)]

    def target(self, case):
        return self.targets[self.task(case)]

    def parameters(self, case, **changes):
        kind = self.kind(case)
        return {**kind.defaults, **self.SMALL.get(kind.name, {}), **changes}

    def fit(self, case, X=None, y=None, *, seed=1, threads=1, device="cpu", classes=None, **changes):
        task = self.task(case)
        classes = classes or (self.CLASSES if task == "multiclass_classification" else 2)
        options = FitOptions(seed=seed, threads=threads, device=device, task=task, classes=classes)
        rows = (self.X if X is None else X, self.target(case) if y is None else y)
        return self.kind(case).fit(*rows, parameters=self.parameters(case, **changes), options=options)

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
