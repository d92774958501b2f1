"""Joins against an oracle that walks row by row, and what they refuse (L-ACQ-1)."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlops_compiler.diagnostics import DataError
from mlops_compiler.ir.ops.intake import AsOf, Join
from mlops_compiler.tables.joins import join

T0 = datetime(2024, 1, 1)  # noqa: DTZ001 - naive, as columns are
ROWS = pl.DataFrame({"id": [1, 2, 3, 4, 5], "k": ["a", "b", "a", None, "z"], "at": [10.0, 20.0, 30.0, 40.0, 50.0]})
OTHER = pl.DataFrame({"key": ["b", "a"], "x": [2.5, 1.5], "note": ["two", None]})


def equal(how="left", columns=(("x", "x"),)):
    return Join(on=(("k", "key"),), types=("text",), as_of=None, columns=columns, how=how)


def test_adds_columns_and_keeps_rows_and_their_order():
    found = join("j", equal(columns=(("x", "x"), ("note", "their_note"))), ROWS, OTHER)
    assert found.rows.columns == ["id", "k", "at", "x", "their_note"]
    assert found.rows["id"].to_list() == [1, 2, 3, 4, 5]
    assert found.rows["x"].to_list() == [1.5, 2.5, 1.5, None, None]
    assert (found.matched, found.unmatched) == (3, 2)


def test_an_inner_join_drops_what_finds_no_match():
    found = join("j", equal(how="inner"), ROWS, OTHER)
    assert found.rows["id"].to_list() == [1, 2, 3]
    assert (found.matched, found.unmatched) == (3, 2)


@pytest.mark.parametrize(("share", "refused"), [(0.4, False), (0.39, True)])
def test_so_many_rows_may_find_no_match(share, refused):
    op = replace(equal(), max_unmatched=share)
    if not refused:
        assert join("j", op, ROWS, OTHER).unmatched == 2
        return
    with pytest.raises(DataError) as error:
        join("j", op, ROWS, OTHER)
    (finding,) = error.value.diagnostics
    assert finding.code == "join-unmatched"
    assert finding.headline == "join `j`: 2 of 5 rows find no match, and 39.0% may"
    assert finding.notes[0].text == "for instance `k`: None; 'z'"


def test_texts_are_compared_as_the_numbers_that_they_stand_for():
    rows = pl.DataFrame({"k": ["1", "02", "3.0"]})
    op = Join(on=(("k", "key"),), types=("float",), as_of=None, columns=(("x", "x"),), how="left")
    found = join("j", op, rows, pl.DataFrame({"key": [1, 2, 3], "x": [10, 20, 30]}))
    assert found.rows["x"].to_list() == [10, 20, 30]
    assert found.rows["k"].to_list() == ["1", "02", "3.0"]


def test_nulls_match_nothing():
    other = pl.DataFrame({"key": [None, "a"], "x": [9.0, 1.0]})
    assert join("j", equal(), ROWS, other).rows["x"].to_list() == [1.0, None, 1.0, None, None]


def test_a_key_that_stands_twice_is_refused_with_samples():
    other = pl.DataFrame({"key": ["a", "b", "a", "b", "c"], "x": [1.0, 2, 3, 4, 5]})
    with pytest.raises(DataError) as refused:
        join("j", equal(), ROWS, other)
    (finding,) = refused.value.diagnostics
    assert finding.code == "join-repeats-keys"
    assert "2 keys stand more than once" in finding.headline
    assert finding.notes[0].text == "key: a; b"


def test_a_join_that_matches_nothing_is_refused():
    with pytest.raises(DataError) as refused:
        join("j", equal(), ROWS, pl.DataFrame({"key": ["A", "B"], "x": [1.0, 2.0]}))
    assert refused.value.diagnostics[0].code == "join-matches-nothing"
    assert refused.value.diagnostics[0].notes[0].text == "matched by k = key"


def as_of(within=None, known_after=0.0, on=(("k", "k"),)):
    times = AsOf(left="at", right="when", within=within, known_after=known_after)
    return Join(on=on, types=("text",) * len(on), as_of=times, columns=(("x", "x"),), how="left")


@pytest.mark.parametrize(
    ("within", "known_after", "wanted"),
    [
        (None, 0.0, [1.0, 2.0, 2.0, 4.0]),
        (None, 5.0, [None, 1.0, 2.0, 2.0]),
        (4.0, 0.0, [1.0, 2.0, None, 4.0]),
        (8.0, 5.0, [None, None, 2.0, None]),
        (10.0, 5.0, [None, 1.0, 2.0, 2.0]),
    ],
)
def test_takes_the_last_row_that_was_known(within, known_after, wanted):
    rows = pl.DataFrame({"k": ["a"] * 4, "at": [10.0, 20.0, 27.0, 30.0]})
    other = pl.DataFrame({"k": ["a"] * 4, "when": [30.0, 10.0, 20.0, 31.0], "x": [4.0, 1.0, 2.0, 5.0]})
    assert join("j", as_of(within, known_after), rows, other).rows["x"].to_list() == wanted


def test_dates_and_texts_of_times_are_compared():
    rows = pl.DataFrame({"at": ["2024-01-02", "2024-01-03T12:00", None], "k": ["a"] * 3})
    other = pl.DataFrame({"when": [date(2024, 1, 1), date(2024, 1, 3)], "k": ["a", "a"], "x": [1.0, 2.0]})
    assert join("j", as_of(within=86400.0 * 1.6), rows, other).rows["x"].to_list() == [1.0, 2.0, None]


def test_without_keys_time_alone_is_matched():
    other = pl.DataFrame({"when": [15.0, 45.0], "x": [1.0, 2.0]})
    assert join("j", as_of(on=()), ROWS, other).rows["x"].to_list() == [None, 1.0, 1.0, 1.0, 2.0]


moments = st.integers(0, 40)
keys = st.sampled_from(["a", "b", None])


@settings(max_examples=150, deadline=None)
@given(
    rows=st.lists(st.tuples(keys, moments | st.none()), min_size=1, max_size=12),
    other=st.lists(st.tuples(keys, moments), min_size=1, max_size=12, unique=True),
    within=st.none() | st.integers(10, 30),
    delay=st.integers(0, 10),
    how=st.sampled_from(["left", "inner"]),
)
def test_is_what_an_oracle_finds_row_by_row(rows, other, within, delay, how):
    def moment(value):
        return None if value is None else T0 + timedelta(hours=value)

    frame = pl.DataFrame(
        {"k": [key for key, _ in rows], "at": [moment(at) for _, at in rows]},
        schema={"k": pl.String, "at": pl.Datetime("us")},
    )
    table = pl.DataFrame(
        {"k": [key for key, _ in other], "when": [moment(at) for _, at in other], "x": [float(at) for _, at in other]},
        schema={"k": pl.String, "when": pl.Datetime("us"), "x": pl.Float64},
    )

    def last(key, at):
        if at is None:
            return None
        known = [
            when
            for name, when in other
            if name is not None and name == key and when + delay <= at and (within is None or at - when <= within)
        ]
        return float(max(known)) if known else None

    wanted = [last(key, at) for key, at in rows]
    op = as_of(None if within is None else within * 3600.0, delay * 3600.0)
    op = Join(on=op.on, types=op.types, as_of=op.as_of, columns=op.columns, how=how)
    if not any(value is not None for value in wanted):
        with pytest.raises(DataError, match="no row finds a match"):
            join("j", op, frame, table)
        return
    found = join("j", op, frame, table)
    assert found.rows["x"].to_list() == [value for value in wanted if how == "left" or value is not None]
    assert found.matched == sum(value is not None for value in wanted)
