"""How right answers were is told where outcomes are known, by period where rows have a time."""

from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl
import pytest

from mlops_compiler.serving.correctness import correctness, outcomes
from mlops_compiler.serving.replay import Held

BINARY = {"task": "binary_classification", "classes": ["No", "Yes"], "threshold": 0.5}


def held(outcome, time=None):
    rows = pl.DataFrame({"tenure": range(len(outcome))})
    return Held(
        places=range(len(outcome)),
        rows=rows,
        expected=[{}] * len(outcome),
        source="a file",
        outcome=np.array(outcome, dtype=float),
        time=None if time is None else pl.Series(time),
    )


def answers(*probabilities):
    return [{"probability": each, "decision": "Yes" if each >= 0.5 else "No"} for each in probabilities]


def test_outcomes_are_numbered_as_the_release_numbers_classes():
    found = outcomes(pl.Series(["Yes", "No", None, "Maybe"]), BINARY)
    assert found[:2].tolist() == [1.0, 0.0]
    assert np.isnan(found[2:]).all()
    assert outcomes(pl.Series(["3", "x"]), {"classes": None})[0] == 3.0


def test_rows_without_an_outcome_or_an_answer_are_left_out():
    given = [*answers(0.9, 0.1, 0.9), "422"]
    found = correctness(held([1, 0, np.nan, 1]), given, BINARY, "accuracy")
    assert (found["rows"], found["value"]) == (2, 1.0)
    assert correctness(held([np.nan]), answers(0.5), BINARY, "accuracy") is None


@pytest.mark.parametrize(
    ("days", "periods"),
    [
        pytest.param([date(2024, 1, 1), date(2024, 1, 2), date(2024, 1, 2), date(2024, 1, 9)], 3, id="days"),
        pytest.param([date(2023, 1, 1), date(2023, 2, 2), date(2023, 2, 20), date(2024, 3, 9)], 3, id="months"),
        pytest.param([date(2013, 1, 1), date(2013, 2, 2), date(2020, 2, 20), date(2021, 3, 9)], 3, id="years"),
    ],
)
def test_correctness_is_told_by_period(days, periods):
    found = correctness(held([1, 0, 1, 0], days), answers(0.9, 0.8, 0.7, 0.1), BINARY, "accuracy")
    assert found["value"] == 0.75
    assert len(found["over_time"]) == periods
    assert sum(item["rows"] for item in found["over_time"]) == 4


def test_a_period_in_which_the_metric_has_no_meaning_has_none():
    days = [date(2024, 1, 1), date(2024, 1, 1), date(2024, 1, 5)]
    found = correctness(held([1, 0, 1], days), answers(0.9, 0.1, 0.7), BINARY, "roc_auc")
    assert [item["value"] for item in found["over_time"]] == [1.0, None]


def test_several_classes_and_values_are_scored():
    manifest = {"task": "multiclass_classification", "classes": ["a", "b", "c"]}
    given = [{"decision": "b", "probabilities": {"a": 0.1, "b": 0.8, "c": 0.1}}] * 2
    assert correctness(held([1, 0]), given, manifest, "accuracy")["value"] == 0.5
    values = correctness(held([1, 3]), [{"prediction": 1.0}, {"prediction": 5.0}], {"task": "regression"}, "mae")
    assert values["value"] == 1.0
