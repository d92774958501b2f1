"""L-FB-3: the slice in which a model is worst is found, and named as such only where chance does not explain it."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops_compiler.evaluation.significance import measure
from mlops_compiler.explain.calibration import calibration
from mlops_compiler.explain.conditions import conditions
from mlops_compiler.explain.slices import declared, search

ROWS = 1200


def a_model(*, broken):
    """Predict well, but for customers of plan B in the north; gives rows, labels and probabilities."""
    draw = np.random.default_rng(11)
    frame = pl.DataFrame(
        {
            "plan": draw.choice(["A", "B", "C"], ROWS),
            "region": draw.choice(["north", "south"], ROWS),
            "age": draw.integers(18, 90, ROWS),
        }
    )
    probability = draw.uniform(0.05, 0.95, ROWS)
    bad = ((frame["plan"] == "B") & (frame["region"] == "north")).to_numpy() & broken
    truth = np.where(bad, 1 - probability, probability)
    return frame, (draw.uniform(size=ROWS) < truth).astype(int), probability


def searched(frame, y, probability, metric="roc_auc"):
    found = [item for column in frame.columns for item in conditions(frame[column])]
    judged = measure("binary_classification", metric, y, probability, 0.5)
    return search(found, judged, lambda mask: calibration("binary_classification", y[mask], probability[mask]))


@pytest.mark.parametrize("metric", ["roc_auc", "log_loss", "brier", "accuracy"])
def test_the_slice_where_the_model_is_broken_is_the_worst(metric):
    told = searched(*a_model(broken=True), metric)
    assert told["worst"][0]["slice"] == "plan = B and region = north"
    assert told["worst"][0]["significant"]
    assert told["significant"] >= 1


def test_of_a_model_that_is_equally_good_everywhere_no_slice_is_told_as_worse():
    told = searched(*a_model(broken=False))
    assert told["tested"] > 10
    assert told["significant"] == 0
    assert len(told["worst"]) <= 3
    assert not any(item["significant"] for item in told["worst"])


def test_named_slices_are_told_in_their_order_and_small_ones_too():
    frame, y, probability = a_model(broken=True)
    rare = frame.with_columns(plan=pl.when(pl.int_range(pl.len()) < 5).then(pl.lit("D")).otherwise("plan"))
    judged = measure("binary_classification", "roc_auc", y, probability, 0.5)
    told = declared(
        conditions(rare["plan"]), judged, lambda mask: calibration("binary_classification", y[mask], probability[mask])
    )
    assert [item["slice"] for item in told] == ["plan = A", "plan = B", "plan = C", "plan = D"]
    assert (told[3]["rows"], told[3]["value"], told[3]["significant"]) == (5, None, False)
    assert told[1]["worse"]
    assert told[1]["low"] < told[1]["value"] < told[1]["high"]


def test_calibration_tells_what_came_beside_what_was_said():
    y, probability = np.array([1, 0] * 100), np.full(200, 0.5)
    right = calibration("binary_classification", y, probability)
    assert (right["predicted"], right["observed"], right["p"]) == (0.5, 0.5, 1.0)
    assert calibration("binary_classification", y, probability + 0.3)["p"] < 1e-6
    assert calibration("regression", y.astype(float), y + np.linspace(-1, 1, 200))["p"] == pytest.approx(1.0)
    odds = np.column_stack([probability, probability])
    assert calibration("multiclass_classification", 0 * y, odds)["observed"] == 1.0


COLUMNS = st.one_of(
    st.lists(st.one_of(st.none(), st.integers(-5, 50)), min_size=1, max_size=60).map(
        lambda v: pl.Series("c", v, pl.Int64)
    ),
    st.lists(st.one_of(st.none(), st.floats(allow_infinity=False)), min_size=1, max_size=60).map(
        lambda v: pl.Series("c", v, pl.Float64)
    ),
    st.lists(st.one_of(st.none(), st.text("abcdefghijklmnopqrstuvwxyz", max_size=1)), min_size=1, max_size=60).map(
        lambda v: pl.Series("c", v, pl.String)
    ),
    st.lists(st.one_of(st.none(), st.booleans()), min_size=1, max_size=9).map(lambda v: pl.Series("c", v, pl.Boolean)),
    st.lists(st.one_of(st.none(), st.dates()), min_size=1, max_size=60).map(lambda v: pl.Series("c", v, pl.Date)),
)


@given(COLUMNS)
def test_the_conditions_of_a_column_deal_every_row_to_one_slice(values):
    found = conditions(values)
    assert (np.sum([item.mask for item in found], axis=0) == 1).all()
    assert len({item.label for item in found}) == len(found)
