"""One row without a table: the bits of the batch path, whatever the steps, the model and the row."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import Any

import numpy as np
import orjson
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlops_compiler.ir.ops.preparation import NamedStep
from mlops_compiler.ir.ops.prepare import (
    Bins,
    Cast,
    Categories,
    Clip,
    Derive,
    Drop,
    DropConstant,
    Filter,
    Frequency,
    GroupRare,
    HashEncode,
    Impute,
    Log1p,
    MinMaxScale,
    OneHot,
    Ordinal,
    Power,
    QuantileScale,
    Rename,
    RobustScale,
    Standardize,
    TargetEncode,
)
from mlops_compiler.models.composed import Calibrated, Ensemble
from mlops_compiler.models.kind import FitOptions
from mlops_compiler.models.registry import MODELS
from mlops_compiler.serving.compiled import proof
from mlops_compiler.serving.compiled.row import compile_release, request_schema
from mlops_compiler.serving.compiled.signals import Beyond
from mlops_compiler.serving.predictor import Predictor
from mlops_compiler.serving.service import Service
from mlops_compiler.tables.preparation import FittedPreparation, fit
from mlops_compiler.tables.steps import LABEL

SCHEMA = {"a": pl.Int64(), "x": pl.Float64(), "y": pl.Float64(), "b": pl.Boolean(), "c": pl.String(), "d": pl.String()}
EXPRESSIONS = (
    "x / greatest(a, 1)",
    "x * 12 / 7",
    "7 / x",
    "x / y",
    "a / 3",
    "a / greatest(x, 2)",
    "a + 5 - a * a",
    "x * 0.5 + a",
    "a - x",
    "least(x, y)",
    "case when x > 3 then 1 else y end",
    "case when b and a >= 2 or c = 'north' then x else -2 end",
    "case when x is null or y is not null then a else 4 end",
    "cast(a as double) * y",
)
STEPS: dict[str, Any] = {
    "impute a constant": Impute(columns=("x",), value=0.0),
    "impute a whole number": Impute(columns=("x", "y"), value=3, indicator=True),
    "impute a mean": Impute(columns=("a", "x"), statistic="mean", indicator=True),
    "impute a level": Impute(columns=("c", "d"), statistic="mode"),
    "impute by groups": Impute(columns=("x",), statistic="median", by=("c",)),
    "log1p": Log1p(columns=("a", "x")),
    "standardize": Standardize(columns=("a", "x", "y")),
    "robust scale": RobustScale(columns=("a", "x", "y")),
    "min max scale": MinMaxScale(columns=("a", "x", "y")),
    "min max scale, clipped": MinMaxScale(columns=("a", "x", "y"), clip=True),
    "clip": Clip(columns=("a", "x", "y")),
    "bins": Bins(columns=("a", "x", "y"), quantiles=5),
    "bins at edges": Bins(columns=("x",), edges=(0.0, 1.5, 10.0)),
    "power": Power(columns=("x",)),
    "quantile scale": QuantileScale(columns=("x",), quantiles=10, to="normal"),
    "one hot": OneHot(columns=("c", "d", "b"), max_levels=2, rare="group"),
    "one hot of numbers": OneHot(columns=("a",), max_levels=30, rare="group"),
    "ordinal": Ordinal(columns=("c", "b")),
    "frequency": Frequency(columns=("c", "a")),
    "categories": Categories(columns=("c", "d"), max_levels=2),
    "target encode": TargetEncode(columns=("c", "d"), smoothing=5.0, folds=3),
    "hash": HashEncode(columns=("c",), buckets=4),
    "group rare": GroupRare(columns=("c", "d"), min_share=0.2, keep=2, level="other"),
    "cast": Cast(columns=("a", "b"), to="float"),
    "rename": Rename(names=(("x", "y"), ("y", "x"), ("a", "years"))),
    "drop": Drop(columns=("d",)),
    "drop constant": DropConstant(columns=("a", "x"), min_variance=0.0),
    "filter": Filter(where="x > 1", max_loss=1.0),
    **{text: Derive(expressions=(("made", text),), remove=("d",)) for text in EXPRESSIONS},
}
BY_POLARS = {
    "impute by groups",
    "power",
    "quantile scale",
    "hash",
    "x * 0.5 + a",
    "cast",
}
"""Steps that have no compiled form, and run as they are."""

finite = st.floats(allow_nan=False, allow_infinity=False)
likely = st.floats(-1000, 1000) | st.sampled_from([0.0, -0.0, 1.0, 0.1, 3.0, 5e-324, 1e300])
level = st.sampled_from(["north", "south", "east", "never seen", "", "(rare)"])
ROW = st.fixed_dictionaries(
    {
        "a": st.none() | st.integers(-5, 80) | st.integers(-(2**63), 2**63 - 1),
        "x": st.none() | likely | finite,
        "y": st.none() | likely | finite,
        "b": st.none() | st.booleans(),
        "c": st.none() | level | st.text(max_size=3),
        "d": st.none() | level,
    }
)


def table(rows: int = 200) -> pl.DataFrame:
    random = np.random.default_rng(3)
    columns = {
        "a": random.integers(0, 73, rows),
        "x": np.round(random.lognormal(2, 1, rows), 2),
        "y": random.normal(size=rows),
        "b": random.random(rows) < 0.4,
        "c": random.choice(["north", "south", "east", "west"], rows, p=[0.5, 0.3, 0.15, 0.05]),
        "d": random.choice(["u", "v"], rows),
    }
    holes = pl.Series(random.random(rows) < 0.1)
    frame = pl.DataFrame(columns, schema=SCHEMA).with_columns(
        pl.when(holes).then(None).otherwise(pl.col("x", "c")).name.keep()
    )
    return frame.with_columns(pl.Series(LABEL, (columns["x"] > 7).astype(np.int64)))


def prepared(*steps: Any) -> FittedPreparation:
    named = [NamedStep(name=f"step{place}", step=step) for place, step in enumerate(steps)]
    return fit([[item] for item in named], table())[0]


def release(preparation: FittedPreparation, model: Any = None, task: str = "regression", **changes: Any) -> Predictor:
    features = [
        name
        for name, dtype in preparation.transform(table().drop(LABEL)).schema.items()
        if dtype.is_numeric() or dtype == pl.Boolean
    ]
    kinds = {pl.Int64(): "int", pl.Float64(): "float", pl.Boolean(): "bool", pl.String(): "text"}
    request = [
        {"name": name, "type": kinds[dtype], "nullable": True, "required": False, "range": None, "one_of": None}
        for name, dtype in SCHEMA.items()
    ]
    manifest = {
        "task": task,
        "classes": ["No", "Yes"] if task == "binary_classification" else ["a", "b", "c"],
        "threshold": 0.4,
        "key": None,
        "features": features,
        "request": request,
        "example": {"a": 3, "x": 1.5, "y": -0.5, "b": True, "c": "north", "d": "u"},
        "model": {"kind": "some"},
        **changes,
    }
    return Predictor(manifest=manifest, preparation=preparation, model=model, accepts_missing=True)


def trained(kind: str, task: str, **parameters: Any) -> Any:
    """Fit a model on steps that every kind can learn from; gives the release."""
    preparation = prepared(
        Impute(columns=("a", "x"), statistic="mean"),
        Impute(columns=("b",), statistic="mode"),
        Impute(columns=("y",), value=0.0),
        Standardize(columns=("a", "x", "y")),
        OneHot(columns=("c", "d"), max_levels=3, rare="group"),
    )
    empty = release(preparation, task=task)
    rows = table()
    X = empty.matrix(rows.drop(LABEL))
    value = X[:, 1] + X[:, 2] ** 2
    y = {"regression": value, "multiclass_classification": np.digitize(value, [0, 1.5])}.get(
        task, rows[LABEL].to_numpy()
    )
    options = FitOptions(seed=1, task=task, classes=len(set(y.tolist())) if "classification" in task else 0)
    family = MODELS[kind]
    return replace(empty, model=family.fit(X, y, parameters={**family.defaults, **parameters}, options=options))


def features_of(predictor: Predictor, row: dict[str, Any]) -> bytes | None:
    """Prepare a row as the batch path does; None where that refuses it."""
    rows = proof.typed(row, request_schema(predictor))
    try:
        matrix = predictor.matrix(pl.DataFrame([rows], schema=request_schema(predictor)))
    except Exception:  # noqa: BLE001 - whatever refuses a row of the batch path, the compiled one may not answer
        return None
    return as_bits(matrix[0].tolist())


def as_bits(values: list[float]) -> bytes:
    """Give the bits of numbers; one NaN is as good as another."""
    found = np.array(values)
    return np.where(np.isnan(found), np.nan, found).tobytes()


QUIET = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module")
def steps_of():
    """Give the release of a step, and what is compiled of it; each is fitted once."""
    made: dict[str, Any] = {}

    def find(name: str) -> Any:
        if name not in made:
            predictor = release(prepared(STEPS[name]))
            made[name] = predictor, compile_release(predictor)
        return made[name]

    return find


@pytest.mark.parametrize("name", STEPS)
@QUIET
@given(row=ROW)
def test_a_step_prepares_a_row_to_the_bits_of_the_batch_path(steps_of, name, row):
    predictor, compiled = steps_of(name)
    try:
        found = compiled.prepare(row)
    except Beyond:
        return
    assert as_bits(found) == features_of(predictor, row)


@pytest.mark.parametrize("name", STEPS)
def test_steps_are_compiled_but_for_some(steps_of, name):
    _, compiled = steps_of(name)
    assert ("step0" in compiled.parts) is (name not in BY_POLARS)


@pytest.mark.parametrize("name", STEPS)
def test_likely_rows_are_not_beyond_a_step(steps_of, name):
    _, compiled = steps_of(name)
    beyond = 0
    for row in table().drop(LABEL).to_dicts():
        try:
            compiled.prepare(row)
        except Beyond:
            beyond += 1
    assert beyond == 0


MODELS_OF = [
    ("logistic_regression", "binary_classification", {}),
    ("logistic_regression", "multiclass_classification", {}),
    ("ridge", "regression", {}),
    ("random_forest", "binary_classification", {"n_estimators": 20}),
    ("random_forest", "regression", {"n_estimators": 20}),
    ("random_forest", "multiclass_classification", {"n_estimators": 5}),
    ("decision_tree", "binary_classification", {}),
    ("hist_gradient_boosting", "binary_classification", {"max_iter": 20}),
    ("hist_gradient_boosting", "multiclass_classification", {"max_iter": 10}),
    ("hist_gradient_boosting", "regression", {"max_iter": 20}),
    ("naive_bayes", "binary_classification", {}),
    ("nearest_neighbours", "regression", {}),
    ("torch_mlp", "binary_classification", {}),
    ("torch_mlp", "multiclass_classification", {}),
]
AS_THEY_ARE = {
    ("random_forest", "multiclass_classification"),
    ("naive_bayes", "binary_classification"),
    ("nearest_neighbours", "regression"),
}


@pytest.fixture(scope="module")
def model_of():
    """Give the release of a model, and what is compiled of it; each is trained once."""
    made: dict[tuple[str, str], Any] = {}

    def find(kind: str, task: str, parameters: dict[str, Any]) -> Any:
        if (kind, task) not in made:
            predictor = trained(kind, task, **parameters)
            made[kind, task] = predictor, compile_release(predictor)
        return made[kind, task]

    return find


@pytest.mark.parametrize(("kind", "task", "parameters"), MODELS_OF, ids=str)
@QUIET
@given(row=ROW)
def test_a_release_answers_a_row_as_the_batch_path_does(model_of, kind, task, parameters, row):
    predictor, compiled = model_of(kind, task, parameters)
    assert proof.differing(compiled, [row], list(proof.answers(predictor, [row]))) is None


@pytest.mark.parametrize(("kind", "task", "parameters"), MODELS_OF, ids=str)
def test_models_are_compiled_but_for_some(model_of, kind, task, parameters):
    _, compiled = model_of(kind, task, parameters)
    assert ("model" in compiled.parts) is ((kind, task) not in AS_THEY_ARE)
    assert compiled.says == (True if compiled.whole else list(compiled.parts))
    for row in table().drop(LABEL).head(20).to_dicts():
        compiled.predict(row)  # none is beyond it


@pytest.mark.parametrize(
    "calibration",
    [
        {"method": "isotonic", "curves": [{"x": [0.1, 0.3, 0.3, 0.8], "y": [0.05, 0.2, 0.4, 0.9]}]},
        {"method": "isotonic", "curves": [{"x": [0.5], "y": [0.3]}]},
        {"method": "sigmoid", "curves": [{"slope": 1.3, "intercept": -0.2}]},
    ],
    ids=["isotonic", "one step", "sigmoid"],
)
def test_a_calibrated_model_and_an_ensemble_give_the_same_bits(model_of, calibration):
    predictor, _ = model_of("random_forest", "binary_classification", {"n_estimators": 20})
    other, _ = model_of("logistic_regression", "binary_classification", {})
    tuned = Calibrated(model=predictor.model, calibration=calibration)
    both = replace(predictor, model=Ensemble(members=((0.3, tuned), (0.7, other.model))))
    compiled = compile_release(both)
    rows = proof.made_rows(both, 200)
    assert compiled.whole
    assert proof.differing(compiled, rows, list(proof.answers(both, rows))) is None


def test_what_is_compiled_and_differs_is_not_used(model_of, monkeypatch, caplog):
    predictor, compiled = model_of("ridge", "regression", {})
    assert proof.prove(predictor).says is True

    def off(release: Predictor, *, steps: bool = True) -> Any:
        made = compile_release(release, steps=steps)
        return (
            replace(made, prepare=lambda row: [value * (1 + 2**-52) for value in made.prepare(row)]) if steps else made
        )

    monkeypatch.setattr(proof, "compile_release", off)
    with caplog.at_level(logging.WARNING):
        assert proof.prove(predictor).says == ["model"]
    assert "otherwise when compiled" in caplog.text
    tell = lambda scores: {"prediction": scores[0] + 1}  # noqa: E731
    monkeypatch.setattr(proof, "compile_release", lambda *_, **__: replace(compiled, tell=tell))
    assert proof.prove(predictor) is None


def test_a_row_that_only_the_compiled_path_answers_is_a_difference(model_of):
    predictor, compiled = model_of("ridge", "regression", {})
    row = proof.typed(predictor.manifest["example"], request_schema(predictor))
    assert proof.differing(compiled, [row], [None]) is not None


def test_a_service_answers_single_rows_by_what_is_compiled_and_tables_as_before(make_predictor):
    predictor = make_predictor()
    compiled = proof.prove(predictor)
    service, plain = (Service(predictor, {"release": 1}, compiled=item) for item in (compiled, None))
    asked: list[Any] = []
    told = replace(compiled, tell=lambda scores: asked.append(1) or compiled.tell(scores))
    watched = Service(predictor, {"release": 1}, compiled=told)
    row = predictor.manifest["example"]
    for body in (row, row | {"charges": None}, [row, row]):
        sent = orjson.dumps(body)
        assert (
            orjson.dumps(service.answer(sent)) == orjson.dumps(plain.answer(sent)) == orjson.dumps(watched.answer(sent))
        )
    assert len(asked) == 2
    service.check()


def test_a_row_beyond_the_compiled_path_is_answered_as_a_table(make_predictor):
    predictor = make_predictor()

    def refuse(_: Any) -> list[float]:
        raise Beyond("all rows are")

    beyond = replace(proof.prove(predictor), prepare=refuse)
    service = Service(predictor, {"release": 1}, compiled=beyond)
    sent = orjson.dumps(predictor.manifest["example"])
    assert service.answer(sent) == Service(predictor, {"release": 1}).answer(sent)
