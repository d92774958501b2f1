"""Rows that come again, late, changed or in other pieces are taken once (L-ACQ-4)."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlops_compiler.tables.accumulate import PART, Rules, accumulate, put_together
from mlops_compiler.tables.beyond import Mark

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
SCHEMA = {"id": pl.Int64, "at": pl.Int64, "x": pl.Float64}
row = st.tuples(
    st.one_of(st.none(), st.integers(0, 4)), st.integers(0, 6), st.sampled_from([None, 0.5, float("nan"), 2.0])
)
deliveries = st.lists(st.lists(row, max_size=6), min_size=1, max_size=4)


def frame(rows, part=0):
    return pl.DataFrame(rows, schema=SCHEMA, orient="row").with_columns(pl.lit(part).alias(PART))


def one_by_one(parts, rules):
    stored, results = None, []
    for part in parts:
        result = accumulate(None if stored is None else stored.lazy(), frame(part), rules, NOW)
        stored = pl.concat(put_together([] if stored is None else [stored], result))
        results.append(result)
    return stored, results


def at_once(parts, rules):
    whole = pl.concat([frame(part, number) for number, part in enumerate(parts)])
    return accumulate(None, whole, rules, NOW).added


def bag(rows):
    return Counter(map(repr, rows.rows()))


RULES = [
    pytest.param(Rules(), id="by content"),
    pytest.param(Rules(key=("id",)), id="by key, the last"),
    pytest.param(Rules(key=("id",), keep="first"), id="by key, the first"),
]


@pytest.mark.parametrize("rules", RULES)
@settings(max_examples=30)
@given(parts=deliveries)
def test_pieces_give_what_the_whole_gives(rules, parts):
    assert bag(one_by_one(parts, rules)[0]) == bag(at_once(parts, rules))


@pytest.mark.parametrize("rules", RULES)
@settings(max_examples=30)
@given(parts=deliveries)
def test_what_comes_again_is_not_taken_twice(rules, parts):
    stored, _ = one_by_one(parts, rules)
    again = accumulate(stored.lazy(), frame(list(stored.rows())), rules, NOW)
    assert again.added.is_empty()
    assert (again.new, again.changed, again.superseded, again.repeated) == (0, 0, 0, stored.height)


@settings(max_examples=30)
@given(parts=deliveries)
def test_of_equal_rows_there_are_as_many_as_one_delivery_has(parts):
    most = Counter()
    for part in parts:
        most |= Counter(map(repr, frame(part).drop(PART).rows()))
    assert bag(one_by_one(parts, Rules())[0]) == most


@pytest.mark.parametrize("keep", ["last", "first"])
@settings(max_examples=30)
@given(parts=deliveries)
def test_each_key_has_the_row_that_the_rule_says(keep, parts):
    wanted = {}
    for key, at, x in frame([item for part in parts for item in part]).drop(PART).rows():
        if keep == "last" or key not in wanted:
            wanted[key] = (key, at, x)
    assert bag(one_by_one(parts, Rules(key=("id",), keep=keep))[0]) == Counter(map(repr, wanted.values()))


@settings(max_examples=30)
@given(parts=deliveries)
def test_by_a_watermark_the_greatest_mark_stays(parts):
    """As long as `late` lets every row in."""
    rules = Rules(key=("id",), mark=Mark(column="at", kind="int", late=100))
    wanted = {}
    for key, at, x in frame([item for part in parts for item in part]).drop(PART).rows():
        if key not in wanted or at >= wanted[key][1]:
            wanted[key] = (key, at, x)
    assert bag(one_by_one(parts, rules)[0]) == Counter(map(repr, wanted.values()))


@pytest.mark.parametrize("rules", RULES)
@settings(max_examples=30)
@given(parts=deliveries)
def test_every_row_that_came_is_accounted_for(rules, parts):
    stored, results = one_by_one(parts, rules)
    came = sum(map(len, parts))
    assert came == sum(result.new + result.changed + result.superseded + result.repeated for result in results)
    assert stored.height == sum(result.new for result in results)


def test_late_rows_are_taken_as_far_as_they_may_be_late():
    rules = Rules(mark=Mark(column="at", kind="int", value=10, late=3))
    result = accumulate(
        frame([(1, 10, 0.5)]).drop(PART).lazy(),
        frame([(1, 10, 0.5), (2, 7, 0.5), (3, 6, 0.5), (4, 12, 0.5), (5, None, 0.5)]),
        rules,
        NOW,
    )
    assert sorted(result.added["id"]) == [2, 4]
    assert (result.new, result.late, result.repeated) == (2, 1, 1)
    assert (result.too_late, result.unmarked, result.mark) == (1, 1, 12)


@pytest.mark.parametrize(
    ("kind", "values", "mark"),
    [
        pytest.param("date", [date(2026, 11, 1), date(2099, 1, 1)], date(2026, 11, 25), id="date"),
        pytest.param("datetime", [datetime(2099, 1, 1)], datetime(2026, 11, 25, 12), id="time"),  # noqa: DTZ001
    ],
)
def test_a_row_of_the_future_hides_none_that_come_after_it(kind, values, mark):
    came = pl.DataFrame({"at": values, PART: 0})
    result = accumulate(None, came, Rules(mark=Mark(column="at", kind=kind)), NOW)
    assert result.new == len(values)
    assert result.mark == mark
