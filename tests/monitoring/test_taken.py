"""Tables of outcomes are taken in: once, spelled one way, and what is none is refused."""

from __future__ import annotations

import polars as pl
import pytest

from mlops_compiler.diagnostics import DataError
from mlops_compiler.monitoring import observed
from mlops_compiler.monitoring.taken import spelled, take
from mlops_compiler.store.location import StoreLocation
from tests.monitoring.logged import outcome_of, predicted, prediction

MANIFEST = {"recipe": "churn", "target": "churn", "classes": ["No", "Yes"]}


@pytest.fixture
def location(tmp_path):
    return StoreLocation(url=str(tmp_path / "store"))


def test_a_table_is_taken_in_once(location):
    predicted(location, prediction("a", 0, key="7"), prediction("b", 0, key="8"))
    table = pl.DataFrame({"customer_id": [7, 8, 9, 10], "churn": ["Yes", "No", "No", None], "other": [1, 2, 3, 4]})
    first = take(location, MANIFEST, "churn", table, key="customer_id", source="file:labels.csv")
    assert (first.rows, first.new, first.known, first.unmatched, first.empty) == (4, 3, 0, 1, 1)
    assert outcome_of(location) == {"a": "Yes", "b": "No"}
    again = take(location, MANIFEST, "churn", table, key="customer_id", source="file:labels.csv")
    assert (again.new, again.known, again.contradicting) == (0, 3, 0)
    other = take(
        location,
        MANIFEST,
        "churn",
        pl.DataFrame({"id": ["a"], "outcome": ["No"]}),
        key="customer_id",
        source="file:b.csv",
    )
    assert (other.new, other.contradicting) == (1, 1)
    assert outcome_of(location)["a"] == "Yes"


def test_the_same_told_by_another_name_is_known(location):
    predicted(location, prediction("a", 0, key="7"), prediction("b", 1, key="8"))
    take(
        location,
        MANIFEST,
        "churn",
        pl.DataFrame({"customer_id": [7], "churn": ["Yes"]}),
        key="customer_id",
        source="file:x",
    )
    again = take(
        location, MANIFEST, "churn", pl.DataFrame({"id": ["a"], "churn": ["Yes"]}), key="customer_id", source="file:y"
    )
    assert (again.new, again.known, again.contradicting) == (0, 1, 0)
    both = pl.DataFrame({"customer_id": [8, 8], "churn": ["No", "Yes"]})
    found = take(location, MANIFEST, "churn", both, key="customer_id", source="file:z")
    assert (found.new, found.contradicting) == (2, 1)
    assert outcome_of(location) == {"a": "Yes", "b": "No"}


@pytest.mark.parametrize(
    ("classes", "values", "expected"),
    [
        ([False, True], [True, False], ["True", "False"]),
        ([False, True], ["true", "0"], ["True", "False"]),
        ([0, 1], [1.0, 0.0], ["1", "0"]),
        ([0, 1], [True, False], [None, None]),
        (["No", "Yes"], ["Yes", "yes"], ["Yes", None]),
        (["1", "2"], ["1", "3"], ["1", None]),
        (None, [5, 7], ["5.0", "7.0"]),
        (None, ["1e3", "nan"], ["1000.0", None]),
    ],
)
def test_outcomes_are_spelled_one_way(classes, values, expected):
    assert spelled(pl.Series(values).cast(pl.String), classes or []).to_list() == expected


@pytest.mark.parametrize(
    ("manifest", "table", "code"),
    [
        (MANIFEST, {"customer": ["7"], "churn": ["Yes"]}, "missing-column"),
        (MANIFEST, {"id": ["7"], "churned": ["Yes"]}, "missing-column"),
        (MANIFEST, {"id": ["7"], "churn": ["yes"]}, "wrong-outcome"),
        ({**MANIFEST, "classes": None}, {"id": ["7"], "churn": ["inf"]}, "wrong-outcome"),
        ({**MANIFEST, "target": None}, {"id": ["7"], "churn": ["Yes"]}, "no-outcomes"),
    ],
)
def test_refuses_what_is_no_outcome(location, manifest, table, code):
    with pytest.raises(DataError) as refused:
        take(location, manifest, "churn", pl.DataFrame(table), key="customer_id", source="file:x")
    assert [item.code for item in refused.value.diagnostics] == [code]
    assert observed.outcomes(location, "churn").height == 0
