"""An expression of a recipe is computed from one row alone, and is refused where it is not."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops_compiler.tables.expressions import NotRowWiseError, infer_expression, parse_expression

DTYPES = {
    "a": pl.Int64(),
    "b": pl.Float64(),
    "t": pl.String(),
    "f": pl.Boolean(),
    "d": pl.Date(),
    "w": pl.Datetime("us"),
    "two words": pl.Int64(),
}


@pytest.mark.parametrize(
    ("text", "dtype", "roots"),
    [
        ("a / greatest(b, 1)", pl.Float64(), ("a", "b")),
        ("a + 1", pl.Int64(), ("a",)),
        ("a > 1 AND f", pl.Boolean(), ("a", "f")),
        ("CASE WHEN t = 'x' THEN 1.5 ELSE b END", pl.Float64(), ("b", "t")),
        ("COALESCE(b, 0)", pl.Float64(), ("b",)),
        ("UPPER(t) || 'x'", pl.String(), ("t",)),
        ("CAST(t AS DOUBLE) * 2", pl.Float64(), ("t",)),
        ("t IN ('a', 'b')", pl.Boolean(), ("t",)),
        ('"two words" * 2', pl.Int64(), ("two words",)),
        ("EXTRACT(YEAR FROM d)", pl.Int32(), ("d",)),
        ("w IS NULL", pl.Boolean(), ("w",)),
        ("1", pl.Int32(), ()),
    ],
)
def test_an_expression_of_one_row_has_a_type(text, dtype, roots):
    assert parse_expression(text)[1] == roots
    assert infer_expression(text, DTYPES) == dtype


@pytest.mark.parametrize(
    "text",
    [
        "SUM(a)",
        "a - AVG(b)",
        "b / MAX(b)",
        "COUNT(*)",
        "a + COUNT(*)",
        "COUNT(DISTINCT t)",
        "FIRST(a)",
        "RANK() OVER (ORDER BY b)",
        "ROW_NUMBER() OVER (ORDER BY a)",
        "SUM(a) OVER (PARTITION BY t)",
        "CAST(t AS BIGINT) + SUM(a)",
        "AVG(a) OVER (PARTITION BY b)",
        "AVG(b) OVER (PARTITION BY f)",
        "STRPTIME(t, '%Y-%m-%d') > MIN(w)",
    ],
)
def test_an_expression_of_several_rows_is_refused(text):
    with pytest.raises(NotRowWiseError):
        infer_expression(text, DTYPES)


@pytest.mark.parametrize("text", ["a +", "*", "a, b", "a; b", "COLUMNS('a')", "no_such(a)", "a IN (SELECT 1)", ""])
def test_what_is_no_expression_is_refused(text):
    with pytest.raises(pl.exceptions.PolarsError):
        infer_expression(text, DTYPES)


@pytest.mark.parametrize("text", ["t * 2", "UPPER(a)", "d + t"])
def test_types_that_do_not_fit_are_refused(text):
    with pytest.raises(pl.exceptions.PolarsError):
        infer_expression(text, DTYPES)


@pytest.mark.parametrize("text", ["NOW()", "CURRENT_DATE", "x > current_timestamp"])
def test_the_clock_is_not_read(text):
    with pytest.raises(pl.exceptions.SQLInterfaceError, match="another value each time"):
        parse_expression(text)


def test_a_quoted_word_is_no_clock():
    assert parse_expression("x = 'now'")[1] == ("x",)


@given(st.integers(1, 10_000), st.integers(1, 10_000))
def test_a_division_that_rounds_is_row_wise(over, under):
    assert infer_expression(f"x * {over} / {under}", {"x": pl.Float64()}) == pl.Float64()
