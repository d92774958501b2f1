"""Texts that no step encodes reach models that take categories: from the recipe to the answers of a release."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

from mlops_compiler.backends.local.run import run_in_process
from mlops_compiler.backends.stages.context import StageTask
from mlops_compiler.diagnostics import RecipeError
from mlops_compiler.driver import compile_recipe, plan_recipe
from mlops_compiler.frontend.hydra_app import launch
from mlops_compiler.ir.ops.levels import Categories
from mlops_compiler.ir.ops.preparation import NamedStep
from mlops_compiler.ir.ops.search import Search
from mlops_compiler.serving.compiled.proof import prove
from mlops_compiler.serving.explaining import explainer_of
from mlops_compiler.serving.predictor import Predictor
from mlops_compiler.store.writer import open_writer
from mlops_compiler.tables.preparation import FittedPreparation, fit

ROOT = Path(__file__).parents[2]
FACTS = {"description": None, "owner": None, "started": 0.0, "overrides": [], "actions": []}
NATIVE = ("~prepare.encode", "~models.logistic")
KINDS = ("hist_gradient_boosting", "lightgbm", "xgboost")


@pytest.fixture
def run(small, monkeypatch):
    """Give a function that runs the small recipe, without its encoding, in this process; gives a predictor."""
    monkeypatch.chdir(small.root)

    def run(*overrides):
        (planned,) = launch(["recipe=small", "store.url=native", *NATIVE, *overrides], plan_recipe)
        root = str(planned.compiled.composed.root.absolute())
        tasks = [
            StageTask(stage=stage, recipe="small", root=root, store=planned.location, run_id="r1", facts=FACTS)
            for stage in planned.plan.to_run
            if stage.name != "report"
        ]
        records = run_in_process(tasks, {})
        store = open_writer(planned.location)
        return records, Predictor.load(store, records["train"].outputs["manifest"]), store

    return run


def with_odd_levels(small):
    """Give rows without a gap but one level that is missing, beside one that was never seen."""
    return (
        pl.read_csv(small.rows, infer_schema_length=None)
        .head(12)
        .with_columns(
            pl.col("total_charges").cast(pl.Float64, strict=False).fill_null(0.0),
            contract=pl.Series(["Ten years", None] + ["Two year"] * 10),
        )
    )


@pytest.mark.parametrize("kind", KINDS)
def test_a_recipe_without_an_encoding_is_served_and_explained(run, small, kind):
    only = ("~models.boosting", f"+models.own.kind={kind}", "search.trials=3", "select.rule=best")
    records, predictor, store = run(*only, "~prepare.no_bill_yet")
    assert records["select"].summary["kind"] == kind
    rows = pl.read_csv(small.rows, infer_schema_length=None).head(40)
    odd = rows.head(3).with_columns(
        contract=pl.Series(["Ten years", None, "Two year"]),
        total_charges=pl.Series([None, 5.0, None], dtype=pl.Float64),
    )
    every = pl.concat([rows.with_columns(pl.col("total_charges").cast(pl.Float64, strict=False)), odd])
    together = predictor.answers(every)
    assert (predictor.answers(every[-3:]) == together[-3:]).all()
    assert all((predictor.answers(every[at]) == together[at]).all() for at in (0, 7, 40, 41, 42))
    explainer = explainer_of(predictor, store)
    found = explainer.contributions(every.tail(5).select(explainer.columns))
    assert found.method == "tree"
    assert "contract" in found.names
    log_odds = found.scores()[:, 0]
    assert 1 / (1 + 2.718281828459045**-log_odds) == pytest.approx(together[-5:, 1], rel=1e-6)


def test_a_net_is_served_and_explained_by_asking(run, small):
    only = ("~models.boosting", "+models.net.kind=torch_mlp", "+models.net.epochs=4", "+models.net.hidden=16")
    records, predictor, store = run(*only, "search.trials=3", "select.rule=best", "explain.importance=none")
    assert records["select"].summary["kind"] == "torch_mlp"
    assert [len(told["steps"]) for told in json.loads(store.objects.get(records["train"].outputs["histories"]))] == [4]
    rows = with_odd_levels(small)
    together = predictor.answers(rows)
    assert all((predictor.answers(rows[at]) == together[at]).all() for at in range(12))
    explainer = explainer_of(predictor, store)
    found = explainer.contributions(rows.head(2).select(explainer.columns))
    assert found.method == "sampling"
    assert found.scores()[:, 0] == pytest.approx(together[:2, 1])


def test_it_is_one_column_instead_of_an_indicator_for_each_level(run):
    records, predictor, _ = run("search.trials=3")
    assert "contract" in predictor.manifest["features"]
    assert not any("=" in name for name in predictor.manifest["features"])
    (step,) = [item for item in predictor.preparation.steps if isinstance(item.step, Categories)]
    assert step.learned["levels"]["contract"] == ["Month-to-month", "One year", "Two year"]
    assert records["evaluate"].summary["metrics"]["roc_auc"] > 0.7


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (
            [*NATIVE, "+models.boosting.monotone={contract: increasing}"],
            "no-monotone",
            "`contract`, which is a category",
        ),
        ([*NATIVE, "+features.columns={contract: {range: [0, 2]}}"], "feature-type", "`contract` is a category"),
    ],
    ids=["monotone", "a contract of numbers"],
)
def test_what_cannot_be_is_told(small, words, code, told):
    said = small.main("check", "recipe=small", *words)
    assert said.code != 0
    assert code in said.err
    assert told in said.err


def test_an_alternative_may_leave_texts(small):
    encode = "prepare.encode={choice: [{op: one_hot, columns: categorical}, null]}"
    found = small.main("check", "recipe=small", encode)
    assert found.code == 0, found.err


def test_without_a_target_they_are_refused(monkeypatch):
    monkeypatch.chdir(ROOT)
    with pytest.raises(RecipeError) as refused:
        launch(["recipe=segments", "~prepare.encode"], compile_recipe)
    assert [item.code for item in refused.value.diagnostics] == ["feature-not-numeric"]


def candidates(small, *words):
    (compiled,) = launch(["recipe=small", *words], compile_recipe)
    (search,) = [op for _, op in compiled.program.of(Search)]
    return {item.name: item for item in search.candidates}


def test_what_becomes_of_categories_is_searched_where_there_are_some(small, monkeypatch):
    monkeypatch.chdir(small.root)
    assert "max_cat_to_onehot" in candidates(small, "~prepare.encode")["boosting"].space
    choice = "prepare.encode={choice: [{op: one_hot, columns: categorical}, null]}"
    assert "max_cat_to_onehot" in candidates(small, choice)["boosting"].space
    assert "max_cat_to_onehot" not in candidates(small)["boosting"].space
    assert dict(candidates(small)["boosting"].parameters)["max_cat_to_onehot"] == 254
    fixed = candidates(small, "models.boosting.max_cat_to_onehot=9")["boosting"]
    assert dict(fixed.parameters)["max_cat_to_onehot"] == 9


@pytest.mark.parametrize(("kind", "method"), [("logistic_regression", "linear"), ("random_forest", "tree")])
def test_a_model_of_numbers_sees_an_indicator_for_each_level(run, small, kind, method):
    only = ("~models.boosting", f"+models.own.kind={kind}", "search.trials=3", "select.rule=best")
    records, predictor, store = run(*only)
    assert records["select"].summary["kind"] == kind
    assert predictor.manifest["features"].count("contract") == 1
    rows = with_odd_levels(small)
    together = predictor.answers(rows)
    assert all((predictor.answers(rows[at]) == together[at]).all() for at in range(12))
    compiled = prove(predictor, store.objects.get)
    assert compiled is not None
    assert compiled.whole
    explainer = explainer_of(predictor, store)
    found = explainer.contributions(rows.head(3).select(explainer.columns))
    assert (found.method, "contract" in found.names) == (method, True)
    assert records["evaluate"].summary["metrics"]["roc_auc"] > 0.7


ROWS = pl.DataFrame({"city": ["b", "a", "b", None, "c", "b", "a"]})


def numbered(values, most=254):
    step = NamedStep(name="(categories)", step=Categories(columns=("city",), max_levels=most))
    fitted, _ = fit(((step,),), ROWS)
    again = FittedPreparation.from_json(fitted.to_json())
    assert again.categories(["age", "city"]) == (0, min(most, 3))
    assert again.categories(["age"]) == ()
    return again.transform(pl.DataFrame({"city": pl.Series(values, dtype=pl.String)}))["city"].to_list()


def test_levels_are_numbered_and_so_is_what_was_never_seen():
    assert numbered(["a", "b", "c", "x", None]) == [0, 1, 2, 3, 4]


def test_the_rarest_levels_share_a_number():
    assert numbered(["a", "b", "c", "x", None], most=2) == [0, 1, 2, 2, 3]
