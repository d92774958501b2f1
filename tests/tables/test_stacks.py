"""L-ACQ-1: the rows of several tables below each other."""

from __future__ import annotations

import json

import polars as pl
import pytest

from mlops_compiler.ir.ops.intake import Stack
from mlops_compiler.tables.stacks import stack
from mlops_compiler.tables.stream import Stream

SAME = Stack(columns=(("x", "x"), ("y", "y")))


def test_columns_meet_by_name():
    upper, lower = pl.DataFrame({"x": [1], "y": ["a"]}), pl.DataFrame({"why": ["b"], "x": [2], "more": [0]})
    found = stack(Stream.of(upper), Stack(columns=(("why", "y"), ("x", "x"))), Stream.of(lower)).collect()
    assert found.rows() == [(1, "a"), (2, "b")]
    assert found.columns == ["x", "y"]


@pytest.mark.parametrize(
    ("upper", "lower", "expected"),
    [
        ([1, 2], [0.5], [1.0, 2.0, 0.5]),
        (["1", None], [0.1], ["1", None, "0.1"]),
        ([1.5], ["x"], ["1.5", "x"]),
    ],
)
def test_types_meet_where_both_fit(upper, lower, expected):
    one = Stack(columns=(("x", "x"),))
    found = stack(Stream.of(pl.DataFrame({"x": upper})), one, Stream.of(pl.DataFrame({"x": lower})))
    assert found.collect()["x"].to_list() == expected


@pytest.fixture
def stacked(small):
    """Part the rows of the small recipe in two tables, the second one with other names and types of its own."""
    whole = pl.read_csv(small.rows)
    whole.head(400).write_csv(small.rows)
    typed = whole.tail(-400).rename({"contract": "agreement"})
    typed.with_columns(note=pl.lit("new")).write_parquet(small.rows.with_name("more.parquet"))
    more = "  stack: {more: {source: {kind: parquet, path: data/more.parquet}, rename: {agreement: contract}}}\n"
    small.edit("  key: customer_id\n", f"  key: customer_id\n{more}")
    return small, whole


def test_a_recipe_takes_all_rows_in(stacked):
    place, whole = stacked
    assert place.main("check", "recipe=small").code == 0
    found = json.loads(place.main("explore", "recipe=small", "--json").out)
    assert found["rows"] == whole.height
    assert {item["name"] for item in found["columns"]} == set(whole.columns)


def test_a_plan_knows_that_the_other_table_changed(stacked):
    place, _ = stacked

    def sealed():
        planned = json.loads(place.main("plan", "recipe=small", "--json").out)
        return next(item["fingerprint"] for item in planned["stages"] if item["stage"] == "snapshot")

    before = sealed()
    more = place.rows.with_name("more.parquet")
    pl.read_parquet(more).head(150).write_parquet(more)
    assert sealed() != before


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (", rename: {agreement: contract}", "stack `more` lacks `contract`, which the source has"),
        ("rename: {agreement: contract}", "stack `more`: `tenure` is text there, and int in the source"),
    ],
)
def test_a_table_that_does_not_fit_is_said(stacked, change, words):
    place, _ = stacked
    if "lacks" in words:
        place.edit(change, "")
    else:
        more = place.rows.with_name("more.parquet")
        pl.read_parquet(more).with_columns(pl.col("tenure").cast(pl.String)).write_parquet(more)
        place.edit("    tenure: {type: int, range: [0, 100]}\n", "")
    said = place.main("check", "recipe=small")
    assert said.code == 1
    assert "error[stack-columns]" in said.err
    assert words in said.err
