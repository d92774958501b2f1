"""The shipped recipes run to a release on some of their real rows; `docs/recipes.md` has what they reach on all of them."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

from tests.conftest import Workplace

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.usefixtures("engine")


@pytest.fixture
def place(tmp_path):
    (tmp_path / "recipes" / "data").mkdir(parents=True)
    return Workplace(tmp_path)


def some(place, recipe, table, take, *others):
    """Copy a recipe with some rows of its table, and its other tables whole."""
    data = place.root / "recipes" / "data"
    text = (ROOT / "recipes" / f"{recipe}.yaml").read_text()
    (place.root / "recipes" / f"{recipe}.yaml").write_text(text)
    take(pl.read_parquet(ROOT / "recipes" / "data" / table)).write_parquet(data / table)
    for other in others:
        (data / other).symlink_to(ROOT / "recipes" / "data" / other)


def test_loan(place):
    """L-PREP-2: the ratio of fixed obligations to income; L-PREP-4: missing incomes are filled, and said to be missing."""
    some(place, "loan", "credit.parquet", lambda rows: rows)
    said = place.main("recipe=loan", "search.trials=6", "~models.forest", "~models.boosting")
    assert said.code == 0, said.err
    features = pl.read_json(place.main("graph", "recipe=loan", "--columns", "--json").out.encode())["columns"][0].to_list()
    sources = {item["column"]: item["sources"] for item in features}
    assert sorted(sources["obligations_to_income"]) == ["expenses", "income"]
    assert place.store.last_stage("loan", "prepare").summary["suspects"] == []


def test_flights(place):
    """L-ACQ-1: rows are joined with the weather that was known; L-PREP-3: what comes after departure is refused."""
    some(place, "flights", "flights.parquet", lambda rows: rows.gather_every(80), "weather.parquet")
    said = place.main("recipe=flights", "search.trials=2", "~models.boosting", "objective.accept.roc_auc.at_least=0.6")
    assert said.code == 0, said.err
    summary = place.store.last_stage("flights", "snapshot").summary
    assert summary["left_out"] == 4210 - summary["rows"]
    assert summary["joins"][0]["matched"] / 4210 > 0.98
    kept = pl.read_parquet(place.store.objects.get(summary["snapshot"]))
    assert kept["late"].equals(kept["arr_delay"] > 15)
    refused = place.main("check", "recipe=flights", "prepare.scale.columns=[distance,dep_delay]")
    assert refused.code == 1
    assert "error[leak]: step `scale` uses column `dep_delay`" in refused.err


def test_stocks(place):
    """L-PREP-4: lags and rolling windows by share; what looks ahead is the target's alone."""
    some(place, "stocks", "stocks.parquet", lambda rows: rows.filter(pl.col("ticker").is_in(["IBM", "MSFT"])))
    said = place.main("recipe=stocks", "search.trials=3", "objective.accept.roc_auc.at_least=0.55")
    assert said.code == 0, said.err
    summary = place.store.last_stage("stocks", "snapshot").summary
    kept = pl.read_parquet(place.store.objects.get(summary["snapshot"])).sort("ticker", "date")
    ibm = kept.filter(pl.col("ticker") == "IBM")
    assert ibm["close_lead_1"][:-1].equals(ibm["close"][1:], check_names=False)
    assert summary["left_out"] == 2 * 61
    refused = place.main("check", "recipe=stocks", "prepare.shares.columns.move=close_lead_1 - close")
    assert refused.code == 1
    assert "`close_lead_1`, which is known only after the outcome" in refused.err
    pinned = place.main("plan", "recipe=stocks", "data.version=1", "prepare.shares.columns.move=close_lead_1 - close")
    assert "`close_lead_1`, which is known only after the outcome" in pinned.err
    found = json.loads(place.main("explore", "recipe=stocks", "--json").out)
    assert {item["column"] for item in found["scores"]}.isdisjoint({"close_lead_1", "jumps", "date"})
    assert "close_diff_1_std_of_20" in {item["column"] for item in found["scores"]}
