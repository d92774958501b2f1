"""Performance before outcomes are known: what is estimated comes true on real customers, or is not said."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from mlops_compiler.monitoring.judged import calibration, estimated, measured, trust


@pytest.fixture
def world():
    """Give probabilities that are right, and outcomes by them."""
    random = np.random.default_rng(5)
    said = random.beta(1, 2.5, 4000)
    return said, (random.random(4000) < said).astype(np.int64)


def test_an_estimate_of_right_probabilities_holds_what_is_measured(world):
    said, came = world
    guess, found = estimated("binary_classification", said, 0.4), measured("binary_classification", came, said, 0.4)
    for name, (low, high) in guess.intervals.items():
        assert low <= found.metrics[name] <= high, name


def test_an_estimate_of_several_classes_holds_what_is_measured():
    random = np.random.default_rng(6)
    said = random.dirichlet([1, 1, 2], 3000)
    came = (random.random((3000, 1)) > said.cumsum(axis=1)).sum(axis=1).clip(0, 2)
    guess, found = (
        estimated("multiclass_classification", said, None),
        measured("multiclass_classification", came, said, None),
    )
    for name, (low, high) in guess.intervals.items():
        assert low <= found.metrics[name] <= high, name


def test_harder_rows_are_estimated_worse(world):
    said, _ = world
    harder = said[(said > 0.2) & (said < 0.6)]
    easy, hard = (estimated("binary_classification", rows, 0.4).metrics["roc_auc"] for rows in (said, harder))
    assert hard < easy - 0.1


def test_probabilities_that_come_true_are_trusted_as_they_are(world):
    said, came = world
    assert calibration(came, said).holds
    assert trust(came, said).curve is None


def test_overconfident_ones_are_put_right_by_the_holdout(world):
    said, came = world
    odds = said / (1 - said)
    bold = odds**2.5 / (1 + odds**2.5)
    found = trust(came, bold)
    assert not found.calibration.holds
    assert found.holds
    guess = estimated("binary_classification", bold, 0.4, found.likely(bold))
    assert guess.metrics["log_loss"] == pytest.approx(
        measured("binary_classification", came, bold, 0.4).metrics["log_loss"], rel=0.05
    )


def test_a_small_gap_in_many_rows_does_not_matter():
    random = np.random.default_rng(8)
    said = random.beta(1, 2.5, 400_000)
    came = (random.random(said.shape) < said + 0.008).astype(np.int64)
    found = calibration(came, said)
    assert found.p < 1e-6
    assert found.holds


def test_outcomes_of_one_class_are_not_measured():
    assert measured("binary_classification", np.zeros(50, dtype=np.int64), np.full(50, 0.2), 0.5) is None


def test_the_estimate_of_real_customers_comes_true(served, others):
    ids = served.serve(others)
    served.label(ids, others["churn"].to_list())
    served.monitor()
    payload = served.store.checks("telco", "development", limit=1)[0].payload
    guess, found = payload["estimate"]["metrics"], payload["performance"]["metrics"]
    for name in guess:
        assert guess[name] == pytest.approx(found[name], abs=0.05), name
    assert payload["estimate"]["intervals"]["roc_auc"][0] <= found["roc_auc"]
    assert pl.DataFrame(payload["slices"])["worse"].sum() == 0
