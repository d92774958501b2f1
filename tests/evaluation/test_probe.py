"""A feature that tells the outcome by itself is found, whatever its form; one that only seems to is not."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from sklearn.metrics import roc_auc_score

from mlops_compiler.evaluation.probe import SUSPICIOUS, Suspect, roc_auc, score_alone, suspects

ROWS = 2000
RNG = np.random.default_rng(7)
LABELS = (RNG.random(ROWS) < 0.25).astype(np.int8)
NOISE = RNG.random(ROWS)


def indicators(codes, levels):
    return pl.DataFrame({f"l{level}": (codes == level).astype(np.uint8) for level in range(levels)})


TELLING = {
    "the outcome itself": pl.DataFrame({"x": LABELS}),
    "the outcome turned round": pl.DataFrame({"x": 1 - LABELS}),
    "a number that grows with it": pl.DataFrame({"x": LABELS + RNG.normal(0, 0.2, ROWS)}),
    "a number that falls with it": pl.DataFrame({"x": -3 * LABELS + RNG.normal(0, 0.2, ROWS)}),
    "a number in the middle": pl.DataFrame(
        {"x": np.where(LABELS == 1, NOISE - 0.5, np.sign(NOISE - 0.5) * (1 + NOISE))}
    ),
    "nulls": pl.DataFrame(
        {"x": pl.Series([None if label else value for label, value in zip(LABELS, NOISE, strict=True)])}
    ),
    "a truth": pl.DataFrame({"x": LABELS.astype(bool)}),
    "levels": indicators(LABELS * 3 + RNG.integers(0, 3, ROWS), 6),
}
HONEST = {
    "noise": pl.DataFrame({"x": NOISE}),
    "a number of its own for each row": pl.DataFrame({"x": np.arange(ROWS)}),
    "a level of its own for almost each row": indicators(RNG.integers(0, ROWS, ROWS), 300),
    "a constant": pl.DataFrame({"x": np.zeros(ROWS)}),
    "a good feature": pl.DataFrame({"x": LABELS + RNG.normal(0, 1, ROWS)}),
    "only nulls": pl.DataFrame({"x": pl.Series([None] * ROWS, dtype=pl.Float64)}),
}


@pytest.mark.parametrize("columns", TELLING.values(), ids=TELLING)
def test_what_tells_the_outcome_is_found(columns):
    assert score_alone(columns, LABELS) >= SUSPICIOUS


@pytest.mark.parametrize("columns", HONEST.values(), ids=HONEST)
def test_what_does_not_is_not(columns):
    assert score_alone(columns, LABELS) < 0.9


def test_the_clearest_comes_first():
    features = {
        "noise": HONEST["noise"],
        "almost": TELLING["a number that grows with it"],
        "itself": TELLING["a truth"],
    }
    found = suspects(features, LABELS)
    assert [item.feature for item in found] == ["itself", "almost"]
    assert found[0] == Suspect(feature="itself", score=1.0, measure="a ROC AUC")


def test_a_value_is_told_by_what_grows_with_it_or_by_its_levels():
    random = np.random.default_rng(3)
    value = random.normal(size=ROWS)
    features = {
        "itself": pl.DataFrame({"x": value * 3 + 1}),
        "folded": pl.DataFrame({"x": np.abs(value)}),
        "nearly": pl.DataFrame({"x": value + random.normal(size=ROWS)}),
        "noise": pl.DataFrame({"x": random.normal(size=ROWS)}),
    }
    assert [item.feature for item in suspects(features, value, "regression")] == ["itself"]
    scores = {name: score_alone(columns, value, "regression") for name, columns in features.items()}
    assert scores["folded"] < 0.1
    assert 0.3 < scores["nearly"] < 0.7
    assert scores["noise"] < 0.05
    assert score_alone(features["folded"], value**2, "regression") > 0.9


def test_of_several_classes_each_is_told_from_the_rest():
    random = np.random.default_rng(3)
    classes = random.integers(0, 4, size=ROWS)
    features = {
        "itself": pl.DataFrame({"x": classes}),
        "one of them": pl.DataFrame({"x": (classes == 2).astype(float)}),
        "noise": pl.DataFrame({"x": random.normal(size=ROWS)}),
    }
    (found,) = suspects(features, classes, "multiclass_classification")
    assert (found.feature, found.measure) == ("itself", "a mean ROC AUC of one class against the rest")
    assert 0.6 < score_alone(features["one of them"], classes, "multiclass_classification") < 0.9


def test_few_rows_tell_nothing():
    some = slice(0, 80)
    assert suspects({"itself": TELLING["a truth"][some]}, LABELS[some]) == ()
    rare = np.zeros(ROWS, dtype=np.int8)
    rare[:5] = 1
    assert suspects({"itself": pl.DataFrame({"x": rare})}, rare) == ()


@pytest.mark.parametrize("scores", [NOISE, np.round(NOISE, 1), LABELS + NOISE], ids=["all differ", "ties", "better"])
def test_the_score_is_scikit_learns(scores):
    assert roc_auc(scores, LABELS) == pytest.approx(roc_auc_score(LABELS, scores), abs=1e-12)
