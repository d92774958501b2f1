"""L-SEL-3: what a forecast asks for becomes looks of the data, and a regression of what lies ahead."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlops_compiler.backends.stages.evaluate_forecast import naive_forecast
from mlops_compiler.backends.stages.windows import Order, learned_before
from mlops_compiler.evaluation.errors import smape
from mlops_compiler.ir.ops.lifecycle import Stretch
from mlops_compiler.recipe.forecasting import looking_ahead
from mlops_compiler.recipe.recipe import Recipe


def forecast(**changes):
    objective = {"task": "forecasting", "target": "riders", "horizon": 3, **changes.pop("objective", {})}
    data = {"source": {"kind": "csv", "path": "riders.csv"}, "time": "day", **changes.pop("data", {})}
    return Recipe.model_validate(
        {"name": "riders", "objective": objective, "data": data, "models": {"line": {"kind": "ridge"}}, **changes}
    )


def test_the_target_lies_ahead_and_splits_are_in_order_of_time():
    recipe = looking_ahead(forecast(objective={"by": ["station"], "season": 7}))
    assert recipe.task == "regression"
    assert (recipe.objective.target, recipe.objective.target_is) == ("riders_in_3", '"riders_lead_3"')
    assert recipe.objective.naive == "riders_lag_4"
    looks = recipe.data.history
    assert {name: (look.periods, look.by) for name, look in looks.items()} == {
        "ahead": ((-3,), ("station",)),
        "season": ((4,), ("station",)),
    }
    assert recipe.data.where == '"riders_lead_3" IS NOT NULL AND "riders_lag_4" IS NOT NULL'
    assert recipe.validate_.holdout.kind == recipe.validate_.folds.kind == "time_ordered"


def test_looks_of_the_recipe_are_kept_and_not_made_twice():
    history = {"ahead": {"op": "lag", "columns": "riders", "periods": (4, -3)}}
    recipe = looking_ahead(forecast(objective={"season": 7}, data={"history": history, "where": "riders > 0"}))
    assert list(recipe.data.history) == ["ahead"]
    assert recipe.data.where.startswith("(riders > 0) AND ")


def test_names_that_are_taken_are_left_alone():
    history = {"ahead": {"op": "rolling", "columns": "riders", "window": 5}}
    assert list(looking_ahead(forecast(data={"history": history})).data.history) == ["ahead", "ahead_"]


@settings(deadline=None)
@given(horizon=st.integers(1, 60), season=st.integers(1, 60))
def test_the_naive_forecast_is_the_newest_known_of_the_same_place_in_a_season(horizon, season):
    lag = forecast(objective={"horizon": horizon, "season": season}).objective.naive_lag
    assert 0 <= lag < season
    assert (lag + horizon) % season == 0


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"data": {"group": "station"}}, "name the series of a forecast under `objective.by`"),
        ({"data": {"time": None}}, "name the column of time"),
        ({"validate": {"holdout": {"kind": "random"}}}, "judged in order of time"),
    ],
)
def test_what_a_forecast_cannot_be_is_refused(changes, words):
    with pytest.raises(ValueError, match=words):
        forecast(**changes)


@settings(deadline=None)
@given(times=st.lists(st.integers(1, 30), min_size=5, max_size=60), horizon=st.integers(1, 6))
def test_no_target_of_what_is_learned_lies_among_what_judges(times, horizon):
    ranks = pl.Series(times).rank("dense").to_numpy()
    judges = ranks > ranks.max() // 2
    learns = learned_before(Order(time=ranks), judges, Stretch(times=horizon), None)
    assert (ranks[learns] + horizon < ranks[judges].min()).all()
    assert (ranks[~learns & ~judges] + horizon >= ranks[judges].min()).all()


def test_where_no_season_came_before_the_mean_is_said():
    rows = pl.DataFrame({"lag": [1.0, None, float("nan")]})
    assert naive_forecast(rows, "lag", np.full(3, 9.0)).tolist() == [1.0, 9.0, 9.0]


def test_smape_is_a_share_of_the_mean_of_both():
    assert smape(np.array([1.0, 0.0, 2.0]), np.array([3.0, 0.0, 2.0])) == pytest.approx(1 / 3)
