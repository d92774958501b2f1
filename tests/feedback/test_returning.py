"""Which rows come back: wrong, final, readable, each once, from sources that can be trusted."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import polars as pl
import pytest

from mlops_compiler.ir.ops.feedback import Choice
from mlops_compiler.monitoring.returning import returning
from mlops_compiler.monitoring.sources import Labelled, judge
from mlops_compiler.monitoring.wrong import Answered, off
from tests.feedback.conftest import NOW

CLASSES = Choice(
    measure="probability_error", sign=">", limit=0.5, wait=0.0, rows=1000, level=0.001, times=1.2, keys=()
)  # fmt: skip


def test_binary_predictions_are_off_by_what_the_class_lacked(world, served):
    joined = world.logged(served.head(200))
    found = world.returning(joined)
    p = joined["output"].struct.field("probability").to_numpy()
    came = (joined["outcome"] == "Yes").to_numpy()
    away = np.abs(came - p)
    assert set(found.rows["id"]) == set(joined["id"].filter(pl.Series(away > 0.5)))
    assert found.rows.sort("id")["off"].to_list() == pytest.approx(
        [value for _, value in sorted(zip(joined["id"], away, strict=True)) if value > 0.5]
    )
    (said,) = found.sources.values()
    assert said["expected"] == pytest.approx(np.minimum(p, 1 - p).sum())


def several(shares, outcomes):
    names = [str(name) for name in range(len(shares[0]))]
    rows = [dict(zip(names, share, strict=True)) for share in shares]
    return pl.DataFrame({"output": [{"decision": "?", "probabilities": row} for row in rows], "outcome": outcomes})


def test_of_more_classes_what_the_class_that_came_was_given_counts():
    rows = several([[0.6, 0.3, 0.1], [0.6, 0.3, 0.1], [0.6, 0.3, 0.1]], ["0", "1", "nine"])
    manifest = {"task": "multiclass_classification", "classes": [0, 1, 2]}
    found = off(rows, Answered(manifest=manifest, metrics={}), CLASSES)
    assert found.distance[:2] == pytest.approx([0.4, 0.7])
    assert np.isnan(found.distance[2])
    assert found.wrong.tolist() == [False, True, False]
    assert found.expected == pytest.approx([0.4, 0.4, 0.4])


@pytest.mark.parametrize(
    ("measure", "limit", "wrong"), [("error", 3.0, [False, True]), ("times_rmse", 2.0, [False, True])]
)
def test_values_are_off_by_their_distance(measure, limit, wrong):
    rows = pl.DataFrame({"output": [{"prediction": 10.0}, {"prediction": 10.0}], "outcome": ["11.5", "15"]})
    choice = Choice(measure=measure, sign=">", limit=limit, wait=0, rows=9, level=0.001, times=1.2, keys=())
    found = off(rows, Answered(manifest={"task": "regression", "classes": None}, metrics={"rmse": 2.0}), choice)
    assert found.distance == pytest.approx([1.5, 5.0] if measure == "error" else [0.75, 2.5])
    assert found.wrong.tolist() == wrong


def test_a_row_comes_back_once_and_as_it_was_asked_last(world, served):
    rows = served.head(300)
    early, late = world.logged(rows, seed=1, days=3), world.logged(rows, seed=2, days=1)
    found = world.returning(pl.concat([early, late]))
    assert found.dropped["the same row was asked for again later"] == 300
    assert found.rows["key"].is_unique().all()
    assert all(name.startswith("crm-2-") for name in found.rows["id"])


def test_an_outcome_that_may_still_change_waits(world, served):
    joined = world.logged(served.head(300), days=3)
    week = 7 * 86400.0
    assert world.returning(joined, wait=week).rows.is_empty()
    assert world.returning(joined, wait=week).dropped == {"its outcome may still change": 300}
    assert world.returning(joined, NOW + timedelta(days=5), wait=week).rows.height > 10


def test_what_nobody_labelled_and_what_no_release_said_stays_away(world, served):
    joined = world.logged(served.head(100))
    unlabelled = joined.with_columns(pl.lit(None, pl.String).alias("outcome"))
    assert world.returning(unlabelled).dropped == {"no outcome yet": 100}
    gone = joined.with_columns(pl.lit(77, pl.Int32).alias("release"))
    assert world.returning(gone).dropped == {"its release is no longer known": 100}


def test_a_key_has_its_quota_and_the_last_outcomes_come_first(world, served):
    joined = world.logged(served.head(600))
    every = world.returning(joined).rows
    some = world.returning(joined, rows=20)
    assert some.rows["id"].to_list() == every["id"].head(20).to_list()
    assert every["outcome_time"].is_sorted(descending=True)
    assert some.dropped["its source has had its quota"] == every.height - 20
    own_file = joined.with_columns(pl.lit("file:labels.csv").alias("outcome_source"))
    assert world.returning(own_file, rows=20).rows.height == every.height, "the recipe's own file has no quota"


def test_nothing_logged_is_nothing():
    empty = pl.DataFrame(
        schema={
            "id": pl.String, "time": pl.Datetime("us", "UTC"), "release": pl.Int32, "key": pl.String,
            "input": pl.Struct({}), "output": pl.Struct({}), "outcome": pl.String,
            "outcome_time": pl.Datetime("us", "UTC"), "outcome_source": pl.String,
        }
    )  # fmt: skip
    found = returning(empty, {}, CLASSES, NOW)
    assert found.rows.is_empty()
    assert found.account() == {"rows": 0, "dropped": {}, "sources": {}}


def labels(rows, rate, *, surprise=0.0):
    """Make what a source says whose labels call a rate of its rows wrong, of which a fifth is to be expected."""
    mean = surprise
    return Labelled(
        rows=rows, wrong=round(rows * rate), expected=rows * 0.2, surprise=rows * mean, squares=rows * (mean**2 + 4.0)
    )


def test_the_worst_is_no_other_to_the_rest():
    found = {
        "key:a": labels(500, 0.6, surprise=1.5),
        "key:b": labels(500, 0.2),
        "key:c": labels(500, 0.4, surprise=0.8),
        "file:x": labels(500, 0.2),
    }
    verdicts = judge(found, level=0.001, times=1.2)
    assert {name for name, verdict in verdicts.items() if verdict.held_back} == {"key:a", "key:c"}
    assert "file:x" not in verdicts, "the recipe's own file is not judged"


def test_few_labels_and_a_lone_key_are_not_judged():
    assert judge({"key:a": labels(500, 0.9, surprise=2.0)}, level=0.001, times=1.2)["key:a"].p is None
    few = {"key:a": labels(20, 0.9, surprise=2.0), "key:b": labels(500, 0.2)}
    assert not judge(few, level=0.001, times=1.2)["key:a"].held_back


def test_a_difference_that_is_sure_and_small_holds_nobody_back():
    found = {"key:a": labels(90_000, 0.21, surprise=0.05), "key:b": labels(90_000, 0.2)}
    verdict = judge(found, level=0.001, times=1.2)["key:a"]
    assert verdict.p < 0.001
    assert not verdict.held_back
