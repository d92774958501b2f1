"""False labels never reach production: a fifth of those of one key flipped, and what happens to honest ones after a drift."""

from __future__ import annotations

import polars as pl
import pytest

from tests.feedback.conftest import lay_out

KEYS = 4


def sent(world, rows, *, flipped=0.0, seed=0):
    """Let four keys label rows, as many each; a share of the labels of the first one are false."""
    size = rows.height // KEYS
    return pl.concat(
        world.logged(rows.slice(place * size, size), f"key{place}", flipped=0.0 if place else flipped, seed=seed)
        for place in range(KEYS)
    )


def held_back(found):
    return [name for name, said in found.sources.items() if said["held_back"]]


@pytest.mark.parametrize("seed", range(5))
def test_a_key_that_lies_is_held_back_and_no_other(world, served, seed):
    rows = served.sample(fraction=1.0, shuffle=True, seed=seed)
    assert held_back(world.returning(sent(world, rows, flipped=0.2, seed=seed))) == ["key:key0"]
    assert held_back(world.returning(sent(world, rows, seed=seed))) == []


@pytest.mark.parametrize("seed", range(3))
def test_what_is_not_held_back_does_not_pass_the_gate(world, served, seed):
    rows = served.sample(fraction=1.0, shuffle=True, seed=seed)
    few = sent(world, rows.head(400), flipped=0.2, seed=seed)  # a hundred labels tell too little of a key
    alone = world.logged(rows, "only", flipped=0.2, seed=seed)  # and nobody else to compare it with
    for joined in (few, alone):
        found = world.collect(joined)
        assert found.rows > 0
        outcome = world.run()["release"].summary
        assert not outcome["accepted"]
        assert not outcome["criteria"][0]["beats"][0]["met"]
    assert [release.number for release in world.store.releases("churn")] == [1]


@pytest.fixture
def before_fibre(tmp_path, monkeypatch, customers):
    """Release a model of the customers before there was fibre, and give those that came later."""
    monkeypatch.chdir(tmp_path)
    early = customers.filter(pl.col("internet_service") != "Fiber optic").head(1500)
    world = lay_out(tmp_path, early)
    assert world.run()["release"].summary["release"] == 1
    return world, early, customers.join(early, on="customer_id", how="anti")


def test_honest_labels_after_a_drift_make_a_better_release(before_fibre):
    world, early, later = before_fibre
    joined = sent(world, later.head(2000), seed=1)
    found = world.returning(joined)
    assert held_back(found) == [], "everybody's labels surprise more"
    wrong, expected = (sum(said[name] for said in found.sources.values()) for name in ("wrong", "expected"))
    assert wrong > 1.2 * expected
    world.collect(joined)
    pl.concat([early, later.slice(2000, 1500)]).write_csv(world.source)
    records = world.run()
    outcome = records["release"].summary
    assert outcome["accepted"], outcome["criteria"]
    assert outcome["release"] == 2
    assert outcome["rival"]["fair"]
    assert outcome["rival"]["gains"]["roc_auc"]["low"] > 0
    assert records["feedback"].summary["rows"] > 100


def test_a_liar_after_a_drift_is_held_back_still(before_fibre):
    world, _, later = before_fibre
    assert held_back(world.returning(sent(world, later.head(2000), flipped=0.2, seed=2))) == ["key:key0"]


def test_a_key_may_be_held_back_by_hand(world, served):
    joined = sent(world, served)
    found = world.returning(joined, keys=("key2",))
    assert held_back(found) == ["key:key2"]
    assert "key:key2" not in found.rows["source"].to_list()
    assert found.dropped["its source is held back"] > 0
