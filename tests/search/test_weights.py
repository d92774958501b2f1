"""A column of weights reaches every fit and every score of a run, and nobody who asks for a prediction."""

from __future__ import annotations

import io
import json

import numpy as np
import polars as pl
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss, roc_auc_score

from mlops_compiler.backends.local.run import run_in_process
from mlops_compiler.backends.stages.context import StageTask
from mlops_compiler.driver import plan_recipe
from mlops_compiler.frontend.hydra_app import launch
from mlops_compiler.models.composed import load_described
from mlops_compiler.models.kind import FitOptions
from mlops_compiler.models.registry import MODELS
from mlops_compiler.serving.predictor import Predictor
from mlops_compiler.store.reader import open_reader
from mlops_compiler.tables.matrix import design_matrix
from mlops_compiler.tables.preparation import FittedPreparation
from mlops_compiler.testing.rows import ROWS, target_of

FACTS = {"description": None, "owner": None, "started": 0.0, "overrides": [], "actions": []}
LEAN = ("~models.boosting", "models.logistic.C=1.0", "search.algorithm=random", "search.trials=2", "select.rule=best")
WEIGHTED = ("data.weight=count", "data.columns.count={type: float, known: after_outcome}")


@pytest.fixture
def counted(small, monkeypatch):
    """Give the small workplace, whose rows say how much they count."""
    rows = pl.read_csv(small.rows, infer_schema=False)
    count = 1 + 3 * np.random.default_rng(3).random(rows.height)
    rows.with_columns(count=count).write_csv(small.rows)
    monkeypatch.chdir(small.root)
    return small


def planned(*overrides):
    (found,) = launch(["recipe=small", *LEAN, *overrides], plan_recipe)
    return found


def run(*overrides):
    found = planned(*overrides)
    root = str(found.compiled.composed.root.absolute())
    stages = [stage for stage in found.plan.to_run if stage.name != "report"]
    tasks = [
        StageTask(stage=stage, recipe="small", root=root, store=found.location, run_id="r1", facts=FACTS)
        for stage in stages
    ]
    store = open_reader(found.location)
    records = run_in_process(tasks, {})

    def table(stage, name):
        return pl.read_parquet(io.BytesIO(store.objects.get(records[stage].outputs[name])))

    return store, records, table


@pytest.mark.parametrize("step", [(), ("+prepare.even={op: balance}",)], ids=["alone", "beside the step balance"])
def test_a_run_learns_and_scores_by_them(counted, step):
    store, records, table = run(*WEIGHTED, *step)
    snapshot, split, held = table("snapshot", "snapshot"), table("split", "split"), table("evaluate", "predictions")
    manifest = json.loads(store.objects.get(records["train"].outputs["manifest"]))
    taught = snapshot.filter(split["final"] == 1)
    X = design_matrix(FittedPreparation.from_json(manifest["preparation"]).transform(taught), manifest["features"])
    y, weights = (taught["churn"] == "Yes").to_numpy().astype(int), taught["count"].to_numpy()
    if step:
        weights = weights * (len(y) / (2 * np.bincount(y)))[y]
    theirs = LogisticRegression(C=1.0, tol=1e-8, max_iter=5000).fit(X, y, sample_weight=weights)
    ours = load_described(manifest["model"], store.objects.get).predict(X)
    assert ours == pytest.approx(theirs.predict_proba(X), abs=2e-3)
    bare = LogisticRegression(C=1.0, tol=1e-8, max_iter=5000).fit(X, y)
    assert np.abs(ours - bare.predict_proba(X)).max() > 0.01

    count = snapshot["count"].gather(held["row"]).to_numpy()
    assert (held["weight"].to_numpy() == count).all()
    scored = records["evaluate"].summary["metrics"]
    assert scored["roc_auc"] == pytest.approx(roc_auc_score(held["label"], held["probability"], sample_weight=count))
    assert scored["log_loss"] == pytest.approx(log_loss(held["label"], held["probability"], sample_weight=count))
    base = records["evaluate"].summary["baseline"]
    share = np.average((taught["churn"] == "Yes").to_numpy(), weights=taught["count"].to_numpy())
    assert base["brier"] == pytest.approx(np.average((held["label"] - share) ** 2, weights=count))

    board = json.loads(store.objects.get(records["search"].outputs["leaderboard"]))
    row = next(item for item in board["trials"] if item["model"] == "logistic")
    for digest, score in zip(row["predictions"], row["scores"], strict=True):
        fold = pl.read_parquet(io.BytesIO(store.objects.get(digest)))
        found = roc_auc_score(fold["label"], fold["probability"], sample_weight=fold["weight"])
        assert score == pytest.approx(found)

    evaluation = json.loads(store.objects.get(records["evaluate"].outputs["evaluation"]))
    assert evaluation["weight"] == {"column": "count", "total": pytest.approx(count.sum())}
    assert "count" not in [field["name"] for field in manifest["request"]]
    predictor = Predictor.load(store, records["train"].outputs["manifest"])
    names = [field["name"] for field in manifest["request"] if field["name"] != manifest["key"]]
    assert predictor.predict(snapshot.select(names).head(3)).height == 3


def test_they_change_what_is_split_and_all_after_it(counted):
    def seals(*overrides):
        return {stage.name: stage.fingerprint for stage in planned(*overrides).plan.to_run}

    plain, weighted = seals(WEIGHTED[1]), seals(*WEIGHTED)
    assert all(plain[name] != weighted[name] for name in ("split", "prepare", "search", "train", "evaluate"))


def test_a_bad_weight_is_told_at_the_column(counted):
    rows = pl.read_csv(counted.rows, infer_schema=False)
    spoiled = pl.when(pl.int_range(pl.len()) == 4).then(pl.lit("0")).otherwise("count")
    rows.with_columns(count=spoiled).write_csv(counted.rows)
    with pytest.raises(Exception, match=r"column `count` weighs the rows.*1 of"):
        run(*WEIGHTED)


@pytest.mark.parametrize(
    ("overrides", "told"),
    [
        (("data.weight=count", "data.columns.count={type: text}"), "column `count` is the weight, and is text"),
        (("data.weight=cuont",), "cuont"),
        (("data.weight=churn",), "name the same column"),
        (("data.weight=customer_id",), "must name different columns"),
    ],
    ids=["a text", "no column", "the target", "the key"],
)
def test_what_can_weigh_no_row_is_refused(counted, overrides, told):
    said = counted.main("check", "recipe=small", *overrides)
    assert said.code == 1
    assert told in said.err + said.out


def test_a_kind_that_cannot_weigh_is_named(counted, monkeypatch):
    monkeypatch.setattr(type(MODELS["logistic_regression"]), "takes_weights", False)
    said = counted.main("check", "recipe=small", *WEIGHTED)
    assert said.code == 1
    assert "model `logistic` is a `logistic_regression`, which cannot weigh rows" in said.err + said.out


@pytest.mark.parametrize("kind", ["ridge", "mean", "decision_tree"])
def test_weight_two_is_the_row_twice(kind):
    """Of kinds that draw nothing, and whose leaves and bins no number of rows bounds."""
    y, twice = target_of("regression"), np.arange(len(ROWS)) % 3 == 0
    again = np.concatenate([np.arange(len(ROWS)), np.flatnonzero(twice)])
    parameters = dict(MODELS[kind].defaults)
    parameters |= {name: 1 for name in ("min_samples_leaf",) if name in parameters}
    parameters |= {name: 3 for name in ("max_depth",) if name in parameters}
    weighted = MODELS[kind].fit(
        ROWS, y, parameters=parameters, options=FitOptions(seed=1, task="regression", weights=1.0 + twice)
    )
    repeated = MODELS[kind].fit(
        np.ascontiguousarray(ROWS[again]),
        y[again],
        parameters=parameters,
        options=FitOptions(seed=1, task="regression"),
    )
    assert weighted.predict(ROWS) == pytest.approx(repeated.predict(ROWS), rel=1e-6, abs=1e-6)
