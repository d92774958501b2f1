"""What is kept of how a fit went."""

from __future__ import annotations

import numpy as np
import pytest

from mlops_compiler.models.history import POINTS, TrainingHistory
from mlops_compiler.models.registry import MODELS
from mlops_compiler.models.resumable import ResumableKind

BOOSTERS = {"hist_gradient_boosting": "max_iter", "lightgbm": "n_estimators", "xgboost": "n_estimators"}


@pytest.mark.parametrize("count", [1, 7, POINTS, POINTS + 1, 5000])
@pytest.mark.parametrize("best", ["first", "middle", "last"])
def test_of_very_many_steps_some_are_kept(count, best):
    at = {"first": 1, "middle": count // 3 + 1, "last": count}[best]
    losses = [1.0 / step for step in range(1, count + 1)]
    told = TrainingHistory(unit="round", loss="log_loss", training=losses, best=at).to_json()
    assert told["count"] == count
    assert len(told["steps"]) == min(count, POINTS) or (count > POINTS > len(told["steps"]) > POINTS // 2)
    assert {1, at, count} <= set(told["steps"])
    assert told["steps"] == sorted(set(told["steps"]))
    assert told["training"] == [pytest.approx(losses[step - 1], rel=1e-5) for step in told["steps"]]
    assert "validation" not in told


def test_a_loss_that_is_no_number_is_null():
    told = TrainingHistory(unit="epoch", loss="log_loss", training=[np.inf, 0.5, np.nan], best=2).to_json()
    assert told["training"] == [None, 0.5, None]


@pytest.mark.parametrize("kind", BOOSTERS)
@pytest.mark.parametrize("task", ["binary_classification", "regression"])
def test_boosters_tell_the_loss_of_each_round(kind, task, zoo):
    model = zoo.fit(f"{kind}/{task}", **{BOOSTERS[kind]: 60, "learning_rate": 0.1})
    told = model.history
    assert told.unit == "round"
    assert len(told.training) == len(told.validation) == len(told.learning_rate)
    assert told.training[-1] < told.training[0]
    assert set(told.learning_rate) == {0.1}
    y, found = zoo.targets[task], model.predict(zoo.X)
    if task == "regression":  # in the unit of the target, squared; a tenth of the rows is held back
        own = ((found[:, 0] - y) ** 2).mean()
    else:
        own = -np.log(np.where(y == 1, found[:, 1], found[:, 0])).mean()
    between = sorted((told.training[told.best - 1], told.validation[told.best - 1]))
    assert between[0] * 0.99 <= own <= between[1] * 1.01


@pytest.mark.parametrize("kind", BOOSTERS)
def test_a_booster_that_holds_nothing_back_tells_no_loss_of_it(kind, zoo):
    off = {"early_stopping": False} if kind == "hist_gradient_boosting" else {"early_stopping_rounds": None}
    told = zoo.fit(kind, **{BOOSTERS[kind]: 20}, **off).history
    assert told is None or (told.validation == () and told.best == len(told.training) == 20)


def test_a_net_tells_each_pass(zoo):
    model = zoo.fit("torch_mlp/regression", epochs=9)
    told, y = model.history, zoo.targets["regression"]
    assert (told.unit, told.loss, len(told.training)) == ("epoch", "squared_error", 9)
    assert told.best == 1 + int(np.argmin(told.validation))
    assert told.training[0] == pytest.approx(y.var(), rel=0.5)
    assert set(told.learning_rate) == {0.01}


def test_kinds_without_steps_tell_nothing(zoo):
    assert zoo.fitted("logistic_regression").history is None
    assert {name for name in MODELS if isinstance(MODELS[name], ResumableKind)} == {"torch_mlp"}
