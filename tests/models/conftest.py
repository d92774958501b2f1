"""A small problem that every kind can learn, and each kind fitted on it once."""

from __future__ import annotations

import numpy as np
import pytest

from mlops_compiler.models.kind import FitOptions
from mlops_compiler.models.registry import MODELS

KINDS = ("prior", "logistic_regression", "random_forest", "hist_gradient_boosting", "torch_mlp")


class Zoo:
    """Every kind, on rows that it can learn from."""

    # Small enough to be quick; the rest are the kinds' defaults.
    SMALL = {  # noqa: RUF012
        "random_forest": {"n_estimators": 20},
        "hist_gradient_boosting": {"max_iter": 20},
        "torch_mlp": {"hidden": 16, "epochs": 5, "learning_rate": 0.01},
    }

    def __init__(self):
        random = np.random.default_rng(0)
        self.X = random.normal(size=(400, 6))
        self.y = (self.X[:, 0] - self.X[:, 1] * self.X[:, 2] + random.normal(size=400) > 0.3).astype(np.int64)
        self.X.flags.writeable = self.y.flags.writeable = False
        self._fitted = {}

    def parameters(self, kind, **changes):
        return {**MODELS[kind].defaults, **self.SMALL.get(kind, {}), **changes}

    def fit(self, kind, X=None, y=None, *, seed=1, threads=1, device="cpu", **changes):
        options = FitOptions(seed=seed, threads=threads, device=device)
        rows = (self.X if X is None else X, self.y if y is None else y)
        return MODELS[kind].fit(*rows, parameters=self.parameters(kind, **changes), options=options)

    def fitted(self, kind):
        if kind not in self._fitted:
            self._fitted[kind] = self.fit(kind)
        return self._fitted[kind]


@pytest.fixture(scope="session")
def zoo():
    return Zoo()


@pytest.fixture(params=KINDS)
def kind(request):
    return request.param


@pytest.fixture
def model(kind, zoo):
    return zoo.fitted(kind)
