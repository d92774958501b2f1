"""L-SEL-4: what each feature adds is exact where the structure of the model is known, and always adds up to the score."""

from __future__ import annotations

from dataclasses import replace
from itertools import chain, combinations
from math import factorial

import numpy as np
import polars as pl
import pytest

from mlops_compiler.explain.release import Explainer
from mlops_compiler.explain.shapley import by_sampling, of_form
from mlops_compiler.explain.trees import Coded, is_countable
from mlops_compiler.models.adapters.trees import Trees
from mlops_compiler.models.form import Linear, TreeSum
from mlops_compiler.models.kind import FitOptions
from mlops_compiler.models.registry import MODELS

ROWS, FEATURES, BACKGROUND = 300, 4, 12
GROUPS = {f"f{place}": [place] for place in range(FEATURES)}
SMALL = {
    "random_forest": {"n_estimators": 8},
    "extra_trees": {"n_estimators": 8},
    "hist_gradient_boosting": {"max_iter": 15, "early_stopping": False},
}


def known_forms():
    for name in (name for name in MODELS if MODELS[name].explains):
        for task in MODELS[name].tasks:
            yield pytest.param(name, task, id=f"{name}: {task}")


def fitted(name, task):
    draw = np.random.default_rng(3)
    X = draw.normal(size=(ROWS, FEATURES))
    score = X[:, 0] + X[:, 1] * X[:, 2] + 0.3 * draw.normal(size=ROWS)
    targets = {
        "regression": score,
        "binary_classification": (score > 0).astype(int),
        "multiclass_classification": np.digitize(score, [-1, 1]),
    }
    kind = MODELS[name]
    options = FitOptions(seed=1, task=task, classes=len(np.unique(targets[task])) if task != "regression" else 0)
    return kind.fit(X, targets[task], parameters={**kind.defaults, **SMALL.get(name, {})}, options=options), X


def brute(score, row, background):
    """Compute Shapley values by their definition, over all coalitions."""
    players = range(len(row))

    def worth(coalition):
        mixed = background.copy()
        mixed[:, list(coalition)] = row[list(coalition)]
        return score(mixed).mean(axis=0)

    def value(player):
        others = [other for other in players if other != player]
        subsets = chain.from_iterable(combinations(others, size) for size in range(len(others) + 1))
        weight = lambda size: factorial(size) * factorial(len(row) - size - 1) / factorial(len(row))  # noqa: E731
        return sum(weight(len(each)) * (worth((*each, player)) - worth(each)) for each in subsets)

    return np.array([value(player) for player in players])


@pytest.mark.parametrize(("name", "task"), list(known_forms()))
def test_exact_contributions_are_those_of_the_definition_and_add_up(name, task):
    model, X = fitted(name, task)
    form, rows, background = model.form(), X[:5], X[100 : 100 + BACKGROUND]
    found = of_form(form, rows, background, GROUPS)

    def score(matrix):
        return form.scores(matrix) if isinstance(form, TreeSum) else matrix @ form.weights + form.intercept

    np.testing.assert_allclose(found.scores(), score(rows), atol=1e-5)
    np.testing.assert_allclose(found.values[0], brute(score, rows[0], background), atol=1e-5)


@pytest.mark.parametrize(("name", "task"), list(known_forms()))
def test_a_form_gives_the_answers_of_its_model(name, task):
    model, X = fitted(name, task)
    form = model.form()
    scores = form.scores(X) if isinstance(form, TreeSum) else X @ form.weights + form.intercept
    if form.scale == "log_odds":
        odds = np.exp(scores if task == "multiclass_classification" else np.column_stack([0 * scores, scores]))
        scores = odds / odds.sum(axis=1, keepdims=True)
    answers = model.predict(X)
    np.testing.assert_allclose(scores[:, -1], answers[:, -1], atol=1e-9)


@pytest.mark.parametrize("name", [name for name in MODELS if MODELS[name].explains])
def test_a_kind_that_says_so_gives_its_form(name):
    task = MODELS[name].tasks[0]
    form = fitted(name, task)[0].form()
    assert isinstance(form, Linear if "coefficients" in MODELS[name].explains else TreeSum)


def test_rows_compare_by_rank_as_they_do_by_value():
    """The library rounds to float32: of neighbours in float64 it cannot tell which side of a threshold they are on."""
    edge = 1.0
    leaf = {"feature": [0, -1, -1], "threshold": [edge, 0, 0], "left": [1, 1, 2], "right": [2, 1, 2]}
    arrays = {name: np.array(values) for name, values in leaf.items()}
    trees = Trees.join([arrays | {"missing_left": np.zeros(3, bool), "value": np.array([0.0, -1.0, 5.0])}])
    X = np.array([[edge], [np.nextafter(edge, 2)], [np.nan]])
    assert Coded.of(trees, 1).rows(X).ravel().tolist()[:2] == [0.0, 1.0]
    form = TreeSum(trees=(trees,), first=np.zeros(1), scale="value")
    found = of_form(form, X, np.array([[0.0]]), {"f0": [0]})
    np.testing.assert_allclose(found.scores(), form.scores(X))
    assert found.scores().ravel().tolist() == [-1.0, 5.0, 5.0]


def test_trees_deeper_than_the_library_counts_are_left_to_sampling():
    depth = 40
    nodes = np.arange(2 * depth + 1)
    inner = (nodes % 2 == 0) & (nodes < 2 * depth)
    tree = {
        "feature": np.where(inner, 0, -1),
        "threshold": -nodes.astype(float),
        "left": np.where(inner, nodes + 1, 0),
        "right": np.where(inner, nodes + 2, 0),
        "missing_left": np.zeros(len(nodes), bool),
        "value": nodes.astype(float),
    }
    deep = Trees.join([tree])
    assert not is_countable(deep)
    assert (
        of_form(TreeSum(trees=(deep,), first=np.zeros(1), scale="value"), np.ones((1, 1)), np.ones((1, 1)), {"f": [0]})
        is None
    )


def test_features_of_one_encoding_are_told_as_one():
    model, X = fitted("logistic_regression", "binary_classification")
    each = of_form(model.form(), X[:3], X[50:60], GROUPS)
    both = of_form(model.form(), X[:3], X[50:60], {"a": [0], "encoded": [1, 2, 3]})
    np.testing.assert_allclose(both.values[:, 1], each.values[:, 1:].sum(axis=1))


def test_sampling_adds_up_and_comes_close_to_the_exact_values():
    model, X = fitted("logistic_regression", "binary_classification")
    names = list(GROUPS)
    frame, background = pl.DataFrame(X[:6], schema=names), pl.DataFrame(X[50:60], schema=names)

    def answers(rows):
        matrix = rows.select(names).to_numpy()
        return matrix @ model.form().weights[:, 0] + model.form().intercept[0]

    found = by_sampling(frame, background, names, answers, scale="log_odds", seed=1)
    np.testing.assert_allclose(found.scores()[:, 0], answers(frame))
    exact = of_form(model.form(), X[:6], X[50:60], GROUPS)
    np.testing.assert_allclose(found.values, exact.values, atol=1e-9)


def test_what_a_row_gets_does_not_depend_on_the_rows_beside_it():
    frame = pl.DataFrame({"a": [1.0, 2.0, None], "b": ["x", "y", "y"]})
    background = pl.DataFrame({"a": [0.0, 5.0], "b": ["x", None]})

    def answers(rows):
        return (rows["a"].fill_null(9.0) * (1 + (rows["b"] == "y").fill_null(value=False).cast(float))).to_numpy()

    whole = by_sampling(frame, background, ["a", "b"], answers, scale="value", seed=0)
    alone = by_sampling(frame[1], background, ["a", "b"], answers, scale="value", seed=0)
    assert (whole.values[1] == alone.values[0]).all()
    np.testing.assert_allclose(whole.scores()[:, 0], answers(frame))


def test_fewer_rows_are_explained_the_more_a_row_costs():
    sizes = []
    for name, task in (("logistic_regression", "regression"), ("random_forest", "binary_classification")):
        kind = "ridge" if task == "regression" else name
        model, X = fitted(kind, task)
        frame = pl.DataFrame(X[:50], schema=list(GROUPS))
        made = Explainer(
            background=frame,
            columns=tuple(GROUPS),
            groups=GROUPS,
            form=model.form(),
            matrix=lambda rows: rows.to_numpy(),
            answers=lambda rows: rows.to_numpy()[:, 0],
            scale="value",
        )
        sizes.append(made.affordable)
    large = replace(model.form(), trees=(model.form().trees[0],) * 2000)
    assert sizes == [200, 200]
    assert replace(made, form=large).affordable < 200
    assert replace(made, form=None).affordable == 125
