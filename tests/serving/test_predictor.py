"""A release scores each row alone, to the last bit."""

from __future__ import annotations

import orjson
import polars as pl
import pytest

from mlops_compiler.diagnostics import DataError, EngineError
from mlops_compiler.serving.predictor import Predictor


@pytest.mark.parametrize("model", ["prior", "logistic_regression", "hist_gradient_boosting", "random_forest"])
def test_rows_score_the_same_alone_and_together(make_predictor, rows, model):
    predictor = make_predictor(model)
    together = predictor.predict(rows)
    alone = pl.concat(predictor.predict(rows[index]) for index in range(rows.height))
    assert together.schema == {"probability": pl.Float64(), "decision": pl.String()}
    assert together.equals(alone)
    assert predictor.predict(pl.concat([rows[30:], rows])).tail(rows.height).equals(together)


@pytest.mark.parametrize("model", ["ridge", "hist_gradient_boosting", "random_forest"])
def test_values_are_the_same_alone_and_together(make_predictor, rows, model):
    predictor = make_predictor(model, task="regression")
    together = predictor.predict(rows)
    assert together.schema == {"prediction": pl.Float64()}
    assert together.equals(pl.concat(predictor.predict(rows[index]) for index in range(rows.height)))
    assert together["prediction"].n_unique() > 3


@pytest.mark.parametrize("model", ["logistic_regression", "hist_gradient_boosting", "random_forest"])
def test_classes_are_the_same_alone_and_together(make_predictor, rows, model):
    predictor = make_predictor(model, task="multiclass_classification")
    together = predictor.predict(rows)
    shares = pl.Struct({name: pl.Float64() for name in "abc"})
    assert together.schema == {"decision": pl.String(), "probabilities": shares}
    assert together.equals(pl.concat(predictor.predict(rows[index]) for index in range(rows.height)))
    for row in together.to_dicts():
        assert row["decision"] == max(row["probabilities"], key=row["probabilities"].get)
        assert sum(row["probabilities"].values()) == pytest.approx(1)


@pytest.mark.parametrize("model", ["k_means", "gaussian_mixture", "hdbscan"])
def test_clusters_are_the_same_alone_and_together(make_predictor, rows, model):
    predictor = make_predictor(model, task="clustering")
    together = predictor.predict(rows)
    probability = {"probability": pl.Float64()} if model == "gaussian_mixture" else {}
    assert together.schema == {"cluster": pl.Int64(), "distance": pl.Float64(), **probability}
    assert together.equals(pl.concat(predictor.predict(rows[index]) for index in range(rows.height)))
    assert together["cluster"].n_unique() > 1


@pytest.mark.parametrize("model", ["isolation_forest", "local_outlier_factor"])
def test_scores_of_anomalies_are_the_same_alone_and_together(make_predictor, rows, model):
    predictor = make_predictor(model, task="anomaly_detection")
    together = predictor.predict(rows)
    assert together.schema == {"score": pl.Float64(), "anomaly": pl.Boolean()}
    assert together.equals(pl.concat(predictor.predict(rows[index]) for index in range(rows.height)))
    assert together["anomaly"].equals(together["score"] >= 0.5, check_names=False)
    assert together["anomaly"].n_unique() == 2


@pytest.mark.parametrize(
    ("classes", "threshold", "decision"),
    [
        pytest.param(["No", "Yes"], 0.0, "Yes", id="at the threshold is positive"),
        pytest.param([False, True], 1.1, False, id="booleans"),
        pytest.param([0, 1], 0.0, 1, id="numbers"),
    ],
)
def test_the_threshold_decides(make_predictor, rows, classes, threshold, decision):
    scored = make_predictor("prior", classes=classes, threshold=threshold).predict(rows)
    assert scored["decision"].unique().to_list() == [decision]


def test_refuses_missing_values_that_the_model_cannot_take(make_predictor, rows):
    predictor = make_predictor()
    broken = Predictor(
        manifest=predictor.manifest,
        preparation=type(predictor.preparation)(steps=predictor.preparation.steps[1:]),
        model=predictor.model,
        accepts_missing=False,
    )
    with pytest.raises(DataError, match="cannot take missing"):
        broken.predict(rows.with_columns(charges=pl.lit(None, dtype=pl.Float64)))


@pytest.mark.parametrize(
    "changes",
    [pytest.param({"format": 1}, id="format"), pytest.param({"model": {"kind": "oracle", "files": {}}}, id="kind")],
)
def test_refuses_releases_that_it_cannot_read(make_predictor, changes):
    with pytest.raises(EngineError) as failed:
        make_predictor("prior", **changes)
    assert failed.value.diagnostics[0].code == "artifact-unreadable"


def test_the_manifest_is_json(predictor):
    assert orjson.loads(orjson.dumps(predictor.manifest)) == predictor.manifest
