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
    [pytest.param({"format": 2}, id="format"), pytest.param({"model": {"kind": "oracle", "files": {}}}, id="kind")],
)
def test_refuses_releases_that_it_cannot_read(make_predictor, changes):
    with pytest.raises(EngineError) as failed:
        make_predictor("prior", **changes)
    assert failed.value.diagnostics[0].code == "artifact-unreadable"


def test_the_manifest_is_json(predictor):
    assert orjson.loads(orjson.dumps(predictor.manifest)) == predictor.manifest
