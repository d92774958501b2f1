"""Each step learns from the training rows alone, and does to others what it learned."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from mlops_compiler.diagnostics import DataError, render_text
from mlops_compiler.ir.ops.prepare import (
    Bins,
    Cast,
    Clip,
    Derive,
    Drop,
    Filter,
    Frequency,
    Impute,
    Log1p,
    MinMaxScale,
    OneHot,
    Ordinal,
    RobustScale,
    Standardize,
)

NAN = float("nan")


def one_hot(*columns, max_levels=20, rare="group"):
    return OneHot(columns=columns, max_levels=max_levels, rare=rare)


def bits(**columns):
    return pl.DataFrame({name: pl.Series(values, dtype=pl.UInt8) for name, values in columns.items()})


CASES = {
    "impute a constant": (
        Impute(columns=("x",), value=0),
        {"x": [5, None]},
        {"x": [None, 1]},
        {"x": [0, 1]},
    ),
    "impute a constant over NaN": (
        Impute(columns=("x",), value=0.0),
        {"x": [5.0]},
        {"x": [NAN, None, 2.0]},
        {"x": [0.0, 0.0, 2.0]},
    ),
    "impute a text": (
        Impute(columns=("x",), value="none"),
        {"x": ["a"]},
        {"x": ["b", None]},
        {"x": ["b", "none"]},
    ),
    "impute the mean": (
        Impute(columns=("x",), statistic="mean"),
        {"x": [1.0, 3.0, None, NAN]},
        {"x": [None, 100.0, NAN]},
        {"x": [2.0, 100.0, 2.0]},
    ),
    "impute the median of whole numbers": (
        Impute(columns=("x",), statistic="median"),
        {"x": [1, 2, 9, 100, None]},
        {"x": [None, 7]},
        {"x": [5.5, 7.0]},
    ),
    "impute the mode, the least of the most frequent": (
        Impute(columns=("x",), statistic="mode"),
        {"x": ["b", "a", "a", "b", "c", None]},
        {"x": [None, "c"]},
        {"x": ["a", "c"]},
    ),
    "impute the mode of booleans": (
        Impute(columns=("x",), statistic="mode"),
        {"x": [True, False, True]},
        {"x": [None, False]},
        {"x": [True, False]},
    ),
    "robust scale by the quartiles": (
        RobustScale(columns=("x",)),
        {"x": [0.0, 1.0, 2.0, 3.0, 1000.0, None, NAN]},
        {"x": [2, 4, None]},
        {"x": [0.0, 1.0, None]},
    ),
    "robust scale what mostly agrees": (
        RobustScale(columns=("x",)),
        {"x": [5, 5, 5, 5, 90]},
        {"x": [5, 7]},
        {"x": [0.0, 2.0]},
    ),
    "min-max scale, and beyond": (
        MinMaxScale(columns=("x",)),
        {"x": [10, 30, None]},
        {"x": [10, 20, 50, None]},
        {"x": [0.0, 0.5, 2.0, None]},
    ),
    "min-max scale, clipped": (
        MinMaxScale(columns=("x",), clip=True),
        {"x": [10, 30]},
        {"x": [-5, 20, 50, None]},
        {"x": [0.0, 0.5, 1.0, None]},
    ),
    "min-max scale a constant": (
        MinMaxScale(columns=("x",)),
        {"x": [3, 3]},
        {"x": [3, 4]},
        {"x": [0.0, 1.0]},
    ),
    "clip by quantiles": (
        Clip(columns=("x",), lower=0.25, upper=0.75),
        {"x": [0, 1, 2, 3, 4, None]},
        {"x": [-9, 2, 9, None]},
        {"x": [1.0, 2.0, 3.0, None]},
    ),
    "clip by Tukey's fence": (
        Clip(columns=("x",), iqr=1.5),
        {"x": [0.0, 1.0, 2.0, 3.0, 4.0, NAN]},
        {"x": [-9.0, 2.0, 9.0]},
        {"x": [-2.0, 2.0, 6.0]},
    ),
    "bins by edges": (
        Bins(columns=("x",), edges=(18.0, 65.0)),
        {"x": [1]},
        {"x": [17, 18, 64, 65, None, -5]},
        {"x": [0, 1, 1, 2, None, 0]},
    ),
    "bins by quantiles": (
        Bins(columns=("x",), quantiles=4),
        {"x": [0.0, 1.0, 2.0, 3.0, 4.0, None]},
        {"x": [-1.0, 1.0, 2.5, 9.0, None, NAN]},
        {"x": [0, 1, 2, 3, None, None]},
    ),
    "bins by quantiles of what repeats": (
        Bins(columns=("x",), quantiles=4),
        {"x": [5, 5, 5, 5]},
        {"x": [4, 5]},
        {"x": [0, 1]},
    ),
    "bins of equal width": (
        Bins(columns=("x",), equal_width=2),
        {"x": [0, 1, 10]},
        {"x": [4, 5, 99]},
        {"x": [0, 1, 1]},
    ),
    "ordinal by the training levels": (
        Ordinal(columns=("x",)),
        {"x": ["b", "a", "c", None]},
        {"x": ["c", "new", None, "a"]},
        {"x": [2, -1, -1, 0]},
    ),
    "ordinal in a given order": (
        Ordinal(columns=("x",), order=("low", "mid", "high")),
        {"x": ["mid"]},
        {"x": ["high", "low", "none", None]},
        {"x": [2, 0, -1, -1]},
    ),
    "frequency": (
        Frequency(columns=("x",)),
        {"x": ["a", "a", "b", "a", None]},
        {"x": ["a", "b", "new", None]},
        {"x": [0.75, 0.25, 0.0, 0.0]},
    ),
    "frequency of numbers": (
        Frequency(columns=("x",)),
        {"x": [1, 1, 2, 2]},
        {"x": [2, 3]},
        {"x": [0.5, 0.0]},
    ),
    "derive from one row": (
        Derive(expressions=(("z", "x / greatest(y, 1)"), ("x", "x + 1"))),
        {"x": [1.0], "y": [1]},
        {"x": [6.0, 1.0, None], "y": [3, 0, 1]},
        {"x": [7.0, 2.0, None], "y": [3, 0, 1], "z": [2.0, 1.0, None]},
    ),
    "log1p": (
        Log1p(columns=("x",)),
        {"x": [1]},
        {"x": [0, None]},
        {"x": [0.0, None]},
    ),
    "standardize by the training rows": (
        Standardize(columns=("x", "y")),
        {"x": [1, 3], "y": [0.0, NAN]},
        {"x": [5, None], "y": [2.0, 0.0]},
        {"x": [3.0, None], "y": [2.0, 0.0]},
    ),
    "standardize a constant column": (
        Standardize(columns=("x",)),
        {"x": [4.0, 4.0]},
        {"x": [4.0, 6.0]},
        {"x": [0.0, 2.0]},
    ),
    "drop": (
        Drop(columns=("x",)),
        {"x": [1], "y": [2]},
        {"x": [1, 2], "y": [3, 4]},
        {"y": [3, 4]},
    ),
    "cast a text to a number": (
        Cast(columns=("x",), to="int"),
        {"x": ["1"]},
        {"x": [" 7 ", None]},
        {"x": [7, None]},
    ),
    "cast a text to a truth": (
        Cast(columns=("x",), to="bool"),
        {"x": ["yes"]},
        {"x": ["No", "TRUE", None]},
        {"x": [False, True, None]},
    ),
    "cast a text to a date": (
        Cast(columns=("x",), to="date"),
        {"x": ["2024-01-02"]},
        {"x": ["2024-02-29", None]},
        {"x": [date(2024, 2, 29), None]},
    ),
    "filter": (
        Filter(where="x > 1", max_loss=1.0),
        {"x": [2]},
        {"x": [1, 2, None]},
        {"x": [2]},
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_does_what_it_learned(fitted, case):
    step, training, rows, wanted = case
    given = pl.DataFrame(rows)
    made = fitted(pl.DataFrame(training), step).transform(given, "scoring")
    assert_frame_equal(made, pl.DataFrame(wanted), check_dtypes=True)
    assert_frame_equal(given, pl.DataFrame(rows))


ONE_HOT = {
    "levels in order": (one_hot("x"), ["b", "a", None, "b"], ["a", "b", None], {"x=a": [1, 0, 0], "x=b": [0, 1, 0]}),
    "a level that was not there": (one_hot("x"), ["a", "b"], ["c", "a"], {"x=a": [0, 1], "x=b": [0, 0]}),
    "the rare ones grouped": (
        one_hot("x", max_levels=1),
        ["a", "b", "a", "c"],
        ["a", "c", "new", None],
        {"x=a": [1, 0, 0, 0], "x=(rare)": [0, 1, 1, 0]},
    ),
    "a level that is called like the group is one of it": (
        one_hot("x", max_levels=2),
        ["(rare)", "(rare)", "a", "a", "b"],
        ["a", "(rare)", "b", None],
        {"x=a": [1, 0, 0, 0], "x=(rare)": [0, 1, 1, 0]},
    ),
    "as many levels as allowed": (
        one_hot("x", max_levels=2, rare="error"),
        ["a", "b"],
        ["new"],
        {"x=a": [0], "x=b": [0]},
    ),
    "ties kept by name": (
        one_hot("x", max_levels=2),
        ["c", "b", "a"],
        ["a", "b", "c"],
        {"x=a": [1, 0, 0], "x=b": [0, 1, 0], "x=(rare)": [0, 0, 1]},
    ),
    "whole numbers": (one_hot("x"), [10, 9], [9, 1], {"x=10": [0, 0], "x=9": [1, 0]}),
    "booleans": (one_hot("x"), [True, False], [None, True], {"x=false": [0, 0], "x=true": [0, 1]}),
}


@pytest.mark.parametrize("case", ONE_HOT.values(), ids=ONE_HOT)
def test_one_hot_knows_the_levels_of_the_training_rows(fitted, case):
    step, training, rows, wanted = case
    made = fitted(pl.DataFrame({"x": training}), step).transform(pl.DataFrame({"x": rows}))
    assert_frame_equal(made, bits(**wanted))


def test_a_prediction_drops_no_row(fitted):
    rows = pl.DataFrame({"x": [1, 2, None]})
    preparation = fitted(pl.DataFrame({"x": [2]}), Filter(where="x > 1", max_loss=1.0))
    assert preparation.transform(rows).height == 3
    assert preparation.transform(rows.head(1)).height == 1
    assert preparation.transform(rows.head(1), "scoring").height == 0


def test_what_follows_a_filter_learns_from_what_it_leaves(fitted):
    rows = pl.DataFrame({"x": [1.0, 3.0, 1000.0]})
    preparation = fitted(rows, Filter(where="x < 100", max_loss=1.0), Impute(columns=("x",), statistic="mean"))
    assert preparation.transform(pl.DataFrame({"x": [None, 5.0]}))["x"].to_list() == [2.0, 5.0]


def test_other_columns_pass_through(fitted):
    rows = pl.DataFrame({"x": [1.0, 2.0], "other": ["a", "b"]})
    made = fitted(rows, Standardize(columns=("x",))).transform(rows)
    assert made["other"].to_list() == ["a", "b"]


REFUSED = {
    "nothing to impute from": (Impute(columns=("x",), statistic="mean"), {"x": pl.Series([None], dtype=pl.Float64)}),
    "nothing to standardize by": (Standardize(columns=("x",)), {"x": [NAN]}),
    "infinity to standardize by": (Standardize(columns=("x",)), {"x": [1.0, float("inf")]}),
    "infinity to impute": (Impute(columns=("x",), statistic="mean"), {"x": [1.0, None, float("-inf")]}),
    "too many levels": (one_hot("x", max_levels=1, rare="error"), {"x": ["a", "b"]}),
    "a negative logarithm": (Log1p(columns=("x",)), {"x": [1.0, -0.5]}),
    "a text that is no number": (Cast(columns=("x",), to="int"), {"x": ["1", "one"]}),
    "a fraction that is no whole number": (Cast(columns=("x",), to="int"), {"x": [1.0, 1.5]}),
    "a text that is no truth": (Cast(columns=("x",), to="bool"), {"x": ["yes", "maybe"]}),
    "a text that is no date": (Cast(columns=("x",), to="date"), {"x": ["2024-01-02", "2024-02-30"]}),
}


@pytest.mark.parametrize("case", REFUSED.values(), ids=REFUSED)
def test_refuses_rows_and_names_the_step(fitted, case):
    step, rows = case
    with pytest.raises(DataError) as refused:
        fitted(pl.DataFrame(rows), step)
    (found,) = refused.value.diagnostics
    assert found.code in {"nothing-to-learn", "infinite-values", "too-many-levels", "step-failed"}
    assert "`s0`" in found.headline


@pytest.mark.parametrize(
    ("step", "value", "shown"),
    [
        pytest.param(Log1p(columns=("x",)), -2.0, "column `x` holds what is negative", id="log1p"),
        pytest.param(Cast(columns=("x",), to="int"), 2.5, "does not survive the cast to int: 2.5", id="cast"),
    ],
)
@pytest.mark.parametrize("rows", [1, 3])
def test_refuses_the_same_when_it_scores(fitted, step, value, shown, rows):
    preparation = fitted(pl.DataFrame({"x": [1.0]}), step)
    with pytest.raises(DataError) as refused:
        preparation.transform(pl.DataFrame({"x": [value] * rows}))
    assert shown in render_text(refused.value.diagnostics)


@pytest.mark.parametrize("clip", [False, True])
def test_scales_are_scikit_learns(fitted, clip):
    from sklearn.preprocessing import MinMaxScaler, RobustScaler

    values = [3.5, -1.25, 0.1, 1 / 3, 99.0, 7.0, 7.5]
    later = [0.0, 250.0, -80.0]
    for step, scaler in (
        (RobustScale(columns=("x",)), RobustScaler()),
        (MinMaxScale(columns=("x",), clip=clip), MinMaxScaler(clip=clip)),
    ):
        wanted = scaler.fit([[value] for value in values]).transform([[value] for value in later])[:, 0]
        found = fitted(pl.DataFrame({"x": values}), step).transform(pl.DataFrame({"x": later}))["x"]
        assert found.to_list() == pytest.approx(wanted.tolist(), rel=1e-12)


def test_too_many_levels_names_the_rarest_with_their_rows(fitted):
    rows = pl.DataFrame({"x": ["a", "a", "a", "b", "b", "c"]})
    with pytest.raises(DataError) as refused:
        fitted(rows, one_hot("x", max_levels=1, rare="error"))
    assert "note: the rarest, with their training rows: 'b' (2), 'c' (1)" in render_text(refused.value.diagnostics)
