"""Looking back, against an oracle that walks row by row (L-PREP-4, L-FE-1)."""

from __future__ import annotations

import statistics
from datetime import datetime, timedelta

import polars as pl
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from mlops_compiler.diagnostics import DataError
from mlops_compiler.ir.ops.intake import History
from mlops_compiler.tables.history import look_back

T0 = datetime(2024, 1, 1)  # noqa: DTZ001 - naive, as columns are
tables = st.lists(
    st.tuples(st.sampled_from(["a", "b", None]), st.integers(0, 40), st.one_of(st.none(), st.floats(-9, 9))),
    min_size=1,
    max_size=25,
    unique_by=lambda row: row[:2],
).map(
    lambda rows: pl.DataFrame(
        {
            "g": pl.Series([row[0] for row in rows], dtype=pl.String),
            "at": [T0 + timedelta(hours=row[1]) for row in rows],
            "x": pl.Series([row[2] for row in rows], dtype=pl.Float64),
        }
    )
)


def op(kind, *, by=("g",), **rest):
    return History(kind=kind, columns=("x",), by=by, time="at", **rest)


def walked(rows, how):
    """Give for each row a function of the values of its group up to it, in the order of time."""
    found = []
    for group, at in rows.select("g", "at").iter_rows():
        mates = sorted((row for row in rows.iter_rows(named=True) if row["g"] == group), key=lambda row: row["at"])
        values = [row["x"] for row in mates]
        found.append(how(values, [row["at"] for row in mates].index(at)))
    return found


@settings(max_examples=60, deadline=None)
@given(rows=tables, back=st.integers(1, 4))
def test_a_lag_is_the_value_of_an_earlier_row_of_the_group(rows, back):
    made = look_back("h", op("lag", periods=(back, -back)), rows)
    assert made.select(rows.columns).equals(rows)
    assert made[f"x_lag_{back}"].to_list() == walked(rows, lambda v, i: v[i - back] if i >= back else None)
    assert made[f"x_lead_{back}"].to_list() == walked(rows, lambda v, i: v[i + back] if i + back < len(v) else None)


@settings(max_examples=60, deadline=None)
@given(rows=tables, limit=st.none() | st.integers(1, 3))
def test_a_gap_is_filled_with_the_last_value_of_the_group(rows, limit):
    def last(values, place):
        first = 0 if limit is None else max(0, place - limit)
        return next((value for value in reversed(values[first : place + 1]) if value is not None), None)

    made = look_back("h", op("forward_fill", limit=limit), rows)
    assert made["x_filled"].to_list() == walked(rows, last)


@settings(max_examples=60, deadline=None)
@given(rows=tables, back=st.integers(1, 3))
def test_a_difference_is_to_an_earlier_row_of_the_group(rows, back):
    def since(values, place):
        if place < back or values[place] is None or values[place - back] is None:
            return None
        return values[place] - values[place - back]

    made = look_back("h", op("difference", periods=(back,)), rows)
    assert made[f"x_diff_{back}"].to_list() == walked(rows, since)


@settings(max_examples=60, deadline=None)
@given(rows=tables, window=st.integers(2, 4))
def test_a_rolling_statistic_sees_its_own_row_and_those_before(rows, window):
    rows = rows.with_columns(pl.col("x").fill_null(0.0))
    kinds = {"mean": statistics.fmean, "std": statistics.pstdev, "min": min, "max": max, "median": statistics.median}
    made = look_back("h", op("rolling", window=window, statistics=tuple(kinds)), rows)
    for kind, function in kinds.items():
        wanted = walked(rows, lambda v, i, f=function: f(v[i + 1 - window : i + 1]) if i + 1 >= window else None)
        for real, other in zip(made[f"x_{kind}_of_{window}"], wanted, strict=True):
            assert (real is None) == (other is None)
            assert real is None or real == pytest.approx(other, abs=1e-6)


@settings(max_examples=40, deadline=None)
@given(rows=tables, later=st.floats(-9, 9))
def test_nothing_comes_from_the_future(rows, later):
    """Another value in the last row of all changes no other row."""
    assume(rows["at"].is_duplicated().sum() == 0)
    last = rows["at"] == rows["at"].max()
    changed = rows.with_columns(x=pl.when(last).then(later).otherwise(pl.col("x")))
    for look in (
        op("lag", periods=(1,)),
        op("difference", periods=(1,)),
        op("rolling", window=2, statistics=("mean",)),
    ):
        before, after = (look_back("h", look, table).filter(~last) for table in (rows, changed))
        assert before.equals(after)


def test_one_group_of_all_rows_and_texts_of_a_csv():
    rows = pl.DataFrame({"x": ["1.5", "4", None], "at": ["2024-01-02", "2024-01-03", None]})
    made = look_back("h", op("difference", by=(), periods=(1,)), rows)
    assert made["x_diff_1"].to_list() == [None, 2.5, None]
    assert made["x"].to_list() == ["1.5", "4", None]


def test_rows_of_a_group_at_the_same_time_are_refused():
    rows = pl.DataFrame({"g": ["a", "a", "b"], "at": [1, 1, 1], "x": [1.0, 2.0, 3.0]})
    with pytest.raises(DataError) as refused:
        look_back("h", op("lag", periods=(1,)), rows)
    (finding,) = refused.value.diagnostics
    assert finding.code == "history-unordered"
    assert "2 rows with the same g have the same `at`" in finding.headline
