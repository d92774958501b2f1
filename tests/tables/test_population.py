"""The rows that a recipe is about, and a target that it computes."""

from __future__ import annotations

import polars as pl
import pytest

from mlops_compiler.diagnostics import DataError
from mlops_compiler.ir.ops.intake import Population
from mlops_compiler.tables.population import select

ROWS = pl.DataFrame({"delay": [20.0, None, 3.0, 16.0], "kind": ["a", "b", "a", "c"]})


def test_keeps_rows_and_makes_the_target():
    found = select(Population(where="delay IS NOT NULL", target=("late", "delay > 15")), ROWS)
    assert found["late"].to_list() == [True, False, True]
    assert found.columns == ["delay", "kind", "late"]


def test_a_null_condition_is_not_true():
    assert select(Population(where="delay > 1", target=None), ROWS).height == 3


@pytest.mark.parametrize(
    ("where", "target", "code", "told"),
    [
        ("delay > 100", None, "source-empty", "keeps no row"),
        (None, ("late", "delay > 15"), "contract-null", "the target `late` is missing in 1 of 4 rows"),
    ],
)
def test_what_cannot_be_is_refused(where, target, code, told):
    with pytest.raises(DataError) as refused:
        select(Population(where=where, target=target), ROWS)
    assert refused.value.diagnostics[0].code == code
    assert told in refused.value.diagnostics[0].headline


def test_a_whole_number_gets_the_type_of_recipes():
    assert select(Population(where=None, target=("n", "CAST(delay IS NULL AS TINYINT)")), ROWS)["n"].dtype == pl.Int64()
