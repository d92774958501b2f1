"""L-SEL-2, L-SEL-4, L-HPO-2: what a trial must keep to be chosen, and what a release must beat to ship."""

from __future__ import annotations

import io
import json

import polars as pl
import pytest

from mlops_compiler.backends.local.run import run_in_process
from mlops_compiler.backends.search.trial import some_of
from mlops_compiler.backends.stages.context import StageTask
from mlops_compiler.backends.stages.eligible import excluded, refuse_none_left
from mlops_compiler.backends.stages.select import choose
from mlops_compiler.diagnostics import DataError, RecipeError
from mlops_compiler.driver import plan_recipe
from mlops_compiler.frontend.hydra_app import launch
from mlops_compiler.ir.ops.search import Bound, Select
from mlops_compiler.serving.predictor import Predictor
from mlops_compiler.serving.service import Service

FACTS = {"description": None, "owner": None, "started": 0.0, "overrides": [], "actions": []}


def trial(number, kind, mean, gap=0.0, **metrics):
    return {
        "trial": number,
        "model": kind,
        "kind": kind,
        "mean": mean,
        "std": 0.01,
        "status": "complete",
        "training": mean + gap,
        "gap": gap,
        "metrics": metrics,
    }


ROWS = [
    trial(3, "hist_gradient_boosting", 0.86, gap=0.09, log_loss=0.41),
    trial(1, "random_forest", 0.85, gap=0.14, log_loss=0.44),
    trial(2, "logistic_regression", 0.84, gap=0.01, log_loss=0.46),
    trial(0, "prior", 0.5, log_loss=0.6),
]
BOARD = {"metric": "roc_auc", "folds": 4, "trials": ROWS}


def select(**changes):
    return Select(**({"task": "binary_classification", "rule": "best", "value": None} | changes))


AT_MOST = Bound(metric="log_loss", at_least=None, at_most=0.45)


@pytest.mark.parametrize(
    ("op", "why"),
    [
        pytest.param(select(), {}, id="nothing asked"),
        pytest.param(
            select(constraints=(AT_MOST,)),
            {2: "log_loss 0.4600, at most 0.45 asked", 0: "log_loss 0.6000, at most 0.45 asked"},
            id="a constraint",
        ),
        pytest.param(
            select(max_overfit=0.1),
            {1: "overfits by 0.1400, more than 0.1 (0.9900 on what it learned from, 0.8500 on what it did not)"},
            id="overfitting",
        ),
        pytest.param(
            select(explanation=("coefficients",)),
            dict.fromkeys((3, 1, 0), "cannot be explained by `coefficients`"),
            id="an explanation",
        ),
    ],
)
def test_trials_that_may_not_be_chosen_say_why(op, why):
    assert excluded(op, ROWS) == why
    chosen, reason = choose(BOARD, "best", frozenset(why))
    assert chosen["trial"] == next(row["trial"] for row in ROWS if row["trial"] not in why)
    assert ("may not be chosen" in reason) is bool(why)


def test_where_none_is_left_every_reason_is_told():
    op = select(constraints=(AT_MOST,), max_overfit=0.05)
    why = excluded(op, ROWS)
    with pytest.raises(DataError) as caught:
        refuse_none_left(ROWS, why, None)
    (found,) = caught.value.diagnostics
    assert (found.code, len(found.notes)) == ("nothing-to-select", 4)
    assert "hist_gradient_boosting (trial 3): overfits by 0.0900" in found.notes[0].text


def test_an_explanation_that_no_model_has_is_refused_at_once(small, monkeypatch):
    monkeypatch.chdir(small.root)
    asked = ["~models.logistic", "~models.boosting", "select.require.explanation=[coefficients]"]
    with pytest.raises(RecipeError) as caught:
        launch(["recipe=small", *asked, "models.forest={kind: random_forest}"], plan_recipe)
    assert "no-explainable-model" in {item.code for item in caught.value.diagnostics}


def test_rows_that_were_learned_from_are_taken_evenly_by_what_came():
    y = [0] * 90 + [1] * 10
    chosen = some_of(y, 20)
    assert (len(chosen), sum(y[place] for place in chosen)) == (20, 2)
    assert len(some_of(y, 500)) == 100


@pytest.fixture
def made(small, monkeypatch):
    """Give a function that runs the small recipe in this process; gives the plan before it, and the records."""
    monkeypatch.chdir(small.root)
    fast = ["~models.boosting", "~models.logistic", "search.trials=4", "objective.accept.roc_auc.at_least=0.5"]

    def run(*overrides):
        (planned,) = launch(["recipe=small", *fast, *overrides], plan_recipe)
        root = str(planned.compiled.composed.root.absolute())
        tasks = [
            StageTask(stage=stage, recipe="small", root=root, store=planned.location, run_id="r", facts=FACTS)
            for stage in planned.plan.to_run
            if stage.name != "report"
        ]
        done = {item.stage.name: item.record for item in planned.plan.actions if hasattr(item, "record")}
        return [task.stage.name for task in tasks], run_in_process(tasks, done)

    return run


def test_a_release_must_beat_the_one_in_place_on_the_same_rows(made):
    weak = "models.line={kind: logistic_regression, C: 0.0001}"
    strong = "models.line={kind: logistic_regression, C: 1}"
    beats = "objective.accept.roc_auc.beats=[baseline, release]"
    _, first = made(weak, beats)
    beaten = first["release"].summary["criteria"][0]["beats"]
    assert [item["met"] for item in beaten] == [True, True]
    assert beaten[1]["note"] == "no other release is in place"
    assert made(weak, beats)[0] == [], "a release is not compared with itself"

    _, second = made(strong, "objective.accept.brier.beats=release")
    rival, (roc_auc, brier) = second["release"].summary["rival"], second["release"].summary["criteria"]
    assert (rival["release"], second["release"].summary["release"]) == (1, 2)
    assert rival["gains"]["brier"]["low"] > 0
    assert brier["beats"][0]["other"] == "release 1"
    assert (roc_auc["beats"], brier["met"]) == ([], True)
    metrics = first["evaluate"].summary["metrics"]
    assert rival["metrics"] == pytest.approx(metrics, rel=1e-12), "the same rows give the same scores"

    ran, third = made(weak, "objective.accept.brier.beats=release")
    assert ran == ["release"], "all but the comparison is recorded"
    assert (third["release"].summary["release"], third["release"].summary["accepted"]) == (None, False)
    assert third["release"].summary["rival"]["gains"]["brier"]["high"] < 0
    _, fourth = made(weak, "objective.accept.brier.beats=release", "objective.accept.brier.by=-1.0")
    assert fourth["release"].summary["accepted"], "so much worse is allowed"


def test_an_ensemble_of_calibrated_trials_is_released_and_answers_as_it_was_scored(small, made):
    """L-SEL-4: no fold is fitted anew for it; the release gives the answers that the holdout was scored with."""
    models = [
        "models.line={kind: logistic_regression, C: {choice: [0.01, 1]}}",
        (
            "models.tree={kind: hist_gradient_boosting, max_iter: 10, learning_rate: 0.1, max_leaf_nodes: 5, "
            "min_samples_leaf: 20, l2_regularization: 1}"
        ),
    ]
    _, first = made(*models)
    ran, second = made(*models, "select.ensemble=3", "models.tree.calibrate=sigmoid")
    assert ran == ["select", "train", "evaluate", "explain", "release"]
    chosen = second["select"].summary
    assert chosen["kind"] == "ensemble"
    assert sum(item["weight"] for item in chosen["members"]) == pytest.approx(1)
    assert chosen["mean"] > first["select"].summary["mean"]
    assert {item["calibrated"] for item in chosen["rescored"].values()} == {"sigmoid"}
    store = small.store
    predictor = Predictor.load(store, second["train"].outputs["manifest"])
    assert predictor.manifest["format"] == 3
    assert (
        predictor.manifest["expected"]["probability"]
        == Service(predictor, {"release": 1}).answer(json.dumps(predictor.manifest["example"]).encode())["probability"]
    )
    scored = pl.read_parquet(io.BytesIO(store.objects.get(second["evaluate"].outputs["predictions"])))
    snapshot = pl.read_parquet(io.BytesIO(store.objects.get(second["snapshot"].outputs["snapshot"])))
    rows = snapshot[scored["row"].to_numpy()]
    assert (predictor.predict(rows)["probability"] == scored["probability"]).all()
    assert predictor.predict(rows[3:4])["probability"][0] == scored["probability"][3]


def test_outer_folds_judge_the_whole_procedure_and_see_none_of_it(small, made):
    """L-SEL-3: each outer fold has a search of its own, on rows that leave out those it is judged by."""
    models = ["models.line={kind: logistic_regression, C: {choice: [0.01, 1]}}", "validate.folds.k=2"]
    ran, first = made(*models)
    assert "nested" not in ran
    ran, found = made(*models, "validate.nested.k=2")
    assert ran == ["nested"]
    told = found["nested"].summary
    training = found["split"].summary["training_rows"]
    assert [fold["rows"] for fold in told["folds"]] == [training // 2, training - training // 2]
    outer = [fold["metrics"]["roc_auc"] for fold in told["folds"]]
    assert told["outer"] == pytest.approx(sum(outer) / 2)
    assert 0.7 < told["outer"] < 0.95
    assert found["release"].fingerprint == first["release"].fingerprint, "the release is made as ever"
    assert made(*models, "validate.nested.k=2")[0] == []
    store = small.store
    events = store.events(found["nested"].run_id)
    trials = [event.payload for event in events if event.kind == "nested_trial"]
    per_fold = trials[0]["trials"]
    assert trials[0] == {"fold": 0, "folds": 2, "trials": per_fold, "done": 1}
    assert {item["fold"] for item in trials} == {0, 1}
    assert len(store.stages("small", "nested-prepare")) == 2
