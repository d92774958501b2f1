"""A run on data with an undeclared leak tells of it, at the step or column to blame; and again when it is reused."""

from __future__ import annotations

import json

import pytest

pytestmark = pytest.mark.usefixtures("engine")
ALLOWED = "allow: [{rule: space-not-covered, because: a test waits for no search}]"


@pytest.fixture
def leaky(small):
    """Give every customer who left a fee; nothing says that it is charged afterwards."""
    data = small.root / "recipes" / "data" / "small.csv"
    head, *rows = data.read_text().splitlines()
    place = head.split(",").index("churn")
    paid = [
        f"{row},{50 + index % 7 if row.split(',')[place] == 'Yes' else index % 7}" for index, row in enumerate(rows)
    ]
    data.write_text("\n".join([f"{head},exit_fee", *paid]) + "\n")
    small.edit("prepare:\n", "prepare:\n  share: {op: derive, columns: {fee_share: exit_fee / 100}}\n")
    return small


def test_is_told_where_it_comes_from(leaky):
    said = leaky.main("recipe=small", "search.trials=3")
    assert said.code == 0, said.err
    told = said.err
    assert "warning[leak-suspect]: feature `exit_fee` alone predicts `churn` with a ROC AUC of 1.000" in told
    assert "warning[leak-suspect]: feature `fee_share` alone predicts `churn` with a ROC AUC of 1.000" in told
    assert "note: it comes from `exit_fee`" in told
    assert "  share: {op: derive" in told
    assert "tenure` alone" not in told

    again = leaky.main("recipe=small", "search.trials=3", "--json")
    data = json.loads(again.out)
    assert [item["code"] for item in data["warnings"]] == ["leak-suspect", "leak-suspect"]
    assert data["status"] == "succeeded"
    report = leaky.root / data["report"]
    assert "<b>exit_fee</b> alone predicts the target with a ROC AUC of 1" in report.read_text()

    leaky.edit(ALLOWED, ALLOWED[:-1] + ", {rule: leak-suspect, because: the fee is announced}]")
    assert "leak-suspect" not in leaky.main("recipe=small", "search.trials=3").err
