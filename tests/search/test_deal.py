"""Rows are dealt so that no model is judged by rows that it saw, nor, in order of time, by rows before those it saw."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from mlops_compiler.backends.stages.deal import deal
from mlops_compiler.backends.stages.rows import Rows, split_table
from mlops_compiler.backends.stages.split import label_rows, strata_of
from mlops_compiler.backends.stages.windows import Order, group_numbers
from mlops_compiler.diagnostics import DataError
from mlops_compiler.ir.ops.lifecycle import Split, Stretch

SEVERAL, REGRESSION = "multiclass_classification", "regression"


def split(kind, k=3, **columns):
    return Split(
        task=columns.pop("task", "binary_classification"),
        target="y",
        positive=1,
        holdout=kind,
        fraction=0.25,
        folds=kind,
        k=k,
        seed=7,
        **columns,
    )


def dealt(op, labels, **order):
    """Deal rows; gives them as the split is read."""
    seconds = order.pop("seconds", None)
    given_ = {name: pl.Series(values).rank("dense").to_numpy() for name, values in order.items()}
    found = deal(op, np.asarray(labels, dtype=np.int64), Order(**given_, seconds=seconds))
    table = split_table(found, pl.Series("label", labels))
    return Rows(frame=table.select("label"), split=table.drop("label"))


def no_row_is_in_both(rows):
    return not any((rows.learns(part) & rows.judges(part)).any() for part in parts_of(rows))


def parts_of(rows):
    return [None, *range(rows.split.width - 1)]


times = st.lists(st.integers(0, 60), min_size=30, max_size=120)


@settings(max_examples=25, deadline=None)
@given(times=times, data=st.data())
def test_nothing_that_judges_comes_before_what_it_judges(times, data):
    labels = data.draw(st.lists(st.integers(0, 1), min_size=len(times), max_size=len(times)))
    op = split("time_ordered", time="t")
    try:
        rows = dealt(op, labels, time=times)
    except DataError:
        assume(condition=False)
    when = pl.Series(times)
    for part in parts_of(rows):
        assert when.filter(rows.learns(part)).max() < when.filter(rows.judges(part)).min()
    assert (rows.learns() | rows.judges()).all()
    assert rows.judges().sum() <= op.fraction * len(times)


@settings(max_examples=25, deadline=None)
@given(
    times=times,
    gap=st.integers(0, 8),
    most=st.none() | st.integers(5, 30),
    timed=st.booleans(),
    labels=st.integers(0, 2**32),
)
def test_a_window_keeps_its_gap_and_its_length(times, gap, most, timed, labels):
    """L-SEL-3: what a model learns from ends a gap before what judges it, and goes so far back at most."""
    stretch = (lambda n: Stretch(seconds=float(n))) if timed else (lambda n: Stretch(rows=n))
    op = split(
        "time_ordered",
        k=2,
        time="t",
        window="rolling" if most else "expanding",
        max_train=stretch(most) if most else None,
        gap=stretch(gap),
        holdout_gap=stretch(gap),
    )
    classes = np.random.default_rng(labels).integers(2, size=len(times))
    try:
        rows = dealt(op, classes, time=times, seconds=np.array(times, dtype=float))
    except DataError:
        assume(condition=False)
    when = pl.Series(times)
    for part in parts_of(rows):
        learns, start = when.filter(rows.learns(part)), when.filter(rows.judges(part)).min()
        between = ((when > learns.max()) & (when < start)).sum()
        if timed:
            assert start - learns.max() > gap
            assert most is None or learns.min() >= start - gap - most
        else:
            assert between >= gap
            newest = (learns == learns.max()).sum()
            assert most is None or len(learns) <= max(most, newest)


@settings(max_examples=20, deadline=None)
@given(groups=st.lists(st.integers(0, 15), min_size=60, max_size=120), data=st.data())
def test_a_group_is_on_one_side(groups, data):
    labels = data.draw(st.lists(st.integers(0, 1), min_size=len(groups), max_size=len(groups)))
    op = split("grouped", group=("g",), repeats=2)
    try:
        rows = dealt(op, labels, group=groups)
    except DataError:
        assume(condition=False)
    assert rows.split.width == 1 + 2 * op.k
    for part in parts_of(rows):
        sides = pl.DataFrame({"g": groups, "side": rows.learns(part)}).filter(rows.learns(part) | rows.judges(part))
        assert sides.group_by("g").agg(pl.col("side").n_unique())["side"].max() == 1
    assert no_row_is_in_both(rows)


@settings(max_examples=20, deadline=None)
@given(days=st.lists(st.tuples(st.integers(0, 12), st.integers(0, 2)), min_size=60, max_size=120), data=st.data())
def test_in_order_of_time_a_group_that_judges_does_not_teach(days, data):
    """L-SEL-3: no group is on both sides, what teaches comes before, and no row of another group is lost."""
    labels = data.draw(st.lists(st.integers(0, 1), min_size=len(days), max_size=len(days)))
    when, group = [3 * day + part for day, part in days], [day for day, _ in days]
    try:
        rows = dealt(split("time_ordered", time="t", group=("g",)), labels, time=when, group=group)
        plain = dealt(split("time_ordered", time="t"), labels, time=when)
    except DataError:
        assume(condition=False)
    table = pl.DataFrame({"t": when, "g": group})
    for part in parts_of(rows):
        learns, judges = table.filter(rows.learns(part)), table.filter(rows.judges(part))
        assert learns["t"].max() < judges["t"].min()
        assert not set(learns["g"]) & set(judges["g"])
    assert (rows.judges() == plain.judges()).all()
    lost = table.filter(plain.learns() & ~rows.learns())
    assert set(lost["g"]) <= set(table.filter(rows.judges())["g"])


def test_columns_make_groups_together():
    """L-SEL-3."""
    rows = pl.DataFrame({"month": [1, 1, 2, 2, 1], "day": [1, 2, 1, 1, 2]})
    assert group_numbers(rows, ["month", "day"]).tolist() == [1, 2, 3, 3, 2]
    assert group_numbers(rows, ["day"]).tolist() == [1, 2, 1, 1, 2]


@pytest.mark.parametrize("kind", ["stratified", "random"])
def test_each_repeat_judges_every_row_once_and_by_another_deal(kind):
    """L-SEL-3."""
    op, labels = split(kind, repeats=3), [0, 1, 1] * 40
    rows = dealt(op, labels)
    repeats = [[rows.judges(op.k * repeat + fold) for fold in range(op.k)] for repeat in range(3)]
    for folds in repeats:
        assert (sum(fold.cast(int) for fold in folds) == rows.learns().cast(int)).all()
    assert (repeats[0][0] != repeats[1][0]).any()
    assert no_row_is_in_both(rows)
    once = dealt(split(kind), labels)
    assert (once.split["fold_0"] == rows.split["fold_0"]).all(), "the first repeat is the deal that is not repeated"


@pytest.mark.parametrize(
    ("op", "order", "labels", "words"),
    [
        pytest.param(
            split("time_ordered", time="t"),
            {"time": [1] * 40},
            [0, 1] * 20,
            "`t` has too few different values",
            id="one",
        ),
        pytest.param(
            split("time_ordered", time="t"),
            {"time": [1] * 20 + [2] * 10 + [3] * 10},
            [0, 1] * 20,
            "`t` has too few different values",
            id="fewer times than folds",
        ),
        pytest.param(
            split("grouped", group=("g",)),
            {"group": [1] * 40},
            [0, 1] * 20,
            "`g` has too few different values",
            id="a group",
        ),
        pytest.param(
            split("grouped", group=("g",)),
            {"group": [1] * 20 + [2] * 20},
            [0, 1] * 20,
            "`g` has too few different values",
            id="fewer groups than folds",
        ),
        pytest.param(
            split("time_ordered", time="t", group=("g",)),
            {"time": list(range(40)), "group": [1] * 40},
            [0, 1] * 20,
            "every `g` before the holdout has rows in it as well",
            id="a group over all times",
        ),
        pytest.param(
            split("time_ordered", time="t"),
            {"time": list(range(40))},
            [0] * 20 + [1] * 20,
            "the holdout has rows of one class",
            id="a class that comes late",
        ),
    ],
)
def test_what_cannot_be_dealt_is_said(op, order, labels, words):
    with pytest.raises(DataError, match=words) as caught:
        dealt(op, labels, **order)
    assert caught.value.diagnostics[0].code == "too-few-rows"


def test_values_are_dealt_in_equal_shares():
    values = np.sort(np.random.default_rng(2).exponential(size=600))
    op = split("stratified", task=REGRESSION)
    labels, classes = label_rows(op, pl.Series("y", values))
    rows = dealt(op, strata_of(op, labels))
    assert (labels.dtype, classes) == (pl.Float64, None)
    for part in parts_of(rows):
        assert np.median(values[rows.judges(part).to_numpy()]) == pytest.approx(np.median(values), rel=0.15)


@pytest.mark.parametrize(("kind", "order"), [("random", {}), ("grouped", {"group": list(range(40)) * 2})])
def test_rows_without_a_target_are_dealt(kind, order):
    op = split(kind, task="clustering", **({"group": ("g",)} if order else {}))
    rows = dealt(op, [0] * 80, **order)
    assert all(rows.judges(part).any() for part in parts_of(rows))
    assert no_row_is_in_both(rows)


def test_classes_are_numbered_in_their_order():
    labels, classes = label_rows(split("random", task=SEVERAL), pl.Series("y", ["b", "c", "a", "b"]))
    assert (labels.to_list(), classes) == ([1, 2, 0, 1], ["a", "b", "c"])


@pytest.mark.parametrize(
    ("task", "values", "code", "words"),
    [
        (SEVERAL, ["a"] * 5, "one-class", "one class only"),
        (SEVERAL, list(range(300)), "many-classes", "too many to be classes"),
        (REGRESSION, [1.0, float("nan"), 2.0], "wrong-target", "not finite in 1 rows"),
        (REGRESSION, [3.0] * 9, "one-class", "one value only, 3"),
    ],
)
def test_a_target_that_the_task_cannot_predict(task, values, code, words):
    with pytest.raises(DataError, match=words) as caught:
        label_rows(split("random", task=task), pl.Series("y", values))
    assert caught.value.diagnostics[0].code == code


def test_a_class_that_no_model_could_learn_is_said():
    labels = [0, 1] * 40 + [2] * 20
    groups = [*range(80), *[99] * 20]
    with pytest.raises(DataError, match="classes of `y` only"):
        dealt(split("grouped", task=SEVERAL, group=("g",)), labels, group=groups)


def test_a_fold_may_lack_a_rare_class():
    labels = [0, 1] * 100 + [2] * 10
    groups = [*range(200), *[201, 202, 203, 204, 205] * 2]
    rows = dealt(split("grouped", task=SEVERAL, group=("g",), k=2), labels, group=groups)
    assert rows.split.columns == ["final", "fold_0", "fold_1"]
