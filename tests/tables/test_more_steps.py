"""Steps that learn by group, from the outcome, from texts, or that choose among columns and rows."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from mlops_compiler.diagnostics import DataError, render_text
from mlops_compiler.ir.ops.prepare import (
    Aggregate,
    Balance,
    Cast,
    Deduplicate,
    Derive,
    DropConstant,
    DropCorrelated,
    GroupRare,
    HashEncode,
    Impute,
    ImputeModel,
    OneHot,
    Power,
    QuantileScale,
    Rename,
    SelectKBest,
    TargetEncode,
    Topics,
)
from mlops_compiler.tables.fusion import group_steps
from mlops_compiler.tables.preparation import fit
from mlops_compiler.tables.steps import LABEL, WEIGHT

NAN = float("nan")


def labelled(labels, **columns):
    return pl.DataFrame(columns).with_columns(pl.Series(LABEL, labels, dtype=pl.Int8))


def plain(**columns):
    return labelled([0] * len(next(iter(columns.values()))), **columns)


CASES = {
    "impute by group; a group that was not known gets what all rows give": (
        Impute(columns=("x",), statistic="median", by=("g",)),
        {"x": [1.0, 3.0, 10.0, None], "g": ["a", "a", "b", "b"]},
        {"x": [None, None, None, NAN, 7.0], "g": ["a", "b", "new", "a", "a"]},
        {"x": [2.0, 10.0, 3.0, 2.0, 7.0], "g": ["a", "b", "new", "a", "a"]},
    ),
    "a missing group is a group": (
        Impute(columns=("x",), statistic="mean", by=("g",)),
        {"x": [1.0, 5.0], "g": ["a", None]},
        {"x": [None, None], "g": [None, "a"]},
        {"x": [5.0, 1.0], "g": [None, "a"]},
    ),
    "an indicator of what was missing": (
        Impute(columns=("x",), value=0.0, indicator=True),
        {"x": [1.0]},
        {"x": [None, 2.0, NAN]},
        {"x": [0.0, 2.0, 0.0], "x_missing": pl.Series([1, 0, 1], dtype=pl.UInt8)},
    ),
    "rare levels and unknown ones are one; what is missing stays so": (
        GroupRare(columns=("x",), min_share=0.3, keep=None, level="(rare)"),
        {"x": ["a", "a", "a", "b", "c", "c", None]},
        {"x": ["a", "b", "c", "new", None]},
        {"x": ["a", "(rare)", "c", "(rare)", None]},
    ),
    "only the most frequent level is kept": (
        GroupRare(columns=("x",), min_share=0.0, keep=1, level="other"),
        {"x": ["b", "a", "b"]},
        {"x": ["a", "b"]},
        {"x": ["other", "b"]},
    ),
    "names change places": (
        Rename(names=(("x", "y"), ("y", "x"))),
        {"x": [1], "y": [2]},
        {"x": [3], "y": [4]},
        {"x": [4], "y": [3]},
    ),
    "statistics of a group; of all rows where it was not known": (
        Aggregate(columns=("x",), by=("g",), statistics=("mean", "max", "count")),
        {"x": [1.0, 3.0, 8.0], "g": ["a", "a", "b"]},
        {"x": [0.0, 0.0], "g": ["a", "new"]},
        {
            "x": [0.0, 0.0],
            "g": ["a", "new"],
            "x_mean_by_g": [2.0, 4.0],
            "x_max_by_g": [3.0, 8.0],
            "x_count_by_g": [2.0, 0.0],
        },
    ),
    "a cast may lose a share": (
        Cast(columns=("x",), to="int", max_loss=0.5),
        {"x": ["1", "two"]},
        {"x": ["3", "four", "5"]},
        {"x": [3, None, 5]},
    ),
    "derive, and remove what it was made of": (
        Derive(expressions=(("z", "x + y"),), remove=("x",)),
        {"x": [1], "y": [2]},
        {"x": [3], "y": [4]},
        {"y": [4], "z": [7]},
    ),
    "what does not vary goes": (
        DropConstant(columns=("x", "y", "z"), min_variance=0.0),
        {"x": [1, 1], "y": [1, 2], "z": pl.Series([None, None], dtype=pl.Float64)},
        {"x": [3], "y": [4], "z": [1.0]},
        {"y": [4]},
    ),
    "of two that say the same the first stays": (
        DropCorrelated(columns=("x", "y", "z"), above=0.9),
        {"x": [1.0, 2.0, 3.0, 4.0], "y": [-2.0, -4.0, -6.0, -8.0], "z": [1.0, -1.0, -1.0, 1.0]},
        {"x": [0.0], "y": [0.0], "z": [0.0]},
        {"x": [0.0], "z": [0.0]},
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_does_what_it_learned(fitted, case):
    step, training, rows, wanted = case
    made = fitted(plain(**training), step).transform(pl.DataFrame(rows))
    assert_frame_equal(made, pl.DataFrame(wanted))


SKEWED = [0.0, 0.1, 0.4, 1.0, 2.5, 2.5, 9.0, 40.0, -3.0, -0.5]
LATER = [-10.0, 0.2, 3.0, 500.0]


def test_yeo_johnson_is_scikit_learns(fitted):
    from sklearn.preprocessing import PowerTransformer

    theirs = PowerTransformer(standardize=False).fit(np.array(SKEWED)[:, None])
    ours = fitted(plain(x=[*SKEWED, None, NAN]), Power(columns=("x",)))
    assert ours.steps[0].learned["exponent"]["x"] == pytest.approx(theirs.lambdas_[0], rel=1e-4)
    found = ours.transform(pl.DataFrame({"x": [*LATER, None]}))["x"].to_list()
    assert found[-1] is None
    assert found[:-1] == pytest.approx(theirs.transform(np.array(LATER)[:, None])[:, 0].tolist(), rel=1e-3)


@pytest.mark.parametrize("to", ["uniform", "normal"])
def test_quantile_scale_is_scikit_learns(fitted, to):
    from sklearn.preprocessing import QuantileTransformer

    training = np.random.default_rng(0).exponential(size=500)
    later = [0.01, 0.5, 1.0, 3.0]
    theirs = QuantileTransformer(n_quantiles=50, output_distribution=to).fit(training[:, None])
    ours = fitted(plain(x=training.tolist()), QuantileScale(columns=("x",), quantiles=50, to=to))
    found = ours.transform(pl.DataFrame({"x": later}))["x"].to_list()
    assert found == pytest.approx(theirs.transform(np.array(later)[:, None])[:, 0].tolist(), abs=1e-6)


def test_a_regression_expects_what_is_missing(fitted):
    x = np.random.default_rng(0).normal(size=400)
    rows = plain(x=x.tolist(), y=[None if index % 5 == 0 else 3 * value + 1 for index, value in enumerate(x)])
    step = ImputeModel(columns=("y",), using=("x",), indicator=True)
    made = fitted(rows, step).transform(pl.DataFrame({"x": [0.0, 2.0, 1.0, None], "y": [None, None, 9.0, None]}))
    assert made["y"].to_list() == pytest.approx([1.0, 7.0, 9.0, 3 * x.mean() + 1], abs=0.05)
    assert made["y_missing"].to_list() == [1, 1, 0, 1]


TARGET = TargetEncode(columns=("x",), smoothing=1.0, folds=4)


def test_a_level_gets_the_rate_of_its_rows_drawn_to_that_of_all(fitted):
    rows = labelled([1, 1, 0, 0, 0, 0, 1, 0], x=["a", "a", "a", "b", "b", "b", None, None])
    made = fitted(rows, TARGET).transform(pl.DataFrame({"x": ["a", "b", None, "new"]}))["x"].to_list()
    assert made == pytest.approx([(2 + 3 / 8) / 4, (0 + 3 / 8) / 4, (1 + 3 / 8) / 3, 3 / 8])


def test_no_row_sees_its_own_outcome():
    """With its label turned, a row that learns gets the same number; rows of other parts get another."""
    levels = [f"l{index % 6}" for index in range(60)]
    labels = [index % 3 % 2 for index in range(60)]
    steps = group_steps((_named(TARGET),))
    _, before = fit(steps, labelled(labels, x=levels))
    for row in range(60):
        turned = [1 - label if index == row else label for index, label in enumerate(labels)]
        _, after = fit(steps, labelled(turned, x=levels))
        assert after["x"][row] == before["x"][row]
        assert after["x"].to_list() != before["x"].to_list()


def test_a_level_that_is_random_tells_nothing_of_the_outcome_it_was_learned_from():
    """A level for nearly each row: encoded plainly it would repeat the label; cross-fitted it does not."""
    random = np.random.default_rng(3)
    labels = random.integers(0, 2, 2000)
    rows = labelled(labels.tolist(), x=[f"l{value}" for value in random.integers(0, 1000, 2000)])
    step = TargetEncode(columns=("x",), smoothing=0.1, folds=5)
    preparation, prepared = fit(group_steps((_named(step),)), rows)
    plainly = preparation.transform(rows, "scoring")["x"].to_numpy()
    assert np.corrcoef(plainly, labels)[0, 1] > 0.6
    assert abs(np.corrcoef(prepared["x"].to_numpy(), labels)[0, 1]) < 0.1


def test_a_hash_needs_no_training(fitted):
    rows = pl.DataFrame({"x": ["a", "b", "a", None]})
    made = fitted(plain(x=["z"]), HashEncode(columns=("x",), buckets=8)).transform(rows)
    assert made.width == 8
    assert made.sum_horizontal().to_list() == [1, 1, 1, 0]
    assert made.row(0) == made.row(2)


TEXTS = ["the cat sat", "the cat ran", "a dog ran far", "the dog sat far", "birds sing", "birds sing loud"] * 4


def test_topics_are_scikit_learns(fitted):
    from sklearn.decomposition import TruncatedSVD
    from sklearn.feature_extraction.text import TfidfVectorizer

    step = Topics(columns=("x",), components=3, max_terms=100, min_rows=2)
    made = fitted(plain(x=TEXTS), step).transform(pl.DataFrame({"x": ["the dog sings", "Birds!", "unheard of", None]}))
    assert made.columns == ["x~1", "x~2", "x~3"]
    words = TfidfVectorizer(min_df=2)
    svd = TruncatedSVD(n_components=3, random_state=0).fit(words.fit_transform(TEXTS))
    wanted = svd.transform(words.transform(["the dog sings", "Birds!", "unheard of", ""]))
    np.testing.assert_allclose(made.to_numpy(), wanted, atol=1e-12)


def test_topics_of_too_few_words_are_refused(fitted):
    step = Topics(columns=("x",), components=5, max_terms=100, min_rows=2)
    with pytest.raises(DataError) as refused:
        fitted(plain(x=["one", "two", "one"]), step)
    assert "has 1 words that stand in 2 training rows or more" in render_text(refused.value.diagnostics)


def test_the_columns_that_tell_most_stay(fitted):
    random = np.random.default_rng(1)
    labels = random.integers(0, 2, 400)
    rows = labelled(
        labels.tolist(),
        noise=random.normal(size=400).tolist(),
        same=(labels * 5.0).tolist(),
        city=["a" if label else "bc"[index % 2] for index, label in enumerate(labels)],
    )
    steps = (
        OneHot(columns=("city",), max_levels=20, rare="group"),
        SelectKBest(columns=("noise", "same", "city=*"), k=2),
    )
    made = fitted(rows, *steps)
    assert made.transform(rows.drop(LABEL)).columns == ["same", "city=a"]
    scores = made.steps[1].learned["nats"]
    assert scores["same"] == pytest.approx(np.log(2), abs=0.01)
    assert scores["noise"] < 0.02


def test_rows_that_repeat_are_learned_from_once(fitted):
    rows = plain(x=[1, 1, 2, None, None], y=[1, 2, 3, 4, 5])
    preparation, prepared = fit(group_steps((_named(Deduplicate(columns=("x",), max_loss=1.0)),)), rows)
    assert prepared["y"].to_list() == [1, 3, 4]
    for mode in ("scoring", "serving"):
        assert preparation.transform(rows, mode).height == 5


@pytest.mark.parametrize(("method", "counts"), [("over", (6, 6)), ("under", (2, 2)), ("weights", (6, 2))])
def test_both_classes_weigh_the_same_where_a_model_learns(method, counts):
    rows = labelled([1, 0, 0, 0, 1, 0, 0, 0], x=list(range(8)))
    preparation, prepared = fit(group_steps((_named(Balance(method=method, seed=1)),)), rows)
    labels = prepared[LABEL]
    assert ((labels == 0).sum(), (labels == 1).sum()) == counts
    weights = prepared.get_column(WEIGHT, default=pl.Series([1.0] * len(labels)))
    assert weights.filter(labels == 1).sum() == pytest.approx(weights.filter(labels == 0).sum())
    assert set(zip(prepared["x"], labels, strict=True)) <= set(zip(rows["x"], rows[LABEL], strict=True))
    for mode in ("scoring", "serving"):
        assert_frame_equal(preparation.transform(rows.drop(LABEL), mode), rows.drop(LABEL))


REFUSED = {
    "nothing to regress on": (ImputeModel(columns=("x",), using=("y",)), {"x": [None, None], "y": [1.0, 2.0]}),
    "nothing to bring near to a normal distribution": (Power(columns=("x",)), {"x": [None, NAN]}),
    "no quantiles": (QuantileScale(columns=("x",), quantiles=4, to="uniform"), {"x": [None, None]}),
    "infinite values by group": (
        Aggregate(columns=("x",), by=("g",), statistics=("mean",)),
        {"x": [1.0, float("inf")], "g": ["a", "b"]},
    ),
    "more lost than allowed": (Cast(columns=("x",), to="int", max_loss=0.4), {"x": ["1", "two"]}),
}


@pytest.mark.parametrize("case", REFUSED.values(), ids=REFUSED)
def test_refuses_rows_and_names_the_step(fitted, case):
    step, columns = case
    rows = plain(**{name: pl.Series(values, strict=False) for name, values in columns.items()})
    rows = rows.with_columns(pl.selectors.by_dtype(pl.Null).cast(pl.Float64))
    with pytest.raises(DataError) as refused:
        fitted(rows, step)
    (found,) = refused.value.diagnostics
    assert found.code in {"nothing-to-learn", "infinite-values", "step-failed", "too-much-loss"}
    assert "`s0`" in found.headline


def _named(step):
    from mlops_compiler.ir.ops.preparation import NamedStep

    return NamedStep(name="s0", step=step)
