"""A warm start is resolved when a search is planned: the same plan makes the same trials, whatever was recorded since."""

from __future__ import annotations

import json

import pytest

from mlops_compiler.diagnostics import RecipeError
from mlops_compiler.ir.ops.search import Search
from mlops_compiler.plan.stages import Reuse

AUTO = "search.warm_start=auto"
FEWER = "validate.folds.k=2"  # other folds: another search, of which nothing is recorded


def warm(place, *overrides):
    """Give the points that a search would begin with."""
    return place.planned(*overrides).plan.program.the(Search)[1].warm


def board(place, *overrides):
    action = place.plan(*overrides)["search"]
    return json.loads(place.planned().store.objects.get(action.record.outputs["leaderboard"]))["trials"]


def best_of(rows):
    return [row["parameters"]["C"] for row in rows if row["model"] == "logistic" and row["status"] == "complete"]


def test_it_begins_with_the_best_points_of_earlier_searches(done):
    points = warm(done, AUTO, FEWER, "search.trials=9")
    assert {start.model for start in points} == {"logistic"}
    wanted = [dict(start.parameters)["C"] for start in points]
    assert wanted == best_of(board(done))[:2]
    done.run(AUTO, FEWER, "search.trials=9")
    rows = sorted(board(done, AUTO, FEWER, "search.trials=9"), key=lambda row: row["trial"])
    tried = [row["parameters"]["C"] for row in rows if row["model"] == "logistic"]
    assert set(wanted) <= set(tried[:3]), "beside the defaults of the kind, which come first"


def test_its_own_result_does_not_change_what_it_began_with(done):
    first = warm(done, AUTO, FEWER)
    assert first
    done.run(AUTO, FEWER)
    done.run("validate.folds.k=4")
    assert all(isinstance(action, Reuse) for action in done.plan(AUTO, FEWER).values())
    longer = warm(done, AUTO, FEWER, "search.trials=7", "search.patience=9")
    assert longer == first, "a longer search goes on as the shorter one began"
    assert warm(done, AUTO, "search.trials=7") == (), "one that began with nothing goes on with nothing"


def test_where_there_is_nothing_to_begin_with_it_is_another_word_for_none(done):
    elsewhere = "models.logistic.C={log_uniform: [1000, 2000]}"
    assert warm(done, AUTO, elsewhere) == (), "no recorded point lies in the space"
    assert warm(done, FEWER) == ()
    asked, plain = (done.plan(elsewhere, *more)["search"].stage.fingerprint for more in ((AUTO,), ()))
    assert asked == plain


def test_another_recipe_may_be_named(done):
    own = warm(done, AUTO, FEWER)
    assert warm(done, "search.warm_start=churn", FEWER, "name=churn_again") == own


def test_a_name_that_is_none_is_refused_where_it_stands(done):
    with pytest.raises(RecipeError) as caught:
        warm(done, "search.warm_start=chrun")
    (found,) = caught.value.diagnostics
    assert found.code == "unknown-run"
    assert "chrun" in found.headline
    assert found.span is not None


def test_parameters_that_the_recipe_fixes_now_are_as_it_fixes_them(done):
    (start, *_) = warm(done, AUTO, FEWER, "models.logistic.class_weight=balanced")
    assert [name for name, _ in start.parameters] == ["C"]


def test_what_was_chosen_of_the_preparation_is_found_again(done):
    scaled = ("prepare.scale.op={choice: [standardize, robust_scale]}", "search.trials=7", "search.algorithm=grid")
    done.run(*scaled)
    best = next(row for row in board(done, *scaled) if row["model"] == "logistic")
    names = ["robust_scale", "min_max_scale", "standardize"]
    (start, *_) = warm(done, AUTO, FEWER, f"prepare.scale.op={{choice: [{', '.join(names)}]}}", "search.trials=9")
    assert names[start.point[0]] == best["preparation"]["prepare.scale.op"]
