"""Each kind scores as the library that fitted it does."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.cluster import HDBSCAN, KMeans
from sklearn.ensemble import (
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    IsolationForest,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.linear_model import ElasticNet, LinearRegression, LogisticRegression, Ridge
from sklearn.metrics import adjusted_rand_score
from sklearn.mixture import GaussianMixture
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor, LocalOutlierFactor
from sklearn.svm import SVC, SVR
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from mlops_compiler.diagnostics import DataError, EngineError
from mlops_compiler.models.adapters import logistic
from mlops_compiler.models.adapters.svm import coupled, pairs
from mlops_compiler.models.adapters.tree_predictor import sum_by_tree


def test_prior_gives_the_class_frequencies(zoo):
    X, y = zoo.X, zoo.y
    assert zoo.fitted("prior").predict(X)[7] == pytest.approx([1 - y.mean(), y.mean()])


def test_the_mean_is_the_mean(zoo):
    assert zoo.fitted("mean").predict(zoo.X)[7] == pytest.approx([zoo.targets["regression"].mean()])


def test_ridge_is_scikit_learns(zoo):
    X, y = zoo.X, zoo.targets["regression"]
    assert zoo.fit("ridge", alpha=3.0).predict(X)[:, 0] == pytest.approx(
        Ridge(alpha=3.0).fit(X, y).predict(X), rel=1e-12
    )


def theirs(parameters):
    """Give the parameters that scikit-learn knows."""
    return {name: value for name, value in parameters.items() if name not in ("max_cat_to_onehot", "loss")}


@pytest.mark.parametrize("task", ["multiclass_classification", "regression"])
@pytest.mark.parametrize(
    ("kind", "classifier", "regressor"),
    [
        ("random_forest", RandomForestClassifier, RandomForestRegressor),
        ("extra_trees", ExtraTreesClassifier, ExtraTreesRegressor),
        ("decision_tree", DecisionTreeClassifier, DecisionTreeRegressor),
        ("hist_gradient_boosting", HistGradientBoostingClassifier, HistGradientBoostingRegressor),
        ("logistic_regression", LogisticRegression, None),
    ],
)
def test_other_tasks_are_scikit_learns(kind, classifier, regressor, task, zoo):
    X, y = zoo.X, zoo.targets[task]
    settings = {**theirs(zoo.parameters(kind)), "random_state": 1}
    if task == "regression" and regressor is not None:
        assert zoo.fitted(f"{kind}/{task}").predict(X)[:, 0] == pytest.approx(
            regressor(**settings).fit(X, y).predict(X), rel=1e-12
        )
    elif task != "regression":
        oracle = classifier(**settings, **({"max_iter": 1000} if kind == "logistic_regression" else {})).fit(X, y)
        assert zoo.fitted(f"{kind}/{task}").predict(X) == pytest.approx(oracle.predict_proba(X), rel=1e-9)


def test_k_means_is_scikit_learns_and_numbered_by_size(zoo):
    found = zoo.fitted("k_means").predict(zoo.X)
    oracle = KMeans(n_clusters=3, n_init=10, random_state=1).fit(zoo.X)
    assert adjusted_rand_score(oracle.labels_, found[:, 0]) == 1
    assert found[:, 1] == pytest.approx(oracle.transform(zoo.X).min(axis=1))
    sizes = np.bincount(found[:, 0].astype(int))
    assert sizes.tolist() == sorted(sizes, reverse=True)


@pytest.mark.parametrize("shape", ["full", "tied", "diag", "spherical"])
def test_a_mixture_is_scikit_learns(shape, zoo):
    found = zoo.fit("gaussian_mixture", covariance_type=shape).predict(zoo.X)
    settings = {"n_components": 3, "covariance_type": shape, "reg_covar": 1e-3, "n_init": 3}
    oracle = GaussianMixture(**settings, max_iter=200, random_state=1).fit(zoo.X)
    assert adjusted_rand_score(oracle.predict(zoo.X), found[:, 0]) == 1
    assert found[:, 2] == pytest.approx(oracle.predict_proba(zoo.X).max(axis=1), rel=1e-9)


def test_hdbscan_names_the_rows_that_it_was_fitted_on(zoo):
    found = zoo.fitted("hdbscan").predict(zoo.X)[:, 0]
    oracle = HDBSCAN(min_cluster_size=25, min_samples=5, copy=True).fit(zoo.X).labels_
    inside = oracle >= 0
    assert adjusted_rand_score(oracle[inside], found[inside]) == 1
    assert zoo.fitted("hdbscan").predict(np.full((1, 6), 1e3))[0, 0] == -1


@pytest.mark.parametrize("kind", ["k_means", "gaussian_mixture", "hdbscan"])
def test_rows_too_alike_for_clusters_are_refused(kind, zoo):
    with pytest.raises(DataError, match="different rows"):
        zoo.fit(kind, np.zeros((50, 6)), np.zeros(50, dtype=np.int64))


def test_where_no_rows_are_dense_there_is_no_cluster(zoo):
    X = np.random.default_rng(0).normal(size=(60, 6))
    with pytest.raises(DataError, match="finds no cluster of 50 rows"):
        zoo.fit("hdbscan", X, np.zeros(60, dtype=np.int64), min_cluster_size=50)


def test_an_isolation_forest_is_scikit_learns(zoo):
    oracle = IsolationForest(n_estimators=30, max_samples=256, random_state=1).fit(zoo.X)
    assert zoo.fitted("isolation_forest").predict(zoo.X)[:, 0] == pytest.approx(-oracle.score_samples(zoo.X), rel=1e-9)


def test_outlier_factors_are_scikit_learns(zoo):
    X = np.random.default_rng(4).normal(size=(50, 6)) * 3
    oracle = -LocalOutlierFactor(n_neighbors=20, novelty=True).fit(zoo.X).score_samples(X)
    assert zoo.fitted("local_outlier_factor").predict(X)[:, 0] == pytest.approx(oracle / (1 + oracle), rel=1e-9)
    assert len(zoo.fit("local_outlier_factor", max_rows=100).points) == 100


def test_a_class_without_rows_has_probability_zero(zoo):
    X, y = zoo.X, zoo.y
    assert zoo.fit("prior", X, np.zeros_like(y)).predict(X[:1]).tolist() == [[1.0, 0.0]]


@pytest.mark.parametrize("class_weight", [None, "balanced"])
def test_logistic_regression_is_scikit_learns(class_weight, zoo):
    X, y = zoo.X, zoo.y
    oracle = LogisticRegression(C=0.1, class_weight=class_weight).fit(X, y)
    ours = zoo.fit("logistic_regression", C=0.1, class_weight=class_weight)
    assert ours.predict(X) == pytest.approx(oracle.predict_proba(X), rel=1e-12)


def test_a_forest_is_scikit_learns(zoo):
    X, y = zoo.X, zoo.y
    oracle = RandomForestClassifier(**zoo.parameters("random_forest"), random_state=1).fit(X, y)
    assert zoo.fitted("random_forest").predict(X) == pytest.approx(oracle.predict_proba(X), rel=1e-12)


@pytest.mark.parametrize("l1_ratio", [0.3, 1.0])
def test_an_l1_penalty_leaves_weights_out(l1_ratio, zoo):
    X, y = zoo.X, zoo.y
    settings = {"C": 0.05, "l1_ratio": l1_ratio}
    oracle = LogisticRegression(**settings, solver="saga", max_iter=1000, random_state=1).fit(X, y)
    ours = zoo.fit("logistic_regression", **settings)
    assert ours.predict(X) == pytest.approx(oracle.predict_proba(X), rel=1e-9)
    assert (ours.weights == 0).any()


def test_ridge_without_a_penalty_is_least_squares(zoo):
    X, y = zoo.X, zoo.targets["regression"]
    assert zoo.fit("ridge", alpha=0.0).predict(X)[:, 0] == pytest.approx(LinearRegression().fit(X, y).predict(X))


def test_an_elastic_net_is_scikit_learns_in_any_unit(zoo):
    X, y = zoo.X, zoo.targets["regression"]
    oracle = ElasticNet(alpha=0.05, l1_ratio=0.7).fit(X, (y - y.mean()) / y.std())
    ours = zoo.fit("elastic_net", alpha=0.05, l1_ratio=0.7)
    assert ours.predict(X)[:, 0] == pytest.approx(oracle.predict(X) * y.std() + y.mean(), rel=1e-12)
    assert zoo.fit("elastic_net", alpha=2.0, l1_ratio=1.0).weights.tolist() == [[0.0]] * 6


@pytest.mark.parametrize("task", ["binary_classification", "multiclass_classification"])
def test_naive_bayes_is_scikit_learns(task, zoo):
    X, y = zoo.X, zoo.targets[task]
    oracle = GaussianNB(var_smoothing=0.1).fit(X, y)
    assert zoo.fit(f"naive_bayes/{task}", var_smoothing=0.1).predict(X) == pytest.approx(oracle.predict_proba(X))


@pytest.mark.parametrize("weights", ["uniform", "distance"])
@pytest.mark.parametrize("task", ["binary_classification", "multiclass_classification", "regression"])
def test_neighbours_are_scikit_learns(task, weights, zoo):
    X, y = zoo.X, zoo.targets[task]
    ours = zoo.fit(f"nearest_neighbours/{task}", X[:300], y[:300], weights=weights, n_neighbors=7)
    chosen = KNeighborsRegressor if task == "regression" else KNeighborsClassifier
    oracle = chosen(n_neighbors=7, weights=weights).fit(X[:300], y[:300])
    theirs = oracle.predict(X)[:, None] if task == "regression" else oracle.predict_proba(X)
    assert ours.predict(X) == pytest.approx(theirs, rel=1e-9, abs=1e-12)


def test_neighbours_that_are_equally_near_answer_in_their_order(zoo):
    X = np.repeat([[0.0], [1.0]], [4, 2], axis=0)
    model = zoo.fit("nearest_neighbours", X, np.array([1, 0, 0, 1, 1, 0]), n_neighbors=3, weights="uniform")
    assert model.predict(np.array([[0.0], [0.9]]))[:, 1] == pytest.approx([1 / 3, 2 / 3])


@pytest.mark.parametrize("scale", [1.0, 1e-8, 1e8])
@pytest.mark.parametrize("offset", [0.0, 1e6])
def test_no_neighbour_is_missed_for_rounding(scale, offset, zoo):
    X = (zoo.X + offset) * scale
    model = zoo.fit("nearest_neighbours", X, n_neighbors=5, weights="uniform")
    exact = ((X[:, None, :] - X[None]) ** 2).sum(axis=2)
    nearest = np.argsort(exact, axis=1, kind="stable")[:, :5]
    assert model.predict(X)[:, 1] == pytest.approx(zoo.y[nearest].mean(axis=1))


@pytest.mark.parametrize("kernel", ["rbf", "linear"])
class TestSvm:
    SETTINGS = {"C": 2.0, "gamma": 0.2}  # noqa: RUF012

    def test_of_two_classes_decides_as_scikit_learns(self, kernel, zoo):
        X, y = zoo.X, zoo.y
        oracle = SVC(kernel=kernel, **self.SETTINGS).fit(X, y)
        ours = zoo.fit("svm", kernel=kernel, **self.SETTINGS)
        log_odds = np.log(ours.predict(X)[:, 1] / ours.predict(X)[:, 0])
        assert log_odds == pytest.approx(oracle.decision_function(X) * ours.slope + ours.offset, rel=1e-6, abs=1e-6)

    def test_is_calibrated_on_rows_that_it_did_not_see(self, kernel, zoo):
        from sklearn.calibration import _SigmoidCalibration

        X, y = zoo.X, zoo.y
        folds = StratifiedKFold(3, shuffle=True, random_state=1)
        machine = clone(SVC(kernel=kernel, **self.SETTINGS))
        unseen = cross_val_predict(machine, X, y, cv=folds, method="decision_function")
        oracle = _SigmoidCalibration().fit(unseen, y)
        ours = zoo.fit("svm", kernel=kernel, **self.SETTINGS)
        assert [*ours.slope, *ours.offset] == pytest.approx([-oracle.a_, -oracle.b_])

    def test_of_a_value_is_scikit_learns_in_any_unit(self, kernel, zoo):
        X, y = zoo.X, zoo.targets["regression"]
        oracle = SVR(kernel=kernel, epsilon=0.2, **self.SETTINGS).fit(X, (y - y.mean()) / y.std())
        ours = zoo.fit("svm/regression", kernel=kernel, epsilon=0.2, **self.SETTINGS)
        assert ours.predict(X)[:, 0] == pytest.approx(oracle.predict(X) * y.std() + y.mean(), rel=1e-9)

    def test_of_several_classes_finds_them(self, kernel, zoo):
        y = zoo.targets["multiclass_classification"]
        found = zoo.fit("svm/multiclass_classification", kernel=kernel, **self.SETTINGS).predict(zoo.X)
        assert (found.argmax(axis=1) == y).mean() > 0.4


def test_coupled_pairs_agree_with_the_probabilities_that_they_come_from():
    true = np.array([[0.5, 0.3, 0.2], [0.1, 0.1, 0.8]])
    first = np.stack([true[:, one] / (true[:, one] + true[:, other]) for one, other in pairs(3)], axis=1)
    assert coupled(first, 3) == pytest.approx(true)


@pytest.mark.parametrize("task", ["binary_classification", "multiclass_classification", "regression"])
@pytest.mark.parametrize("kind", ["svm", "nearest_neighbours"])
def test_a_sample_is_learned_from_where_there_are_more_rows(kind, task, zoo):
    y = zoo.targets[task].copy()
    if task != "regression":
        y[y == 1] = 0
        y[7] = 1
    model = zoo.fit(f"{kind}/{task}", zoo.X, y, max_rows=100)
    rows = model.rows if kind == "nearest_neighbours" else model.vectors
    assert len(rows) <= 103
    assert "a sample of 10" in model.notes[0]
    assert "of 400 rows" in model.notes[0]
    assert zoo.fit(f"{kind}/{task}", zoo.X, y, max_rows=400).notes == ()


def test_all_columns_is_not_one_column(zoo):
    assert zoo.fit("random_forest", max_features=1).dump() == zoo.fit("random_forest", max_features=1.0).dump()


@pytest.mark.parametrize(
    ("kind", "classifier", "regressor"),
    [
        ("decision_tree", DecisionTreeClassifier, DecisionTreeRegressor),
        ("random_forest", RandomForestClassifier, RandomForestRegressor),
        ("extra_trees", ExtraTreesClassifier, ExtraTreesRegressor),
    ],
)
def test_trees_send_missing_values_where_scikit_learn_does(kind, classifier, regressor, zoo):
    missing = np.random.default_rng(5).random(zoo.X.shape) < [0.2, 0.2, 0.2, 0.2, 0.2, 0.0]
    X, elsewhere = np.where(missing, np.nan, zoo.X), np.where(missing[:, ::-1], np.nan, zoo.X)
    settings = {**zoo.parameters(kind), "random_state": 1}
    for task, chosen in (("multiclass_classification", classifier), ("regression", regressor)):
        y, oracle = zoo.targets[task], chosen(**settings)
        oracle.fit(X, y)
        theirs = oracle.predict(elsewhere)[:, None] if task == "regression" else oracle.predict_proba(elsewhere)
        assert zoo.fit(f"{kind}/{task}", X, y).predict(elsewhere) == pytest.approx(theirs, rel=1e-12)


@pytest.mark.parametrize("early_stopping", [True, False])
@pytest.mark.parametrize("missing", [0.0, 0.2])
def test_boosting_is_scikit_learns(early_stopping, missing, zoo):
    X, y = zoo.X, zoo.y
    X = np.where(np.random.default_rng(5).random(X.shape) < missing, np.nan, X)
    settings = theirs(zoo.parameters("hist_gradient_boosting", early_stopping=early_stopping))
    oracle = HistGradientBoostingClassifier(**settings, random_state=1).fit(X, y)
    ours = zoo.fit("hist_gradient_boosting", X, y, early_stopping=early_stopping)
    assert ours.predict(X) == pytest.approx(oracle.predict_proba(X), rel=1e-12)


@pytest.mark.parametrize("task", ["binary_classification", "multiclass_classification", "regression"])
@pytest.mark.parametrize("kind", ["decision_tree", "random_forest", "extra_trees", "hist_gradient_boosting"])
def test_both_engines_walk_trees_alike(kind, task, zoo):
    X = zoo.X
    trees = zoo.fitted(f"{kind}/{task}").trees
    odd = np.vstack([X, np.full((1, 6), np.nan), np.full((1, 6), 1e300), trees.threshold[:6][None, :]])
    assert (trees.sum_by_level(odd, 0.25) == sum_by_tree(trees, odd, 0.25)).all()


def test_boosting_says_when_it_cannot_hold_rows_back(zoo):
    X, y = np.arange(12.0).reshape(6, 2), np.array([0, 0, 1, 1, 1, 1])
    assert "too few" in zoo.fit("hist_gradient_boosting", X, y).notes[0]
    assert zoo.fit("hist_gradient_boosting", X, y, early_stopping=False).notes == ()


def test_an_unconverged_fit_leaves_a_note_and_no_warning(monkeypatch, zoo):
    assert zoo.fitted("logistic_regression").notes == ()
    monkeypatch.setattr(logistic, "_MAX_ITERATIONS", 1)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = zoo.fit("logistic_regression")
    assert "did not converge in 1 steps" in model.notes[0]


class TestNet:
    def test_is_the_network_that_torch_trained(self, zoo):
        import torch

        X = zoo.X
        hidden, last = zoo.fitted("torch_mlp").layers[:-1], zoo.fitted("torch_mlp").layers[-1]
        value = torch.from_numpy(zoo.fitted("torch_mlp").inputs.fill(X))
        for layer in hidden:
            value = torch.relu(value @ torch.from_numpy(layer.weights) + torch.from_numpy(layer.bias))
        margin = value @ torch.from_numpy(last.weights) + torch.from_numpy(last.bias)
        ours = zoo.fitted("torch_mlp").predict(X)[:, 1]
        assert ours == pytest.approx(torch.sigmoid(margin)[:, 0].numpy(), rel=1e-9)

    def test_one_bin_leaves_the_columns_as_they_are(self, zoo):
        model = zoo.fit("torch_mlp", bins=1)
        assert model.inputs.bins is None
        assert zoo.fit("torch_mlp", numeric_embedding="none").layers[0].weights.shape == model.layers[0].weights.shape
        assert len(model.layers[0].weights) == 6

    def test_leaves_torch_as_it_was(self, zoo):
        import torch

        torch.manual_seed(5)
        before = torch.get_rng_state(), torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
        zoo.fit("torch_mlp")
        after = torch.get_rng_state(), torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
        assert torch.equal(before[0], after[0])
        assert before[1:] == after[1:]

    def test_depends_on_no_state_outside(self, zoo):
        import torch

        torch.manual_seed(99)
        assert zoo.fit("torch_mlp").dump() == zoo.fitted("torch_mlp").dump()

    def test_stops_when_patience_ends(self, zoo):
        short, long = (zoo.fit("torch_mlp", epochs=epochs, patience=1) for epochs in (100, 1000))
        assert short.dump() == long.dump()

    def test_a_divergence_is_an_error_not_a_model(self, zoo):
        X, y = zoo.X, zoo.y
        with pytest.raises(EngineError, match="diverged"):
            zoo.fit("torch_mlp", X * 1e38, y, bins=1)

    def test_products_may_be_bfloat16(self, zoo):
        mixed, again, plain = (zoo.fit("torch_mlp", precision=name) for name in ("bfloat16", "bfloat16", "float32"))
        assert mixed.dump() == again.dump() != plain.dump()
        assert plain.dump() == zoo.fitted("torch_mlp").dump()  # left to the device, a CPU takes float32
        assert mixed.predict(zoo.X) == pytest.approx(plain.predict(zoo.X), abs=0.1)

    @pytest.mark.gpu
    def test_trains_on_a_gpu(self, zoo):
        import torch

        if not torch.cuda.is_available():
            pytest.skip("no GPU here")
        from mlops_compiler.models.kind import FitOptions
        from mlops_compiler.models.registry import MODELS

        X, y = zoo.X, zoo.y
        options = FitOptions(seed=1, device="cuda")
        trained = [
            MODELS["torch_mlp"].fit(X, y, parameters=zoo.parameters("torch_mlp"), options=options) for _ in range(2)
        ]
        assert trained[0].dump() == trained[1].dump()
        assert ((trained[0].predict(X)[:, 1] > 0.5) == y).mean() > 0.6
