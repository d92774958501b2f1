"""Errors of values before outcomes are known: what is estimated comes true on real diamonds, or is not said."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from mlops_compiler.backends.stages.context import parquet_bytes
from mlops_compiler.backends.stages.expected_error import FEWEST, expected_errors
from mlops_compiler.backends.stages.folds import Prepared
from mlops_compiler.models.registry import MODELS
from mlops_compiler.monitoring.expected import FILES, METRICS, Answered, ErrorModel, expected
from mlops_compiler.monitoring.findings import Agreement
from mlops_compiler.monitoring.observed import predictions
from mlops_compiler.monitoring.reference import reference_of
from mlops_compiler.monitoring.watch import Watch
from mlops_compiler.monitoring.worse import estimate
from mlops_compiler.tables.preparation import FittedPreparation
from tests.monitoring.conftest import SHIPPED, Served

RECIPE = """\
name: stones
objective: {task: regression, target: price, metric: rmse, report: [mae]}
data:
  source: {kind: parquet, path: data/stones.parquet}
  columns:
    cut: {type: category}
    color: {type: category}
    clarity: {type: category}
prepare:
  grades: {op: one_hot, columns: categorical, max_levels: 10}
validate: {holdout: {kind: random, fraction: 0.4}, folds: {kind: random, k: 3}, seed: 7}
models:
  baseline: {kind: mean}
  boosting: {kind: hist_gradient_boosting, max_iter: 80, learning_rate: 0.1, max_leaf_nodes: 15}
search: {algorithm: random, scheduler: none, trials: 2}
select: {rule: best}
explain: {importance: none, shap: false, partial_dependence: 0, find_slices: false}
cluster: {engine: in_process}
monitor: {window: 1d, drift: none, quality: none}
allow: [{rule: space-not-covered, because: a test waits for no search}]
"""
MANIFEST = {"preparation": FittedPreparation(steps=()).to_json(), "features": ["x", "z"]}


def stones():
    rows = pl.read_parquet(SHIPPED / "diamonds.parquet").filter(pl.col("x") > 0)
    return rows.sample(fraction=1.0, shuffle=True, seed=3).with_columns(pl.col(pl.Int32, pl.Int64).cast(pl.Int64))


@pytest.fixture(scope="module")
def made(tmp_path_factory, make_workplace):
    place = make_workplace(tmp_path_factory.mktemp("stones") / "work")
    stones().head(6000).write_parquet(place.root / "recipes" / "data" / "stones.parquet")
    (place.root / "recipes" / "stones.yaml").write_text(RECIPE)
    said = place.main("run", "recipe=stones")
    assert said.code == 0, said.err
    return place


@pytest.fixture
def served(made, tmp_path):
    shutil.copytree(made.root, tmp_path / "work")
    return Served(type(made)(tmp_path / "work"), recipe="stones", key=None)


def others():
    return stones().tail(-6000)


def check(served, rows, *, labelled=False, dearer=1.0):
    """Let the service answer rows, and check it; gives the payload, and the true metrics."""
    ids = served.serve(rows)
    came = rows["price"].cast(pl.Float64) * dearer
    if labelled:
        served.label(ids, [str(value) for value in came])
    served.monitor()
    (made,) = served.store.checks("stones", "development", limit=1)
    said = predictions(served.store.location, "stones")["output"].struct.field("prediction")
    off = (said - came).to_numpy()
    return made.payload, {"mae": float(np.abs(off).mean()), "rmse": float(np.sqrt((off**2).mean()))}


def rule(payload, name):
    return next(rule for rule in payload["rules"] if rule["rule"] == name)


def heavier(rows, many=1500):
    """Draw stones, heavy ones more often: their prices differ more from what is predicted."""
    weight = rows["carat"].to_numpy() ** 1.5
    return rows[np.random.default_rng(0).choice(rows.height, many, p=weight / weight.sum())]


def test_of_stones_like_those_of_the_holdout_the_estimate_is_its_score(served):
    payload, true = check(served, others().head(1500))
    guess = payload["estimate"]
    for name, value in true.items():
        low, high = guess["intervals"][name]
        assert low <= value <= high, name
        assert guess["metrics"][name] == pytest.approx(guess["holdout"][name], rel=0.1)
    assert not rule(payload, "estimate:holdout")["fired"]


def test_heavier_stones_are_estimated_worse_as_they_are(served):
    payload, true = check(served, heavier(others()))
    guess = payload["estimate"]
    for name, value in true.items():
        low, high = guess["intervals"][name]
        assert value > 1.5 * guess["holdout"][name]
        assert low <= value <= high, name
        assert guess["metrics"][name] == pytest.approx(value, rel=0.15), name
    found = rule(payload, "estimate:holdout")
    assert found["fired"]
    assert "rmse is estimated at" in found["why"]


def test_outcomes_that_contradict_the_estimate_end_it(served):
    payload, _ = check(served, others().head(1500), labelled=True, dearer=1.5)
    found = rule(payload, "estimate:holdout")
    assert not found["looked"]
    assert "outcomes contradict the errors that are expected by" in found["why"]
    assert payload["estimate"] == {}
    assert rule(payload, "performance:holdout")["fired"]


def test_outcomes_that_agree_do_not(served):
    payload, _ = check(served, heavier(others()), labelled=True)
    assert rule(payload, "estimate:holdout")["looked"]
    low, high = payload["estimate"]["intervals"]["rmse"]
    assert low <= payload["performance"]["metrics"]["rmse"] <= high


def test_an_evaluation_that_learned_no_errors_gives_no_estimate(served):
    store = served.writer
    release = store.release("stones")
    seals = {item["stage"]: item["fingerprint"] for item in store.run(release.run_id).plan}
    record = store.stage_record(seals["evaluate"])
    held = pl.read_parquet(store.objects.get(record.outputs["predictions"])).drop("expected_error")
    outputs = {name: digest for name, digest in record.outputs.items() if not name.startswith(FILES)}
    store.record_stage(replace(record, outputs={**outputs, "predictions": store.objects.put(parquet_bytes(held))}))
    payload, _ = check(served, others().head(300))
    assert "has not learned what errors are to be expected" in rule(payload, "estimate:holdout")["why"]


def test_a_log_that_leaves_out_what_errors_are_expected_by_is_told(served):
    served.serve(others().head(300))
    rows = predictions(served.store.location, "stones")
    logged = rows.with_columns(pl.struct(pl.col("input").struct.field("cut", "color", "clarity", "x")).alias("input"))
    reference = reference_of(served.store, served.store.release("stones"))
    watch = Watch(asked="1d", agreement=Agreement(agree=1, of=("estimate",)))
    rules, told = estimate(reference, logged, rows.head(0), watch)
    assert told == {}
    assert [found.why for found in rules] == [
        "the log leaves out carat, depth, table and 2 more, by which errors are expected"
    ]


def world(seed, rows=2000, noise=lambda x: 0.2 + x):
    """Give rows, what is predicted of them and what comes: the error grows with x, and z says nothing."""
    random = np.random.default_rng(seed)
    X = random.random((rows, 2))
    said = 10 + 3 * X[:, 0]
    return X, said, said + random.standard_t(6, rows) * noise(X[:, 0])


def learned(seed):
    X, said, came = world(seed)
    held = Prepared(X=X, y=came, weights=None, kept=np.arange(len(came)))
    found = expected_errors(held, said, 0)
    table = pl.DataFrame({"label": came, "value": said, "expected_error": found.sizes})
    return ErrorModel.of(MANIFEST, found.files, table)


def rows_of(X, said):
    return Answered(inputs=pl.DataFrame(X, schema=["x", "z"]), said=said)


def test_trees_of_a_version_that_gave_the_logarithm_are_read_as_such():
    model, (X, said, _) = learned(3), world(4, 50)
    files = dict(model.trees.dump())
    (name,) = (name for name, content in files.items() if b'"link"' in content)
    config = json.loads(files[name])
    del config["link"]
    older = replace(model, trees=MODELS["hist_gradient_boosting"].load({**files, name: json.dumps(config).encode()}))
    frame = pl.DataFrame(X, schema=["x", "z"])
    assert older.trees.predict(np.column_stack([X, said])).min() < 0
    assert older.sizes(frame, said) == pytest.approx(model.sizes(frame, said))


def test_intervals_hold_what_comes_as_often_as_they_say():
    held = dict.fromkeys(METRICS, 0)
    for seed in range(20):
        X, said, came = world(1000 + seed, 600)
        chosen = X[:, 0] > 0.4
        X, said, came = X[chosen], said[chosen], came[chosen]
        found = expected(learned(seed), rows_of(X, said), None)
        off = came - said
        true = {
            "rmse": np.sqrt((off**2).mean()),
            "mae": np.abs(off).mean(),
            "median_absolute_error": np.median(np.abs(off)),
            "r2": 1 - (off**2).sum() / ((came - came.mean()) ** 2).sum(),
        }
        for name, value in true.items():
            low, high = found.intervals[name]
            held[name] += low <= value <= high
    assert min(held.values()) >= 16


def test_a_holdout_that_its_sizes_do_not_fit_gives_no_estimate():
    X, said, came = world(1)
    found = expected_errors(Prepared(X=X, y=came, weights=None, kept=np.arange(len(came))), said, 0)
    table = pl.DataFrame({"label": came, "value": said, "expected_error": 1.5 * found.sizes})
    told = expected(ErrorModel.of(MANIFEST, found.files, table), rows_of(X, said), None)
    assert told.startswith("on the holdout errors are off by")


@pytest.mark.parametrize(("rows", "noise"), [(FEWEST - 1, lambda x: 1 + x), (1000, lambda x: 0 * x)])
def test_of_few_rows_or_of_no_error_nothing_is_learned(rows, noise):
    X, said, came = world(1, rows, noise)
    assert expected_errors(Prepared(X=X, y=came, weights=None, kept=np.arange(rows)), said, 0) is None


def test_the_same_rows_teach_the_same():
    X, said, came = world(2)
    held = Prepared(X=X, y=came, weights=None, kept=np.arange(len(came)))
    one, other = expected_errors(held, said, 5), expected_errors(held, said, 5)
    assert dict(one.files) == dict(other.files)
    assert (one.sizes == other.sizes).all()
