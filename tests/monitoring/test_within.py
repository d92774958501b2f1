"""Drift inside slices: of real customers, where one slice moved, where all did, and where nothing moved (L-MON-3)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from mlops_compiler.monitoring.distribution import distribution, distributions
from mlops_compiler.monitoring.drift import compare
from mlops_compiler.monitoring.findings import Agreement
from mlops_compiler.monitoring.moving import moved
from mlops_compiler.monitoring.reference import Reference
from mlops_compiler.monitoring.watch import DriftLimits, Watch
from mlops_compiler.monitoring.within import carried, moved_within

DATA = Path(__file__).parents[2] / "recipes" / "data"
MANIFEST = {"task": "binary_classification", "classes": ["No", "Yes"], "threshold": 0.5}
COLUMNS = ["tenure", "contract", "payment_method", "internet_service", "monthly_charges", "total_charges"]
TWO_YEARS = pl.col("contract") == "Two year"
DEARER = pl.col("monthly_charges") * 1.25


def customers(seed):
    rows = pl.read_csv(DATA / "telco_churn.csv", infer_schema_length=10_000).select(COLUMNS)
    return rows.sample(fraction=1.0, shuffle=True, seed=seed)


def answered(rows):
    """Answer as a model would, by what was asked."""
    risk = 1 / (1 + np.exp(rows["tenure"].to_numpy() / 20 - rows["monthly_charges"].to_numpy() / 60))
    return pl.DataFrame({"probability": risk, "decision": np.where(risk >= 0.5, "Yes", "No")})


def reference(rows, holdout):
    return Reference(
        release=None,
        manifest=MANIFEST,
        inputs=distributions(rows, COLUMNS),
        target=None,
        rows=rows,
        held=answered(holdout).with_columns(label=0),
        holdout=holdout,
        metrics={},
        intervals={},
        metric=None,
        taken=None,
    )


def looked(now, seed=1, slices=("contract", "internet_service"), **changes):
    """Compare traffic with customers of the same draw; gives what fired, all rules, and what was measured."""
    rows = customers(seed)
    known = reference(rows.head(2500), rows.slice(2500, 1500))
    limits = DriftLimits(together=False)
    watch = Watch(asked="1d", slices=slices, drift=limits, agreement=Agreement(agree=1, of=("drift",)), **changes)
    traffic = now(rows.tail(3000))
    answers = answered(traffic)
    whole, _ = moved(known, traffic, answers, pl.Series(dtype=pl.Float64), watch)
    rules, told = moved_within(known, traffic, answers, watch)
    return {rule.rule for rule in whole if rule.fired}, {rule.rule: rule for rule in rules}, told


def fired(rules):
    return {name for name, rule in rules.items() if rule.fired}


@pytest.mark.parametrize("seed", range(30))
def test_where_nothing_moved_no_slice_has(seed):
    _, rules, told = looked(lambda rows: rows.head(1000 + 60 * seed), seed, at_least=30)
    assert fired(rules) == set()
    assert len(told) > 8
    assert not any(item["drifted"] for item in told)


@pytest.mark.parametrize("seed", range(5))
def test_one_slice_that_moves_is_told_where_the_whole_does_not(seed):
    moves = pl.col("internet_service") == "No"
    whole, rules, told = looked(
        lambda rows: rows.with_columns(pl.when(moves).then(pl.col("monthly_charges") + 2).otherwise("monthly_charges")),
        seed,
        slices=("internet_service",),
    )
    assert whole == set()
    assert fired(rules) == {"drift:internet_service = No"}
    why = rules["drift:internet_service = No"].why
    assert why.startswith("where internet_service = No, monthly_charges moved by")
    assert why.endswith("is beyond what all rows show")
    (found,) = [item for item in told if item["drifted"]]
    assert (found["slice"], found["column"], found["kind"]) == ("internet_service = No", "monthly_charges", "drift")
    assert found["columns"] == ["monthly_charges"]


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(
    "change",
    [
        pl.col("monthly_charges") * 1.25,
        pl.col("monthly_charges") + 15,
        pl.when(pl.int_range(pl.len()) % 3 == 0).then(pl.lit("Barter")).otherwise("payment_method").alias("payment_method"),
        pl.when(pl.int_range(pl.len()) % 3 == 0).then(pl.lit("Mailed check")).otherwise("payment_method").alias("payment_method"),
    ],
    ids=["dearer by a quarter", "dearer by 15", "a new level", "a known level"],
)  # fmt: skip
def test_what_moves_everywhere_is_not_told_of_each_slice(seed, change):
    whole, rules, told = looked(lambda rows: rows.with_columns(change), seed)
    assert whole & {"drift:monthly_charges", "drift:payment_method"}
    assert not {name for name in fired(rules) if name.startswith("drift:")}
    assert not whole & {f"{item['kind']}:{item['column']}" for item in told if item["drifted"]}
    assert max(item["moved"] / item["limit"] for item in told) > 0.8


def test_a_slice_that_moves_farther_than_the_whole_is():
    more = pl.when(TWO_YEARS).then(pl.col("monthly_charges") * 1.8).otherwise(DEARER).alias("monthly_charges")
    whole, rules, _ = looked(lambda rows: rows.with_columns(more))
    assert "drift:monthly_charges" in whole
    assert "drift:contract = Two year" in fired(rules)
    assert "drift:contract = Month-to-month" not in fired(rules)


def test_slices_that_move_against_each_other_are_told():
    monthly = pl.col("contract") == "Month-to-month"
    change = pl.when(monthly).then(pl.col("tenure") + 6).otherwise(pl.col("tenure") - 6).alias("tenure")
    _, rules, _ = looked(lambda rows: rows.with_columns(change), slices=("contract",))
    assert "drift:contract = Month-to-month" in fired(rules)


def test_what_is_answered_in_a_slice_is_compared_with_the_holdout():
    dearer = pl.when(TWO_YEARS).then(pl.col("monthly_charges") * 1.6).otherwise("monthly_charges")
    _, rules, told = looked(lambda rows: rows.with_columns(dearer.alias("monthly_charges")), slices=("contract",))
    assert {"drift:contract = Two year", "prediction_drift:contract = Two year"} <= fired(rules)
    assert rules["prediction_drift:contract = Two year"].kind == "prediction_drift"
    assert {item["column"] for item in told if item["kind"] == "prediction_drift"} <= {"probability", "decision"}


def test_other_shares_of_slices_are_no_drift_within_them():
    _, rules, _ = looked(
        lambda rows: pl.concat([rows.filter(TWO_YEARS), rows.filter(~TWO_YEARS).head(600)]), slices=("contract",)
    )
    assert fired(rules) == set()


def test_slices_of_too_few_rows_are_named_and_not_compared():
    _, rules, told = looked(lambda rows: rows.filter(~TWO_YEARS).vstack(rows.filter(TWO_YEARS).head(20)))
    assert "drift:contract = Two year" not in rules
    found = rules["drift:slices"]
    assert not found.looked
    assert found.why == "fewer than 100 rows, then or now, are of contract = Two year"
    assert "contract = Two year" not in {item["slice"] for item in told}


def test_a_slice_is_named_alike_whatever_traffic_holds():
    _, one, _ = looked(lambda rows: rows.head(1500), slices=("tenure",))
    _, other, _ = looked(lambda rows: rows.filter(pl.col("tenure") > 5), slices=("tenure",))
    assert {name for name in other if name != "drift:slices"} <= set(one)


def test_only_columns_that_are_watched_are_compared():
    rows = customers(1)
    watch = Watch(
        asked="1d", slices=("contract",), drift=DriftLimits(columns=("tenure",)),
        agreement=Agreement(agree=1, of=("drift",)),
    )  # fmt: skip
    traffic = rows.tail(2000).with_columns(DEARER)
    _, told = moved_within(reference(rows.head(2500), rows.slice(2500, 1500)), traffic, answered(traffic), watch)
    assert {item["column"] for item in told if item["kind"] == "drift"} == {"tenure"}


def test_a_whole_that_is_carried_is_what_it_became():
    rows = customers(4)
    for name in ("monthly_charges", "contract"):
        before, now = distribution(rows[name].head(3000)), distribution(rows[name].tail(900))
        assert compare(carried(before, before, now), now).effect < 0.01
