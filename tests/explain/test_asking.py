"""L-SEL-4: what a model looks at is found by asking it about changed rows, with the preparation it was trained with."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from mlops_compiler.diagnostics import DataError, Diagnostic
from mlops_compiler.evaluation.outlook import threshold_table
from mlops_compiler.explain.dependence import dependence, grid
from mlops_compiler.explain.importance import Judge, of_columns, of_features, shuffles
from mlops_compiler.explain.release import groups_of
from mlops_compiler.ir.ops.search import ValueMatrix

ROWS = 400


@pytest.fixture(scope="module")
def rows():
    draw = np.random.default_rng(5)
    frame = pl.DataFrame(
        {"strong": draw.normal(size=ROWS), "weak": draw.normal(size=ROWS), "noise": draw.normal(size=ROWS)}
    )
    return frame, answers(frame) + 0.1 * draw.normal(size=ROWS)


def answers(frame):
    """Prepare a ratio, and score; a column that no formula reads changes nothing."""
    if (frame["weak"] > 10).any():
        raise DataError([Diagnostic(code="step-failed", headline="too large")])
    return (3 * frame["strong"] + 0.5 * frame["weak"]).to_numpy()


@pytest.mark.parametrize("metric", ["rmse", "r2"])
def test_columns_rank_by_what_the_metric_loses(rows, metric):
    frame, y = rows
    judge = Judge(task="regression", metric=metric, y=y, threshold=None)
    found = of_columns(frame, frame.columns, answers, judge, shuffles(ROWS, 4, 1))
    assert [item.name for item in found] == ["strong", "weak", "noise"]
    assert len(found[0].losses) == 4
    assert min(found[1].losses) > 0
    assert set(found[2].losses) == {0.0}


def test_a_column_that_cannot_be_shuffled_is_told_as_such(rows):
    frame, y = rows

    def refuses(changed):
        if changed.height > ROWS and not (changed["noise"] == pl.concat([frame["noise"]] * 2)).all():
            raise DataError([Diagnostic(code="step-failed", headline="no such pair")])
        return answers(changed)

    judge = Judge(task="regression", metric="mae", y=y, threshold=None)
    found = of_columns(frame, frame.columns, refuses, judge, shuffles(ROWS, 2, 1))
    assert found[-1].to_json() == {"name": "noise", "mean": None, "std": None, "losses": None}


def test_indicators_of_one_encoding_are_shuffled_together(rows):
    frame, y = rows
    matrix = frame.to_numpy()
    groups = groups_of(["strong=*", "noise"], ["strong=a", "strong=b", "noise"])
    assert groups == {"strong": [0, 1], "noise": [2]}
    judge = Judge(task="regression", metric="rmse", y=y, threshold=None)
    found = of_features(matrix, groups, lambda X: 3 * X[:, 0] + 0.5 * X[:, 1], judge, shuffles(ROWS, 3, 1))
    assert [item.name for item in found] == ["strong", "noise"]
    assert set(found[1].losses) == {0.0}


@pytest.mark.parametrize(
    ("named", "features", "groups"),
    [
        (["a", "b=*"], ["a", "b=x", "b=y"], {"a": [0], "b": [1, 2]}),
        (["b", "b=*"], ["b", "b=x"], {"b": [0], "b=*": [1]}),
        (["a", "gone"], ["a"], {"a": [0]}),
        (["a·b=*"], ["a·b=1"], {"a·b": [0]}),
    ],
)
def test_features_are_gathered_under_the_names_of_the_program(named, features, groups):
    assert groups_of(named, features) == groups


def test_the_dependence_of_a_straight_line_is_one(rows):
    told = dependence(rows[0], "strong", answers)
    assert (told["kind"], len(told["values"]), len(told["lines"])) == ("number", 12, 25)
    slopes = np.diff(told["mean"][0]) / np.diff(told["values"])
    np.testing.assert_allclose(slopes, 3)
    np.testing.assert_allclose(np.diff(told["lines"], axis=1) / np.diff(told["values"]), 3)


def test_dependence_is_none_where_it_has_no_meaning(rows):
    frame = rows[0]
    assert dependence(frame.with_columns(noise=pl.lit(1.0)), "noise", answers) is None
    assert (
        dependence(
            frame.with_columns(weak=pl.when(pl.int_range(pl.len()) < 50).then(11.0).otherwise("weak")), "weak", answers
        )
        is None
    )


@pytest.mark.parametrize(
    ("values", "asked"),
    [
        (pl.Series("c", ["b", "a", None, "a"], pl.String), ["a", "b"]),
        (pl.Series("c", [3, 1, None, 2]), [1, 2, 3]),
        (pl.Series("c", [True, False]), [False, True]),
        (pl.Series("c", [float("nan"), 1.0]), [1.0]),
        (pl.Series("c", [None], dtype=pl.Float64), []),
        (pl.Series("c", ["b", "a"], pl.Enum(["b", "a"])), ["a", "b"]),
    ],
)
def test_the_grid_has_values_that_are_there(values, asked):
    assert grid(values).to_list() == asked


def test_other_thresholds_decide_fewer_rows_the_higher_they_are():
    draw = np.random.default_rng(2)
    probability = draw.uniform(size=300)
    y = (draw.uniform(size=300) < probability).astype(int)
    told = threshold_table(y, probability, 0.345, ValueMatrix(true_positive=10, false_positive=-1))
    assert [row["threshold"] for row in told if row["chosen"]] == [0.345]
    assert len(told) == 10
    decided = [row["decided"] for row in told]
    assert decided == sorted(decided, reverse=True)
    assert all(row["value"] == 10 * row["true_positive"] - row["false_positive"] for row in told)
    assert threshold_table(y, probability, 0.5, None)[4]["value"] is None
