"""The shipped recipes run to a release on some of their real rows; `docs/recipes.md` has what they reach on all of them."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

from conftest import Workplace
from mlops_compiler.backends.stages.rows import JUDGES, LEARNS

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


def table(place, recipe, stage, name):
    """Read a table that a stage of the last run gave."""
    return pl.read_parquet(place.store.objects.get(place.store.last_stage(recipe, stage).outputs[name]))


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


def test_storms(place):
    """L-SEL-1: one of nine classes, by whole storms; the classes of the answer are those of the data."""
    some(place, "storms", "storms.parquet", lambda rows: rows.filter(pl.col("year") >= 2000))
    said = place.main("recipe=storms", "search.trials=2", "~models.boosting", "~models.forest", "objective.accept={}")
    assert said.code == 0, said.err
    parts = table(place, "storms", "split", "split")["final"]
    storms = table(place, "storms", "snapshot", "snapshot")["name"]
    per_storm = pl.DataFrame({"storm": storms, "part": parts}).group_by("storm").agg(pl.col("part").n_unique())
    assert per_storm["part"].max() == 1
    metrics = place.store.last_stage("storms", "evaluate").summary["metrics"]
    assert 0.9 < metrics["roc_auc_ovr"] <= 1
    scores = place.root / "scores.csv"
    said = place.main("predict", "recipe=storms", "input=recipes/data/storms.parquet", f"output={scores}", "--json")
    rows = pl.read_csv(scores)
    named = [name.removeprefix("probability_") for name in rows.columns[1:]]
    assert sorted(json.loads(said.out)["decisions"]) == sorted(rows["decision"].unique())
    assert rows.columns[0] == "decision"
    probabilities = rows[:, 1:].to_numpy()
    assert probabilities.sum(axis=1) == pytest.approx(1)
    assert rows["decision"].to_list() == [named[place] for place in probabilities.argmax(axis=1)]
    refused = place.main("check", "recipe=storms", "prepare.scale.columns=[category]")
    assert "error[leak]: step `scale` uses column `category`" in refused.err


def test_segments(place):
    """L-SEL-1: clusters, judged on rows held out and by a model of half of the rows; told by columns that none saw."""
    data = place.root / "recipes" / "data"
    pl.read_csv(ROOT / "recipes" / "data" / "telco_churn.csv").gather_every(4).write_csv(data / "telco_churn.csv")
    (place.root / "recipes" / "segments.yaml").write_text((ROOT / "recipes" / "segments.yaml").read_text())
    said = place.main("recipe=segments", "search.trials=3", "~models.dense", "objective.accept.silhouette.at_least=0.3")
    assert said.code == 0, said.err
    found = place.store.last_stage("segments", "evaluate")
    assert found.summary["metrics"]["silhouette"] > found.summary["baseline"]["silhouette"] + 0.3
    told = json.loads(place.store.objects.get(found.outputs["evaluation"]))["clusters"]
    assert sum(item["rows"] for item in told) == 1761
    assert sum(item["holdout"] for item in told) == found.summary["rows"]
    assert {"churn", "internet_service"} <= {trait["column"] for item in told for trait in item["traits"]}
    scores = place.root / "segments.csv"
    said = place.main("predict", "recipe=segments", f"input={data / 'telco_churn.csv'}", f"output={scores}", "--json")
    counted = {str(item["cluster"]): item["rows"] for item in told}
    assert json.loads(said.out)["clusters"] == counted
    page = Path(place.store.last_stage("segments", "report").summary["path"]).read_text()
    assert "Cluster by cluster" in page
    assert "<b>None</b>" not in page


def test_odd_stones(place):
    """L-SEL-1: anomalies, found without the target that judges them."""
    some(place, "odd_stones", "diamonds.parquet", lambda rows: rows.gather_every(3))
    said = place.main("recipe=odd_stones", "search.trials=2", "~models.neighbours", "objective.accept.average_precision.at_least=0.1")
    assert said.code == 0, said.err
    found = place.store.last_stage("odd_stones", "evaluate").summary
    assert found["metrics"]["average_precision"] > 20 * found["baseline"]["average_precision"]
    assert found["metrics"]["flagged"] < 0.01
    assert place.store.last_stage("odd_stones", "prepare").summary["features"] == 3
    scores = place.root / "scores.parquet"
    said = place.main("predict", "recipe=odd_stones", "input=recipes/data/diamonds.parquet", f"output={scores}", "--json")
    rows = pl.read_parquet(scores)
    assert json.loads(said.out)["decisions"]["true"] == rows["anomaly"].sum()
    page = Path(place.store.last_stage("odd_stones", "report").summary["path"]).read_text()
    assert "What is flagged" in page


def test_ridership(place):
    """L-SEL-3: a forecast is judged by later days, a horizon after what was learned, and beats the same weekday."""
    some(place, "ridership", "ridership.parquet", lambda rows: rows.tail(2200))
    said = place.main("recipe=ridership", "search.trials=3", "~models.boosting", "~models.forest")
    assert said.code == 0, said.err
    kept = table(place, "ridership", "snapshot", "snapshot")
    assert kept["ridership_in_14"][:-14].equals(kept["ridership"][14:], check_names=False)
    assert kept.height == 2200 - 357 - 14
    found = place.store.last_stage("ridership", "evaluate").summary
    assert found["metrics"]["mae"] < found["baseline"]["mae"]
    assert found["metrics"]["mase"] == pytest.approx(
        found["baseline"]["mase"] * found["metrics"]["mae"] / found["baseline"]["mae"]
    )
    parts = table(place, "ridership", "split", "split")["final"]
    learned, judged = kept["date"].filter(parts == LEARNS).max(), kept["date"].filter(parts == JUDGES).min()
    assert (judged - learned).days > 14
    scores = place.root / "scores.parquet"
    place.main("predict", "recipe=ridership", "input=recipes/data/ridership.parquet", f"output={scores}")
    assert pl.read_parquet(scores).height == 2200
    refused = place.main("check", "recipe=ridership", "validate.folds.kind=random")
    assert "a forecast is judged in order of time" in refused.err
    refused = place.main("check", "recipe=ridership", "prepare.ahead.columns.later=ridership_lead_14")
    assert "`ridership_lead_14`, which is known only after the outcome" in refused.err


def test_diamonds(place):
    """L-SEL-1: a regression, whose stratified parts have like prices."""
    some(place, "diamonds", "diamonds.parquet", lambda rows: rows.gather_every(10))
    said = place.main("recipe=diamonds", "search.trials=3", "objective.accept.rmse.at_most=900")
    assert said.code == 0, said.err
    rows = pl.DataFrame(
        {
            "part": table(place, "diamonds", "split", "split")["final"],
            "price": table(place, "diamonds", "snapshot", "snapshot")["price"],
        }
    )
    means = rows.group_by("part").agg(pl.col("price").mean())["price"]
    assert means.max() / means.min() < 1.05
    found = place.store.last_stage("diamonds", "evaluate").summary
    assert found["metrics"]["rmse"] < found["baseline"]["rmse"] / 4
    scores = place.root / "scores.parquet"
    said = place.main("predict", "recipe=diamonds", "input=recipes/data/diamonds.parquet", f"output={scores}", "--json")
    values = pl.read_parquet(scores)["prediction"]
    assert json.loads(said.out)["prediction"] == pytest.approx(
        {"least": values.min(), "mean": values.mean(), "most": values.max()}
    )
    page = Path(place.store.last_stage("diamonds", "report").summary["path"])
    assert "Predicted and observed" in page.read_text()
