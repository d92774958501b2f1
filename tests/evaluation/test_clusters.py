"""Clusters are judged by rows held out; the definitions are scikit-learn's where it has one."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import adjusted_rand_score, calinski_harabasz_score, davies_bouldin_score, silhouette_score

from mlops_compiler.diagnostics import DataError
from mlops_compiler.evaluation import clusters as metrics
from mlops_compiler.evaluation.metrics import CLUSTERING_METRICS
from mlops_compiler.evaluation.profiles import profiles, projection


@pytest.fixture
def rows():
    """Give three groups of rows, and the group of each."""
    random = np.random.default_rng(3)
    groups = random.integers(0, 3, size=300)
    return random.normal(size=(300, 4)) + 6 * np.eye(4)[groups], groups


def test_metrics_are_scikit_learns(rows):
    X, groups = rows
    others = (groups + (np.arange(300) % 50 == 0)) % 3
    assert metrics.score(X, groups, others, CLUSTERING_METRICS) == pytest.approx(
        {
            "silhouette": silhouette_score(X, groups),
            "davies_bouldin": davies_bouldin_score(X, groups),
            "calinski_harabasz": calinski_harabasz_score(X, groups),
            "stability": adjusted_rand_score(groups, others),
            "coverage": 1.0,
        }
    )


def test_rows_of_no_cluster_count_nothing(rows):
    X, groups = rows
    out = np.arange(300) % 3 == 0
    found = metrics.score(X, np.where(out, -1, groups), groups, CLUSTERING_METRICS)
    assert found["coverage"] == pytest.approx(2 / 3)
    assert found["silhouette"] == pytest.approx(silhouette_score(X[~out], groups[~out]) * 2 / 3)
    assert found["davies_bouldin"] == pytest.approx(davies_bouldin_score(X[~out], groups[~out]))


@pytest.mark.parametrize(
    ("given_", "words"),
    [
        pytest.param([0] * 9, "one cluster", id="one"),
        pytest.param([-1] * 9, "no cluster", id="none"),
        pytest.param(list(range(9)), "9 clusters, each with one", id="each alone"),
    ],
)
def test_what_is_no_clustering_is_said(given_, words):
    X, found = np.arange(18.0).reshape(9, 2), np.array(given_)
    with pytest.raises(DataError, match=words) as caught:
        metrics.score(X, found, found, CLUSTERING_METRICS)
    assert caught.value.diagnostics[0].code == "one-cluster"


def test_many_rows_are_sampled_evenly(rows):
    X, groups = (np.concatenate([part] * 20) for part in rows)
    assert metrics.silhouette(X, groups) == pytest.approx(metrics.silhouette(*rows), abs=0.02)
    assert metrics.silhouette(X, groups) == metrics.silhouette(X, groups)


@settings(max_examples=50, deadline=None)
@given(rows=st.integers(1, 5000), most=st.integers(2, 700))
def test_evenly_takes_the_ends(rows, most):
    chosen = metrics.evenly(rows, most)
    assert len(chosen) == min(rows, most)
    assert (chosen[0], chosen[-1]) == (0, rows - 1)
    assert (np.diff(chosen) > 0).all()


def test_a_profile_names_what_sets_a_cluster_apart():
    clusters = np.array([0, 0, 0, 1, 1, -1])
    frame = pl.DataFrame(
        {
            "age": [20.0, 22.0, None, 60.0, 62.0, 41.0],
            "plan": ["a", "a", "a", "b", "b", "c"],
            "same": [1] * 6,
            "name": [f"n{place}" for place in range(6)],
        }
    )
    first, second, none = profiles(frame.drop("name"), clusters)
    assert [(item["cluster"], item["rows"], item["share"]) for item in (first, second, none)] == [
        (0, 3, 0.5),
        (1, 2, pytest.approx(1 / 3)),
        (-1, 1, pytest.approx(1 / 6)),
    ]
    traits = {(item["column"], item["level"]): item for item in first["traits"]}
    assert traits["age", None]["value"] == 21.0
    assert traits["age", None]["overall"] == 41.0
    assert traits["plan", "a"]["value"] == 1.0
    assert traits["plan", "a"]["overall"] == 0.5
    assert "same" not in {column for column, _ in traits}
    assert [abs(item["distance"]) for item in first["traits"]] == sorted(
        (abs(item["distance"]) for item in first["traits"]), reverse=True
    )


def test_of_two_levels_one_is_told():
    (_, second) = profiles(pl.DataFrame({"left": ["No", "Yes", "No", "Yes"]}), np.array([0, 1, 0, 1]))
    assert [(item["level"], item["value"]) for item in second["traits"]] == [("Yes", 1.0)]


@pytest.mark.parametrize("features", [1, 2, 5])
def test_a_projection_keeps_most_of_the_variance(features):
    X = np.random.default_rng(1).normal(size=(900, features)) * np.arange(features, 0, -1)
    found = projection(X, np.zeros(900, dtype=np.int64))
    assert len(found["x"]) == len(found["y"]) == len(found["cluster"]) == 600
    assert 1 >= found["kept"][0] >= found["kept"][1] >= 0
    assert np.var(found["x"]) == pytest.approx(found["kept"][0] * X.var(axis=0).sum(), rel=0.2)
