"""A recipe with a join goes from its tables to a release; what is wrong with the rows of a table stops it (L-ACQ-1)."""

from __future__ import annotations

import json

import polars as pl
import pytest

pytestmark = pytest.mark.usefixtures("engine")
JOIN = """\
data:
  join:
    bills: {source: {kind: csv, path: data/bills.csv}, by: {customer_id: customer}, columns: [last_bill]}
"""


@pytest.fixture
def joined(small):
    """Move the last bill of each customer to a table of its own, but for three who have none."""
    rows = pl.read_csv(small.root / "recipes" / "data" / "small.csv", infer_schema=False)
    bills = rows.select(pl.col("customer_id").alias("customer"), pl.col("monthly_charges").alias("last_bill"))
    bills[3:].write_csv(small.root / "recipes" / "data" / "bills.csv")
    rows.drop("monthly_charges").write_csv(small.root / "recipes" / "data" / "small.csv")
    small.edit("data:\n", JOIN)
    small.edit("prepare:\n", "prepare:\n  no_last: {op: impute, columns: last_bill, with: median}\n")
    return small


def test_a_run_joins_scores_and_notices_what_changed(joined):
    said = joined.main("recipe=small", "search.trials=3")
    assert said.code == 0, said.err
    assert "600 rows x 21 columns, bills matched 99.5 %" in said.err
    snapshot = joined.store.last_stage("small", "snapshot")
    assert snapshot.summary["joins"] == [{"join": "bills", "matched": 597, "unmatched": 3}]
    table = pl.read_parquet(joined.store.objects.get(snapshot.outputs["snapshot"]))
    assert table["last_bill"].null_count() == 3
    assert "score a file" in said.out
    scored = joined.main("predict", "recipe=small", "input=recipes/data/small.csv", "output=scores.csv")
    assert "600 rows scored to scores.csv; join bills matched 597 of 600" in scored.out

    assert "0 to run, 10 reused" in joined.main("plan", "recipe=small", "search.trials=3").out
    bills = joined.root / "recipes" / "data" / "bills.csv"
    bills.write_text("\n".join(bills.read_text().splitlines()[:-2]) + "\n")
    plan = json.loads(joined.main("plan", "recipe=small", "search.trials=3", "--json").out)
    assert plan["stages"][0]["action"] == "rebuild"
    assert plan["stages"][0]["reason"].startswith("the table of join `bills` changed")
    why = joined.main("why", "snapshot", "recipe=small", "search.trials=3").out
    assert "the table of join `bills` changed\n    --> recipes/small.yaml:" in why
    changed = joined.main("plan", "recipe=small", "search.trials=3", "data.join.bills.how=inner", "--json")
    assert "data.join.bills" in json.loads(changed.out)["stages"][0]["reason"]


def test_a_row_that_would_meet_several_is_refused(joined):
    bills = joined.root / "recipes" / "data" / "bills.csv"
    lines = bills.read_text().splitlines()
    bills.write_text("\n".join([*lines, lines[5], lines[9]]) + "\n")
    said = joined.main("recipe=small", "search.trials=3")
    assert said.code == 1
    assert "error[join-repeats-keys]: join `bills`: 2 keys stand more than once in the other table" in said.err
    assert lines[5].split(",")[0] in said.err
    assert "    bills: {source" in said.err
    assert joined.run().status == "failed"


def test_an_unmatched_row_breaks_a_contract_that_allows_no_nulls(joined):
    joined.edit("  columns:\n", "  columns:\n    last_bill: {type: float}\n")
    said = joined.main("recipe=small", "search.trials=3")
    assert said.code == 1
    assert "error[contract-null]: column `last_bill` may not be missing: 3 of 600 rows break that" in said.err
