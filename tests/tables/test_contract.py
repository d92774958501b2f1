"""A breach of the contract names the column, the rule, how many rows break it, and which."""

from __future__ import annotations

from datetime import date, datetime

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlops_compiler.diagnostics import DataError, render_text
from mlops_compiler.ir.ops.intake import Check, ColumnCheck
from mlops_compiler.tables.contract import take_in


def check(kind, *, max_loss=0.0, **rules):
    rules = {"nullable": False} | rules
    return Check(columns=(ColumnCheck(name="x", type=kind, **rules),), max_loss=max_loss)


def refusal(contract, values):
    with pytest.raises(DataError) as refused:
        take_in(contract, pl.DataFrame({"x": values}))
    return refused.value.diagnostics


BREACHES = {
    "range": (check("int", range=(0, 9)), ["1", "10", "-1"], "contract-range", "between 0 and 9: 2 of 3", "rows 2, 3"),
    "range of fractions": (check("float", range=(0, 1)), ["0.5", "1.5"], "contract-range", "1 of 2", "rows 2"),
    "no number": (check("float", range=(0, 1)), ["0.5", "NaN"], "contract-range", "1 of 2", "nan"),
    "infinite": (check("float", range=(0, 1)), ["inf", "0.5"], "contract-range", "1 of 2", "inf"),
    "one_of": (check("category", one_of=("a", "b")), ["a", "c", "b", "c"], "contract-values", "2 of 4", "rows 2, 4"),
    "one_of numbers": (check("int", one_of=(0, 1)), ["0", "2"], "contract-values", "1 of 2", "rows 2"),
    "one_of fractions": (check("float", one_of=(0, 1)), ["0", "0.5"], "contract-values", "1 of 2", "rows 2"),
    "one_of truths": (check("bool", one_of=(True,)), ["yes", "no"], "contract-values", "1 of 2", "False"),
    "weight": (
        check("float", weighs=True),
        ["1", "0", "-1", "inf", "NaN", "0.5"],
        "contract-weight",
        "above 0: 4 of 6",
        "rows 2, 3, 4, 5",
    ),
    "weight that is missing": (check("float", weighs=True), ["1", None], "contract-null", "1 of 2", "rows 2"),
    "null": (check("text"), ["a", None, None], "contract-null", "may not be missing: 2 of 3", "rows 2, 3"),
    "null and a range": (check("int", range=(0, 9)), ["1", None], "contract-null", "1 of 2", "rows 2"),
    "unique": (check("text", unique=True), ["a", "b", "a"], "contract-repeated", "unique: 2 of 3", "rows 1, 3"),
    "pattern": (check("text", pattern="[a-z]+"), ["ab", "a1", "1a"], "contract-pattern", "2 of 3", "rows 2, 3"),
    "pattern with a choice": (check("text", pattern="a|b"), ["a", "ab"], "contract-pattern", "match `a|b`", "rows 2"),
    "type": (check("int"), ["1", "two", "3.5"], "lossy-cast", "is int: 2 of 3", "row 2: 'two'; row 3: '3.5'"),
    "type of a truth": (check("bool"), ["true", "perhaps"], "lossy-cast", "is bool: 1 of 2", "'perhaps'"),
    "type of a date": (check("date"), ["2024-01-01", "2024-13-01"], "lossy-cast", "1 of 2", "'2024-13-01'"),
    "type of a fraction": (check("int"), [1.0, 2.5], "lossy-cast", "1 of 2", "row 2: 2.5"),
}


@pytest.mark.parametrize("case", BREACHES.values(), ids=BREACHES)
def test_a_breach_is_named_with_its_rows(case):
    contract, values, code, headline, note = case
    found = next(item for item in refusal(contract, values) if item.code == code)
    assert "column `x`" in found.headline
    assert headline in found.headline
    assert note in found.notes[0].text


def test_many_rows_are_counted_and_a_few_are_shown():
    (found,) = refusal(check("int", range=(0, 9)), [10] * 1000)
    assert "1000 of 1000" in found.headline
    assert found.notes[0].text == "data rows 1, 2, 3, 4, 5, …; values 10"


def test_all_breaches_are_told_at_once():
    rows = pl.DataFrame({"a": ["1", "x"], "b": [None, "1"], "c": ["u", "v"], "d": ["5", "50"]})
    contract = Check(
        columns=(
            ColumnCheck(name="a", type="int", nullable=False),
            ColumnCheck(name="b", type="int", nullable=False),
            ColumnCheck(name="c", type="text", nullable=False, one_of=("u",)),
            ColumnCheck(name="d", type="int", nullable=False, range=(0, 9)),
        ),
        max_loss=0.0,
    )
    with pytest.raises(DataError) as refused:
        take_in(contract, rows)
    told = render_text(refused.value.diagnostics)
    for name, code in zip("abcd", ["lossy-cast", "contract-null", "contract-values", "contract-range"], strict=True):
        assert f"[{code}]: column `{name}`" in told


KEPT = {
    "whole numbers": ("int", ["1", " 2 ", None], [1, 2, None]),
    "fractions": ("float", ["1", "2.5", None], [1.0, 2.5, None]),
    "truths": ("bool", ["yes", "FALSE", "1", None], [True, False, True, None]),
    "texts": ("text", ["00501", None], ["00501", None]),
    "dates": ("date", ["2024-02-29", None], [date(2024, 2, 29), None]),
    "times": ("datetime", ["2024-02-29T10:11:12", None], [datetime(2024, 2, 29, 10, 11, 12), None]),  # noqa: DTZ001
    "numbers as texts": ("text", [1, None], ["1", None]),
}


@pytest.mark.parametrize("case", KEPT.values(), ids=KEPT)
def test_every_column_gets_its_type(case):
    kind, values, wanted = case
    typed, lost = take_in(check(kind, nullable=True), pl.DataFrame({"x": values}))
    assert typed["x"].to_list() == wanted
    assert lost == {}


@settings(max_examples=30, deadline=None)
@given(values=st.lists(st.sampled_from(["1", "2", "x", "?", None]), min_size=1), most=st.floats(0, 0.99))
def test_a_cast_loses_what_it_may_and_counts_it(values, most):
    lost = sum(value in ("x", "?") for value in values)
    contract, rows = check("int", nullable=True, max_loss=most), pl.DataFrame({"x": values}, schema={"x": pl.String})
    if lost / len(values) > most:
        assert f"{lost} of {len(values)}" in refusal(contract, rows["x"])[0].headline
    else:
        typed, counted = take_in(contract, rows)
        assert counted == ({"x": lost} if lost else {})
        assert typed["x"].null_count() == lost + values.count(None)


def test_columns_outside_the_contract_are_left_out():
    typed, _ = take_in(check("int"), pl.DataFrame({"other": ["a"], "x": ["1"]}))
    assert typed.columns == ["x"]
