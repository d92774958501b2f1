"""What an evaluation recorded is what a service must answer, for each task, to the last bit."""

from __future__ import annotations

import json

import polars as pl
import pytest

from mlops_compiler.diagnostics import EngineError
from mlops_compiler.serving.replay import Held, must_be_equal, recorded_answers, replay
from mlops_compiler.serving.service import Service


def send_to(service):
    def send(body):
        return 200, json.loads(json.dumps(service.answer(body)))

    return send


def recorded(predictor, rows):
    """Write down predictions as the evaluation does."""
    answers = predictor.answers(rows)
    if predictor.task == "binary_classification":
        return pl.DataFrame({"probability": answers[:, 1]})
    if predictor.task == "multiclass_classification":
        return pl.DataFrame({f"probability_{number}": column for number, column in enumerate(answers.T)})
    if predictor.task == "clustering":
        return pl.DataFrame({"cluster": answers[:, 0].astype(int), "distance": answers[:, 1]})
    return pl.DataFrame({{"regression": "value", "anomaly_detection": "score"}[predictor.task]: answers[:, 0]})


KINDS = {
    "binary_classification": "logistic_regression",
    "multiclass_classification": "hist_gradient_boosting",
    "regression": "ridge",
    "anomaly_detection": "isolation_forest",
    "clustering": "k_means",
}


@pytest.fixture
def held(rows):
    def make(predictor):
        told = recorded(predictor, rows)
        expected = recorded_answers(told, predictor.manifest)
        return Held(places=range(rows.height), rows=rows, expected=expected, source="the holdout")

    return make


@pytest.mark.parametrize("task", KINDS)
def test_a_service_answers_as_the_evaluation_recorded(make_predictor, held, task):
    predictor = make_predictor(KINDS[task], task=task)
    found = replay(held(predictor), send_to(Service(predictor, {"release": 1})))
    assert (found.rows, found.differing) == (64, 0)
    must_be_equal(found, 1)


def test_one_other_bit_is_found(make_predictor, held):
    predictor = make_predictor()
    rows = held(predictor)
    rows.expected[5] = {**rows.expected[5], "probability": rows.expected[5]["probability"] + 1e-16}
    assert rows.expected[5]["probability"] != recorded_answers(recorded(predictor, rows.rows), predictor.manifest)[5]
    found = replay(rows, send_to(Service(predictor, {"release": 1})))
    assert found.differing == 1
    with pytest.raises(EngineError, match="1 of 64 rows") as refused:
        must_be_equal(found, 4)
    assert "row 6: probability was" in refused.value.diagnostics[0].notes[0].text


def test_rows_are_spread_evenly(make_predictor, held):
    rows = held(make_predictor())
    few = rows.spread(5)
    assert list(few.places) == [0, 15, 31, 47, 63]
    assert few.expected == [rows.expected[place] for place in few.places]
    assert few.rows.equals(rows.rows[[0, 15, 31, 47, 63]])
    assert rows.spread(None) is rows
    assert rows.spread(64) is rows


def test_a_row_that_is_refused_differs(make_predictor, held):
    found = replay(held(make_predictor()), lambda _: (422, {"error": "invalid-request"}))
    assert found.differing == 64
    assert "refuses it: 422" in found.examples[0]


def test_a_service_that_does_not_answer_is_no_difference(make_predictor, held):
    with pytest.raises(EngineError, match="does not answer"):
        replay(held(make_predictor()), lambda _: (0, "connection refused"))
