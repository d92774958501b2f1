"""A file with the source's own columns is scored as its rows were taken in: joined, and seen after those before them."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

from conftest import Workplace
from mlops_compiler.backends.local.run import run_in_process
from mlops_compiler.backends.stages.context import StageTask
from mlops_compiler.driver import plan_recipe
from mlops_compiler.frontend.hydra_app import launch
from mlops_compiler.serving.predictor import Predictor

RECIPES = Path(__file__).parents[2] / "recipes"
FACTS = {"description": None, "owner": None, "started": 0.0, "overrides": [], "actions": []}
QUICK = ("search.trials=2", "validate.folds.k=2", "~models.boosting", "objective.accept={roc_auc: {at_least: 0.3}}")


def release(place: Workplace, name: str, *overrides: str) -> pl.DataFrame:
    """Run a recipe in this process; gives the rows that it took in."""
    (planned,) = launch([f"recipe={name}", *QUICK, *overrides], plan_recipe)
    root = str(planned.compiled.composed.root.absolute())
    tasks = [
        StageTask(stage=stage, recipe=name, root=root, store=planned.location, run_id="r1", facts=FACTS)
        for stage in planned.plan.to_run
        if stage.name != "report"
    ]
    records = run_in_process(tasks, {})
    return pl.read_parquet(planned.store.objects.local_path(records["snapshot"].outputs["snapshot"]))


def offline(place: Workplace, name: str, rows: pl.DataFrame) -> list[float]:
    """Score rows of the snapshot."""
    store = place.store
    predictor = Predictor.load(store, store.release(name, None).manifest)
    fields = [field["name"] for field in predictor.manifest["request"]]
    return predictor.predict(rows.select(fields))["probability"].to_list()


@pytest.fixture(scope="module")
def stocks(tmp_path_factory):
    root = tmp_path_factory.mktemp("stocks")
    (root / "recipes").mkdir()
    (root / "recipes" / "data").symlink_to(RECIPES / "data")
    (root / "recipes" / "stocks.yaml").write_text((RECIPES / "stocks.yaml").read_text())
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        return Workplace(root), release(Workplace(root), "stocks")


@pytest.fixture(scope="module")
def flights(tmp_path_factory):
    root = tmp_path_factory.mktemp("flights")
    (root / "recipes" / "data").mkdir(parents=True)
    (root / "recipes" / "flights.yaml").write_text((RECIPES / "flights.yaml").read_text())
    (root / "recipes" / "data" / "weather.parquet").write_bytes((RECIPES / "data" / "weather.parquet").read_bytes())
    table = pl.read_parquet(RECIPES / "data" / "flights.parquet").gather_every(80)
    table.write_parquet(root / "recipes" / "data" / "flights.parquet")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        return Workplace(root), release(Workplace(root), "flights"), table


@pytest.mark.parametrize("suffix", ["parquet", "csv"])
@pytest.mark.parametrize("part", ["the last weeks", "some rows", "one row"])
def test_rows_are_seen_after_those_before_them(stocks, part, suffix):
    """L-RWT-2: the prediction of a file equals the offline one of the same rows, to the last bit."""
    place, taken = stocks
    table = pl.read_parquet(RECIPES / "data" / "stocks.parquet")
    kept = table.join(taken.select("ticker", "date"), on=["ticker", "date"], how="semi")
    last = pl.col("date") > pl.col("date").max() - pl.duration(days=40)
    cut = {"the last weeks": kept.filter(last), "some rows": kept.sample(200, seed=1), "one row": kept[700:701]}[part]
    file = place.root / f"in.{suffix}"
    cut.write_parquet(file) if suffix == "parquet" else cut.write_csv(file)
    said = place.main("predict", "recipe=stocks", f"input={file}", "output=out.parquet", "--json")
    assert said.code == 0, said.err
    rows = cut.select("ticker", "date").join(taken, on=["ticker", "date"], how="left", maintain_order="left")
    assert pl.read_parquet(place.root / "out.parquet")["probability"].to_list() == offline(place, "stocks", rows)


def test_a_day_after_the_data_is_seen_after_them(stocks):
    place, _ = stocks
    table = pl.read_parquet(RECIPES / "data" / "stocks.parquet")
    day = table.filter(pl.col("date") == pl.col("date").max()).with_columns(pl.col("date") + pl.duration(days=1))
    day.write_parquet(place.root / "day.parquet")
    said = place.main("predict", "recipe=stocks", "input=day.parquet", "output=day_out.parquet")
    assert said.code == 0, said.err
    scored = pl.read_parquet(place.root / "day_out.parquet")["probability"]
    assert scored.null_count() == 0
    assert scored.n_unique() == day.height


@pytest.mark.parametrize("suffix", ["parquet", "csv"])
def test_rows_are_joined_by_time_with_what_was_known(flights, suffix):
    place, taken, table = flights
    flown = table.filter(pl.col("arr_delay").is_not_null())
    assert flown.height == taken.height
    cut = flown[-500:].with_columns(pl.col("time_hour").dt.replace_time_zone(None))  # as the contract has it
    file = place.root / f"in.{suffix}"
    cut.write_parquet(file) if suffix == "parquet" else cut.write_csv(file)
    said = place.main("predict", "recipe=flights", f"input={file}", "output=out.parquet", "--json")
    assert said.code == 0, said.err
    (joined,) = json.loads(said.out)["joins"]
    assert (joined["join"], joined["matched"] + joined["unmatched"]) == ("weather", 500)
    assert pl.read_parquet(place.root / "out.parquet")["probability"].to_list() == offline(
        place, "flights", taken[-500:]
    )


def test_a_file_that_has_the_columns_is_taken_as_it_is(flights):
    place, taken, _ = flights
    taken.tail(5).write_parquet(place.root / "joined.parquet")
    said = place.main("predict", "recipe=flights", "input=joined.parquet", "output=out.parquet", "--json")
    assert "joins" not in json.loads(said.out)
    assert pl.read_parquet(place.root / "out.parquet")["probability"].to_list() == offline(
        place, "flights", taken.tail(5)
    )


def test_a_file_without_what_a_join_reads_is_refused(flights):
    place, _, table = flights
    table.tail(5).drop("origin").write_parquet(place.root / "odd.parquet")
    said = place.main("predict", "recipe=flights", "input=odd.parquet", "output=out.parquet")
    assert said.code == 1
    assert "error[missing-column]: odd.parquet lacks `origin`, by which join `weather` would add" in said.err


def test_a_table_that_is_not_here_is_told(flights):
    place, _, table = flights
    table.tail(5).write_parquet(place.root / "last.parquet")
    weather = place.root / "recipes" / "data" / "weather.parquet"
    kept = weather.read_bytes()
    weather.unlink()
    said = place.main("predict", "recipe=flights", "input=last.parquet", "output=out.parquet")
    weather.write_bytes(kept)
    assert (said.code, "error[source-missing]" in said.err) == (1, True)
