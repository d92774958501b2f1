"""Where a release fails, and what changed there: what is told is what the rows show, and chance is not told as more."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from mlops_compiler.monitoring.failings import Learned, failings
from mlops_compiler.monitoring.paths import leaves

RANDOM = np.random.default_rng(5)
ROWS = 2000
MANIFEST = {
    "task": "binary_classification", "classes": ["No", "Yes"], "threshold": 0.5,
    "request": [{"name": "plan"}, {"name": "months"}],
}  # fmt: skip


def asked(rows, plans=("a", "b", "c"), low=0):
    return pl.DataFrame({"plan": RANDOM.choice(plans, rows), "months": RANDOM.integers(low, 60, rows)})


def judged(rows, truth, said=0.3):
    """Make predictions of one probability, of which each came true as often as `truth` says."""
    came = RANDOM.random(rows.height) < truth
    return pl.DataFrame(
        {
            "input": rows.to_struct(),
            "output": pl.DataFrame({"probability": np.full(rows.height, said)}).to_struct(),
            "outcome": np.where(came, "Yes", "No"),
            "wrong": came,
            "expected": np.full(rows.height, said),
        }
    )


def learned(rows, truth=0.3):
    return Learned(rows=rows, y=(RANDOM.random(rows.height) < truth).astype(np.int8))


def test_the_slice_that_fails_is_found_with_what_changed_there():
    then = asked(ROWS)
    now = pl.concat([asked(ROWS // 2, ("a", "b")), asked(ROWS // 2, ("c",), low=40)])
    truth = np.where(now["plan"] == "c", 0.7, 0.3)
    told = failings(judged(now, truth), MANIFEST, learned(then), "log_loss")
    worst = told["slices"]["worst"][0]
    assert worst["significant"]
    assert worst["slice"].startswith("plan = c")
    assert worst["outcome"]["then"] == pytest.approx(0.3, abs=0.06)
    assert worst["outcome"]["now"] == pytest.approx(0.7, abs=0.06)
    assert worst["outcome"]["p"] < 1e-6
    (changed,) = worst["changed"]
    assert (changed["column"], changed["level"]) == ("months", None)
    assert changed["now"] > changed["then"] + 10
    assert told["leaves"][0]["where"].startswith("plan")
    assert told["leaves"][0]["q"] < 0.01
    assert told["leaves"][0]["wrong"] > 0.6 > told["leaves"][0]["rest"]


def test_where_nothing_fails_nothing_is_sure():
    rows = asked(ROWS)
    told = failings(judged(rows, 0.3), MANIFEST, learned(asked(ROWS)), "log_loss")
    assert told["slices"]["significant"] == 0
    assert all(item["q"] > 0.01 for item in told["leaves"])
    assert all(item["changed"] == [] for item in told["slices"]["worst"])


def test_too_few_outcomes_tell_nothing():
    rows = asked(40)
    assert "too few to tell" in failings(judged(rows, 0.3), MANIFEST, learned(asked(100)), "log_loss")["skipped"]


def test_values_are_told_as_well():
    rows = asked(ROWS)
    away = RANDOM.normal(0, np.where(rows["plan"] == "b", 30.0, 3.0))
    frame = pl.DataFrame(
        {
            "input": rows.to_struct(),
            "output": pl.DataFrame({"prediction": np.full(ROWS, 50.0)}).to_struct(),
            "outcome": [str(value) for value in 50 + away],
            "wrong": np.abs(away) > 10,
            "expected": np.ones(ROWS),
        }
    )
    manifest = MANIFEST | {"task": "regression", "classes": None, "threshold": None}
    history = Learned(rows=asked(ROWS), y=RANDOM.normal(50, 3, ROWS))
    told = failings(frame, manifest, history, "rmse")
    assert told["slices"]["worst"][0]["slice"].startswith("plan = b")
    assert told["leaves"][0]["where"].startswith("plan = b")


def test_a_tree_needs_rows_and_both_answers():
    rows = asked(300)
    assert leaves(rows, np.zeros(300, dtype=bool), np.zeros(300)) == []
    assert leaves(asked(50), RANDOM.random(50) < 0.5, np.zeros(50)) == []
