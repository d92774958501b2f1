"""Keys across tables: what is looked for, what is not asked, and what a breach tells."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops_compiler.ir.ops.intake import References
from mlops_compiler.tables.references import refer

FLIGHTS = pl.DataFrame({"dest": ["LAX", "SJU", None, "SJU", "BOS"], "day": [1, 2, 3, 4, 5]})
AIRPORTS = pl.DataFrame({"faa": ["LAX", "BOS", "BOS", None], "day": ["1", "5", "6", "7"]})


def by(*pairs, types=("text",), **more):
    return References(on=pairs, types=types, **more)


def test_a_breach_counts_rows_and_names_the_values_that_most_of_them_have():
    found = refer("airports", by(("dest", "faa")), FLIGHTS, AIRPORTS)
    assert (found.rows, found.unmatched) == (4, 2)
    assert found.finding.code == "contract-unmatched"
    assert "`dest` of 2 of 4 rows does not stand in the other table, and none may" in found.finding.headline
    assert found.finding.notes[0].text == "1 values, most often 'SJU' (2 rows)"


@pytest.mark.parametrize(("most", "kept"), [(0.5, True), (0.49, False)])
def test_as_many_rows_as_may_find_nothing(most, kept):
    found = refer("airports", by(("dest", "faa"), max_unmatched=most), FLIGHTS, AIRPORTS)
    assert (found.finding is None) == kept


def test_several_columns_must_stand_together_as_the_types_that_both_are_compared_as():
    op = by(("dest", "faa"), ("day", "day"), types=("text", "int"))
    assert refer("airports", op, FLIGHTS.filter(pl.col("dest") != "SJU"), AIRPORTS).unmatched == 0
    assert refer("airports", op, FLIGHTS.with_columns(day=pl.lit(6)), AIRPORTS).unmatched == 3


@given(st.lists(st.sampled_from("abcd") | st.none()), st.lists(st.sampled_from("abcd") | st.none()))
def test_counts_what_sql_would(ours, theirs):
    rows, other = (pl.DataFrame({"k": values}, schema={"k": pl.String}) for values in (ours, theirs))
    found = refer("t", by(("k", "k")), rows, other)
    there = set(theirs)
    assert found.unmatched == sum(value is not None and value not in there for value in ours)
    assert (found.finding is not None) == (found.unmatched > 0)
