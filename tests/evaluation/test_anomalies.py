"""Scores of anomalies are judged by a target where there is one, and by themselves where not."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import spearmanr
from sklearn.metrics import average_precision_score, roc_auc_score

from mlops_compiler.diagnostics import DataError
from mlops_compiler.evaluation import anomalies
from mlops_compiler.evaluation.metrics import ANOMALY_METRICS, NEED_LABELS


@pytest.fixture
def scored():
    """Give labels, scores that know of them, and those of another model."""
    random = np.random.default_rng(2)
    labels = (random.random(500) < 0.1).astype(np.int64)
    scores = random.random(500) + labels
    return labels, scores, scores + 0.3 * random.random(500)


def test_with_a_target_all_metrics_are_computed(scored):
    labels, scores, others = scored
    found = anomalies.score(scores, others, 0.9, 0.1, labels)
    highest = np.argsort(-scores)[:50]
    assert found == pytest.approx(
        {
            "average_precision": average_precision_score(labels, scores),
            "roc_auc": roc_auc_score(labels, scores),
            "precision_at_k": labels[highest].mean(),
            "stability": spearmanr(scores, others).statistic,
            "flagged": (scores >= 0.9).mean(),
        }
    )
    assert tuple(found) == ANOMALY_METRICS


def test_without_one_those_that_need_none(scored):
    _, scores, others = scored
    assert set(anomalies.score(scores, others, 0.9, 0.1, None)) == set(ANOMALY_METRICS) - NEED_LABELS


def test_rows_that_are_all_alike_are_said(scored):
    labels, scores, others = scored
    with pytest.raises(DataError, match="all of one class"):
        anomalies.score(scores, others, 0.9, 0.1, labels * 0)


def test_a_score_that_is_always_the_same_is_not_stable(scored):
    assert anomalies.stability(np.ones(500), scored[1]) == 0.0


@settings(max_examples=60, deadline=None)
@given(
    scores=st.lists(st.integers(0, 4), min_size=1, max_size=30),
    data=st.data(),
)
def test_of_rows_with_equal_scores_a_part_counts(scores, data):
    labels = np.array(data.draw(st.lists(st.integers(0, 1), min_size=len(scores), max_size=len(scores))))
    looked_at = data.draw(st.integers(1, len(scores)))
    found = anomalies.precision_at(np.array(scores, dtype=float), labels, looked_at)
    random = np.random.default_rng(0)
    shuffles = [random.permutation(len(scores)) for _ in range(400)]
    drawn = [
        labels[order][np.argsort(-np.array(scores)[order], kind="stable")[:looked_at]].mean() for order in shuffles
    ]
    assert found == pytest.approx(np.mean(drawn), abs=0.12)


def test_flagged_rows_are_counted(scored):
    labels, scores, _ = scored
    found = anomalies.flagged(scores, labels, 1.0)
    assert found["rows"] == (scores >= 1).sum()
    assert (found["odd"], found["odd_in_all"]) == (labels[scores >= 1].sum(), labels.sum())
    assert "odd" not in anomalies.flagged(scores, None, 1.0)
    assert sum(anomalies.histogram(scores)["rows"]) == 500
