"""Files that are no model of ours are refused, and none can make the scorer leave its arrays."""

from __future__ import annotations

import json

import numpy as np
import pytest
from safetensors.numpy import load, save

from mlops_compiler.diagnostics import EngineError
from mlops_compiler.models.registry import BUILTIN, MODELS
from tests.models.conftest import CASES

TREES = ("decision_tree", "random_forest", "extra_trees", "hist_gradient_boosting")


def refused(kind, files):
    with pytest.raises(EngineError) as caught:
        MODELS[kind.partition("/")[0]].load(files)
    return caught.value.diagnostics[0].code == "artifact-corrupt"


def changed(zoo, kind, **arrays):
    files = zoo.fitted(kind).dump()
    return {**files, "model.safetensors": save({**load(files["model.safetensors"]), **arrays})}


def configured(zoo, kind, **settings_):
    files = zoo.fitted(kind).dump()
    return {**files, "config.json": json.dumps({**json.loads(files["config.json"]), **settings_}).encode()}


def test_a_later_format(kind, zoo):
    assert refused(kind, configured(zoo, kind, format=3))


def test_another_kind(kind, model):
    files = model.dump()
    assert all(refused(other, files) for other in (item.name for item in BUILTIN) if other != kind.partition("/")[0])


def test_a_surplus_or_retyped_array(kind, zoo):
    assert refused(kind, changed(zoo, kind, extra=np.zeros(3)))
    arrays = load(zoo.fitted(kind).dump()["model.safetensors"])
    for name, array in arrays.items():
        assert refused(kind, changed(zoo, kind, **{name: array.astype(np.float16)}))


@pytest.mark.parametrize("kind", TREES)
@pytest.mark.parametrize(
    ("name", "value"),
    [("left", 10**6), ("left", -1), ("right", 0), ("feature", 6), ("feature", -2)],
)
def test_a_node_that_leads_astray(kind, name, value, zoo):
    array = load(zoo.fitted(kind).dump()["model.safetensors"])[name].copy()
    array[1] = value
    assert refused(kind, changed(zoo, kind, **{name: array}))


@pytest.mark.parametrize(
    "kind",
    [
        case
        for case in CASES
        if not case.startswith(("prior", "mean", "seasonal_naive", "ridge", "elastic_net"))
        and "clustering" not in case
        and "anomaly" not in case
    ],
)
@pytest.mark.parametrize("task", [None, "clairvoyance", 7], ids=str)
def test_a_task_that_is_none(kind, task, zoo):
    assert refused(kind, configured(zoo, kind, task=task))


@pytest.mark.parametrize(
    "kind", ["logistic_regression", "torch_mlp", "naive_bayes", "nearest_neighbours", "svm", *TREES]
)
def test_outputs_of_another_task(kind, zoo):
    assert refused(kind, configured(zoo, kind, task="multiclass_classification"))


@pytest.mark.parametrize("kind", TREES)
@pytest.mark.parametrize("starts", [[], [0], [0, 0], [3], [0, 10**9], [0, 5, 2]], ids=str)
def test_trees_that_are_not_in_the_arrays(kind, starts, zoo):
    assert refused(kind, changed(zoo, kind, starts=np.array(starts, dtype=np.int64)))


@pytest.mark.parametrize("kind", TREES)
@pytest.mark.parametrize("features", [0, 1, "6", None, True], ids=str)
def test_a_wrong_number_of_features(kind, features, zoo):
    assert refused(kind, configured(zoo, kind, features=features))


@pytest.mark.parametrize("baseline", [None, "0", [], [0], ["0"], [0.0] * 3], ids=str)
def test_a_wrong_baseline(baseline, zoo):
    assert refused("hist_gradient_boosting", configured(zoo, "hist_gradient_boosting", baseline=baseline))


@pytest.mark.parametrize(
    ("kind", "settings_"),
    [
        ("nearest_neighbours", {"count": 0}),
        ("nearest_neighbours", {"count": 401}),
        ("nearest_neighbours", {"by_distance": 1}),
        ("svm", {"gamma": -1.0}),
        ("svm", {"gamma": 0.0}),
        ("svm", {"gamma": "0.1"}),
        ("svm/multiclass_classification", {"classes": 5}),
        ("svm/multiclass_classification", {"classes": None}),
    ],
    ids=str,
)
def test_settings_that_do_not_fit(kind, settings_, zoo):
    assert refused(kind, configured(zoo, kind, **settings_))


@pytest.mark.parametrize(
    ("name", "place", "value"),
    [("column", 0, 5), ("column", 0, -1), ("low", 3, np.inf), ("high", 0, -1e9), ("low", 0, np.nan)],
)
def test_bins_that_are_none(name, place, value, zoo):
    array = load(zoo.fitted("torch_mlp").dump()["model.safetensors"])[f"bins.{name}"].copy()
    array[place] = value
    assert refused("torch_mlp", changed(zoo, "torch_mlp", **{f"bins.{name}": array}))


@pytest.mark.parametrize("name", ["0.bias", "1.weights", "2.bias"])
def test_layers_that_do_not_fit_together(name, zoo):
    array = load(zoo.fitted("torch_mlp").dump()["model.safetensors"])[name]
    assert refused("torch_mlp", changed(zoo, "torch_mlp", **{name: np.ascontiguousarray(array[:-1])}))


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("prior", "frequencies"),
        ("mean", "value"),
        ("seasonal_naive", "value"),
        ("ridge", "weights"),
        ("ridge", "intercept"),
        ("elastic_net", "weights"),
        ("logistic_regression", "weights"),
        ("logistic_regression", "intercept"),
        ("naive_bayes", "prior"),
        ("naive_bayes", "variance"),
        ("nearest_neighbours", "rows"),
        ("nearest_neighbours", "came"),
        ("nearest_neighbours", "weights"),
        ("svm", "vectors"),
        ("svm", "weights"),
        ("svm", "slope"),
        ("random_partition", "clusters"),
        ("k_means", "centers"),
        ("gaussian_mixture", "means"),
        ("gaussian_mixture", "whitening"),
        ("hdbscan", "points"),
        ("hdbscan", "clusters"),
        ("hdbscan", "reach"),
        ("random_score", "salt"),
        ("local_outlier_factor", "points"),
        ("local_outlier_factor", "radius"),
        ("local_outlier_factor", "neighbours"),
    ],
)
def test_arrays_of_another_shape(kind, name, zoo):
    array = load(zoo.fitted(kind).dump()["model.safetensors"])[name]
    assert refused(kind, changed(zoo, kind, **{name: np.zeros((2, 2, 2), array.dtype)}))


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("prior", "frequencies"),
        ("mean", "value"),
        ("seasonal_naive", "value"),
        ("ridge", "weights"),
        ("logistic_regression", "weights"),
        ("logistic_regression", "intercept"),
        ("naive_bayes", "mean"),
        ("nearest_neighbours", "rows"),
        ("svm", "weights"),
        ("random_forest", "value"),
        ("random_forest", "threshold"),
        ("hist_gradient_boosting", "value"),
        ("torch_mlp", "0.bias"),
        ("k_means", "centers"),
        ("gaussian_mixture", "log_weights"),
        ("gaussian_mixture", "whitening"),
        ("hdbscan", "points"),
        ("hdbscan", "reach"),
        ("isolation_forest", "value"),
        ("local_outlier_factor", "density"),
    ],
)
def test_numbers_that_are_none(kind, name, zoo):
    array = load(zoo.fitted(kind).dump()["model.safetensors"])[name].copy()
    array.flat[0] = np.nan
    assert refused(kind, changed(zoo, kind, **{name: array}))


@pytest.mark.parametrize("cluster", [-1, 3, 10**9])
def test_a_row_of_no_cluster(cluster, zoo):
    clusters = load(zoo.fitted("hdbscan").dump()["model.safetensors"])["clusters"].copy()
    clusters[0] = cluster
    assert refused("hdbscan", changed(zoo, "hdbscan", clusters=clusters))
