"""L-SEL-1: the seasonal naive forecast is a model among the others, and errors as shares of its errors choose between them."""

from __future__ import annotations

import json
from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest

from mlops_compiler.backends.local.run import run_in_process
from mlops_compiler.backends.stages.context import StageTask
from mlops_compiler.driver import plan_recipe
from mlops_compiler.frontend.hydra_app import launch
from mlops_compiler.serving.predictor import Predictor
from mlops_compiler.store.writer import open_writer
from mlops_compiler.tables.steps import NAIVE

FACTS = {"description": None, "owner": None, "started": 0.0, "overrides": [], "actions": []}
RECIPE = """
name: riders
objective: {task: forecasting, target: riders, horizon: 3, season: 7, metric: mase, accept: {mase: {beats: baseline}, smape: {at_most: 0.5}}}
data:
  source: {kind: csv, path: riders.csv}
  time: day
  where: riders_lag_25 IS NOT NULL
  history: {weeks: {op: lag, columns: riders, periods: [11, 18, 25]}}
prepare:
  known: {op: impute, columns: numeric, with: median, because: the first weeks have none}
  small: {op: derive, columns: {riders_lag_4: "riders_lag_4 * 2", share: riders / 10}}
validate: {folds: {k: 3}}
models: {same_weekday: {kind: seasonal_naive}, baseline: {kind: mean}, line: {kind: ridge, alpha: {log_uniform: [0.1, 10]}}}
search: {trials: 6, algorithm: random, scheduler: none}
select: {rule: best}
explain: {importance: none, shap: false, partial_dependence: 0, find_slices: false}
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Weeks of riders, more each week, with some noise."""
    root, random = tmp_path_factory.mktemp("riders"), np.random.default_rng(3)
    days = np.arange(900)
    riders = 50 + days / 30 + 20 * np.sin(2 * np.pi * days / 7) + random.normal(scale=5, size=900)
    rows = pl.DataFrame({"day": [date(2024, 1, 1) + timedelta(int(day)) for day in days], "riders": riders})
    rows.write_csv(root / "riders.csv")
    (root / "recipes").mkdir()
    (root / "recipes" / "riders.yaml").write_text(RECIPE.replace("path: riders", "path: ../riders"))
    return root


@pytest.fixture
def run(made, monkeypatch):
    """Give a function that runs the recipe in this process; gives records, the leaderboard by model, and the store."""
    monkeypatch.chdir(made)

    def run(*overrides):
        (planned,) = launch(["recipe=riders", *overrides], plan_recipe)
        root = str(planned.compiled.composed.root.absolute())
        tasks = [
            StageTask(stage=stage, recipe="riders", root=root, store=planned.location, run_id="r1", facts=FACTS)
            for stage in planned.plan.to_run
            if stage.name != "report"
        ]
        records, store = run_in_process(tasks, {}), open_writer(planned.location)
        board = json.loads(store.objects.get(records["search"].outputs["leaderboard"]))
        return records, board["trials"], store

    return run


def parts(records, store):
    return pl.read_parquet(store.objects.get(records["split"].outputs["split"]))


def test_it_stands_in_the_leaderboard_and_what_beats_it_ships(run):
    records, trials, store = run("store.url=whole")
    split = parts(records, store)
    (naive,) = [row for row in trials if row["model"] == "same_weekday"]
    assert naive["baseline"]
    for fold, (scale, digest) in enumerate(zip(naive["scores"], naive["predictions"], strict=True)):
        learned, judged = (split.filter(pl.col(f"fold_{fold}") == part) for part in (1, 2))
        unit = (learned["label"] - learned[NAIVE]).abs().mean()
        answers = pl.read_parquet(store.objects.get(digest))
        assert answers["value"].to_list() == judged[NAIVE].to_list()
        assert scale == pytest.approx((judged["label"] - judged[NAIVE]).abs().mean() / unit)
    assert trials[0]["model"] == "line"
    assert trials[0]["mean"] < naive["mean"]
    assert {"smape", "mase"} <= trials[0]["metrics"].keys()
    told = records["release"].summary
    assert told["accepted"], told["criteria"]
    assert told["criteria"][0]["beats"][0]["met"]
    assert records["evaluate"].summary["intervals"].keys() >= {"smape", "mase"}


def test_a_release_of_it_asks_for_one_column(run):
    records, _, store = run("store.url=alone", "~models.line", "~models.baseline", "search.trials=1")
    predictor = Predictor.load(store, records["train"].outputs["manifest"])
    assert [field["name"] for field in predictor.manifest["request"]] == ["riders_lag_4"]
    rows = pl.DataFrame({"riders_lag_4": [61.5, None]})
    first, second = predictor.answers(rows)[:, 0]
    assert first == 61.5
    learned = parts(records, store).filter(pl.col("final") == 1)["label"].mean()
    assert second == pytest.approx(learned)
    found = records["evaluate"].summary
    assert found["metrics"] == pytest.approx(found["baseline"])


def test_a_searched_preparation_and_an_ensemble_are_judged_by_it(run):
    searched = ("prepare.small={choice: [null, {op: drop, columns: riders_lag_4, because: it may not help}]}",)
    more = ("+models.tree.kind=decision_tree", "search.trials=8", "select.ensemble=3")
    records, trials, _ = run("store.url=searched", *searched, *more)
    assert all(np.isfinite(row["mean"]) for row in trials)
    assert records["select"].summary["validation"].keys() >= {"smape", "mase"}
    assert next(row for row in trials if row["model"] == "same_weekday")["point"] is not None


def test_nested_folds_are_judged_by_it(run):
    records, _, _ = run("store.url=nested", "validate.nested={k: 2}", "search.trials=3")
    assert records["nested"].summary["outer"] == pytest.approx(records["nested"].summary["metrics"]["mase"]["mean"])
