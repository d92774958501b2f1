"""Rows that come back are learned from, and judge nothing: the holdout and the folds are what they were without them."""

from __future__ import annotations

import polars as pl
import pytest

from mlops_compiler.diagnostics import RecipeError
from mlops_compiler.models.registry import MODELS
from mlops_compiler.plan.stages import Reuse


def test_without_rows_nothing_changes(world):
    assert "feedback" not in world.plan()
    assert all(isinstance(action, Reuse) for name, action in world.plan().items() if name != "report")


def test_rows_come_back_to_training_alone(world, served):
    before = world.plan()["split"].record
    collection = world.collect(world.logged(served))
    assert collection.rows > 50
    plan = world.plan()
    assert isinstance(plan["split"], Reuse)
    assert plan["feedback"].action == "new"
    records = world.run()
    back, split, known = records["feedback"], world.table(records["feedback"], "split"), world.table(before, "split")
    assert split.head(known.height).equals(known)
    below = split.tail(split.height - known.height)
    assert set(below["final"]) == {1}
    assert all(set(below[name]) == {1} for name in ("fold_0", "fold_1"))
    rows = world.table(back, "snapshot")
    assert rows.head(known.height).equals(world.table(records["snapshot"], "snapshot"))
    came = rows.tail(below.height)
    truth = served.select("customer_id", "churn", "tenure", "contract")
    assert came.select(truth.columns).join(truth, on=truth.columns, how="anti").is_empty()
    assert records["train"].summary["rows"] == back.summary["training_rows"] + back.summary["rows"]
    assert records["evaluate"].summary["rows"] == int((known["final"] == 2).sum())


def test_the_same_rows_are_reused_and_other_rows_are_told(world, served):
    joined = world.logged(served)
    world.collect(joined)
    world.run()
    again = world.plan()
    assert all(isinstance(action, Reuse) for name, action in again.items() if name != "report")
    world.collect(joined.head(1500))
    assert world.plan()["feedback"].reason.startswith("other rows of wrong predictions came back")


def test_no_more_come_back_than_there_is_room_for(world, served):
    world.collect(pl.concat([world.logged(served.head(1000), "crm"), world.logged(served.tail(1000), "shop")]))
    account = world.run("feedback.at_most=0.02")["feedback"].summary
    room = int(0.02 / 0.98 * account["training_rows"])
    assert account["rows"] == room
    assert account["dropped"]["there is room for no more"] > 0
    alone = world.run("feedback.at_most=0.02", "feedback.quota.share=0.25")["feedback"].summary
    assert set(alone["sources"].values()) == {room // 4}
    assert alone["dropped"]["its source has had its share"] > 0


def test_their_weight_is_capped_together(world, served):
    world.collect(world.logged(served))
    records = world.run("feedback.weight=5", "feedback.at_most=0.1", "feedback.quota.share=1.0")
    split = world.table(records["feedback"], "split")
    taught = split.filter(pl.col("final") == 1)
    size = records["feedback"].summary["rows"]
    weight = taught["weight"].tail(size).sum() / taught["weight"].sum()
    assert 0 < weight <= 0.1 + 1e-9
    assert taught["weight"].head(taught.height - size).unique().to_list() == [1.0]
    assert "weight" not in world.store.objects.get(records["evaluate"].outputs["evaluation"]).decode()[:200]


def test_who_is_held_out_does_not_come_back(world, customers, served):
    known = world.plan()["split"].record
    held = world.table(known, "split")["final"] == 2
    source = customers.head(1500)
    clean = world.logged(served.head(300))
    leaked = world.logged(source.filter(held).with_columns(tenure=pl.col("tenure") + 1), flipped=1.0, seed=5)
    taught = world.logged(source.filter(~held), flipped=0.5, seed=6)
    world.collect(pl.concat([clean, leaked, taught]))
    account = world.run("feedback.quota.share=1.0")["feedback"].summary
    assert account["dropped"]["it is held out to judge"] > 100
    assert account["dropped"]["the training rows have it"] > 100


def test_an_outcome_that_is_none_is_told(world, served):
    joined = world.logged(served.head(400)).with_columns(
        outcome=pl.when(pl.int_range(pl.len()) % 10 == 0).then(pl.lit("Perhaps")).otherwise("outcome")
    )
    assert world.returning(joined).dropped["its outcome cannot be read"] == 40


def test_the_holdout_stays_when_the_data_grow(world, customers, served):
    first = world.plan()["split"].record
    was = dict(zip(customers["customer_id"], world.table(first, "split")["final"], strict=False))
    world.collect(world.logged(served))
    customers.head(1900).sample(fraction=1.0, shuffle=True, seed=3).write_csv(world.source)
    assert "what was held out of the release in place stays held out" in world.plan()["split"].reason
    records = world.run()
    now = dict(
        zip(
            world.table(records["snapshot"], "snapshot")["customer_id"],
            world.table(records["split"], "split")["final"],
            strict=True,
        )
    )
    assert all(now[name] == side for name, side in was.items())
    new = [side for name, side in now.items() if name not in was]
    assert 0.1 < new.count(2) / len(new) < 0.3
    assert records["release"].summary["rival"]["fair"] is True
    assert all(isinstance(action, Reuse) for name, action in world.plan().items() if name != "report")


def test_a_model_that_learned_from_them_must_beat_the_current_one(world, served):
    world.collect(world.logged(served))
    (auc, _) = world.run()["release"].summary["criteria"]
    assert auc["beats"][0]["other"] == "release 1"
    assert world.run("feedback.retrain.must_beat=baseline")["release"].summary["criteria"][0]["beats"][0]["met"]
    assert world.run("feedback.retrain.must_beat=nothing")["release"].summary["criteria"][0]["beats"] == []


def test_a_retraining_without_rows_must_beat_it_too(world, customers):
    assert isinstance(world.plan(retrained=True)["release"], Reuse)  # the same model gets no second number
    customers.head(1900).write_csv(world.source)
    (auc, *_) = world.run(retrained=True)["release"].summary["criteria"]
    assert auc["beats"][0]["other"] == "release 1"


def test_nested_validation_learns_from_them_too(world, served):
    world.collect(world.logged(served))
    records = world.run("validate.nested.k=2")
    assert len(records["nested"].summary["folds"]) == 2


@pytest.mark.parametrize(
    ("overrides", "told"),
    [
        (("feedback.wrong.error='> 3'",), "`feedback.wrong.error` is not what binary classification can be wrong by"),
        (("feedback.wrong={error: '> 3', times_rmse: '> 2'}",), "takes one bound"),
        (("feedback.wrong.probability_error='< 0.5'",), "write `>` or `>=`"),
        (("feedback.at_most=1.0",), "less than 100%"),
    ],
)
def test_what_cannot_be_is_refused(world, overrides, told):
    with pytest.raises(RecipeError) as caught:
        world.planned(*overrides)
    assert told in str([item.headline for item in caught.value.diagnostics])


def test_a_kind_that_cannot_weigh_is_named(world, monkeypatch):
    monkeypatch.setattr(type(MODELS["logistic_regression"]), "takes_weights", False)
    with pytest.raises(RecipeError) as caught:
        world.planned("feedback.weight=3")
    assert "which cannot weigh rows by `feedback.weight`" in caught.value.diagnostics[0].headline
