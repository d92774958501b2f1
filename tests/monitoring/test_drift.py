"""What counts as drift: on real customers and flights, where nothing moved, and where something did (L-MON-1)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from mlops_compiler.monitoring.distribution import MOST, OTHERS, Distribution, distribution, distributions
from mlops_compiler.monitoring.drift import compare, family

DATA = Path(__file__).parents[2] / "recipes" / "data"
LEVEL, LIMIT = 0.01, 0.1


def customers():
    rows = pl.read_csv(DATA / "telco_churn.csv", infer_schema_length=10_000)
    return rows.drop("customer_id", "churn")


def flights():
    return pl.read_parquet(DATA / "flights.parquet").drop("time_hour")


def alarms(rows, many, draws):
    """Count draws in which a column of two random parts of the same rows counts as drifted."""
    random, fired = np.random.default_rng(many), 0
    for _ in range(draws):
        order = random.permutation(rows.height)
        half = rows.height // 2
        before, now = distributions(rows[order[:half]], rows.columns), rows[order[half : half + many]]
        found = {name: compare(then, distribution(now[name], then.type)) for name, then in before.items()}
        moved = {name: item for name, item in found.items() if item is not None}
        chances = family(moved)
        fired += any(chances[name] <= LEVEL and item.effect >= LIMIT for name, item in moved.items())
    return fired


@pytest.mark.parametrize(("many", "draws"), [(300, 20), (1000, 20), (3500, 10)])
def test_random_parts_of_the_customers_have_not_drifted(many, draws):
    assert alarms(customers(), many, draws) == 0


def test_large_random_halves_of_the_flights_have_not_drifted():
    assert alarms(flights(), 168_388, 2) == 0


@pytest.mark.parametrize("many", [100, 1000, 3500])
def test_a_dearer_price_list_has(many):
    rows = customers().sample(fraction=1.0, shuffle=True, seed=1)
    before, now = distribution(rows["monthly_charges"].head(3500)), rows["monthly_charges"].tail(many) * 1.25
    found = compare(before, distribution(now, "number"))
    assert found.effect > 0.3
    assert found.p < 0.001


def test_a_change_that_is_no_chance_and_does_not_matter_has_not():
    rows = flights()["distance"]
    found = compare(distribution(rows), distribution(rows + 20, "number"))
    assert found.p < 1e-6
    assert found.effect < LIMIT


def test_departures_of_winter_and_summer_differ():
    rows = flights()
    found = compare(
        distribution(rows.filter(pl.col("month") == 1)["dep_delay"]),
        distribution(rows.filter(pl.col("month") == 7)["dep_delay"], "number"),
    )
    assert found.effect >= LIMIT
    assert found.after > found.before


def test_what_a_category_gained_is_named():
    rows = customers()
    now = rows.with_columns(pl.lit("Two year").alias("contract")).head(400)
    found = compare(distribution(rows["contract"]), distribution(now["contract"], "category"))
    assert (found.about, found.after) == ("Two year", 1.0)
    assert found.effect > 0.4
    assert 0 < found.association <= 1


def test_a_rare_category_is_tested_exactly():
    before, now = pl.Series(["a"] * 500 + ["b"] * 3), pl.Series(["a"] * 40)
    assert compare(distribution(before), distribution(now, "category")).p > 0.5


@pytest.mark.parametrize(
    ("values", "type_"),
    [
        (pl.Series([True, False]), "category"),
        (pl.Series([1, 2, 2, 3]), "category"),
        (pl.Series(np.arange(50.0)), "number"),
        (pl.Series([f"note {number}" for number in range(100)]), "text"),
        (pl.Series(["a", "b"] * 50), "category"),
    ],
    ids=["bool", "few numbers", "number", "text", "category"],
)
def test_a_column_is_compared_by_what_it_holds(values, type_):
    assert distribution(values).type == type_


def test_a_whole_number_is_the_same_category_as_the_float_that_is_equal():
    assert (
        compare(distribution(pl.Series([0, 1] * 50)), distribution(pl.Series([0.0, 1.0] * 50), "category")).effect == 0
    )


def test_a_text_and_nothing_are_not_compared():
    notes = pl.Series([f"note {number}" for number in range(100)])
    assert compare(distribution(notes), distribution(notes, "text")) is None
    empty = pl.Series([None] * 5, dtype=pl.Float64)
    assert compare(distribution(pl.Series(np.arange(50.0))), distribution(empty, "number")) is None


def test_what_is_neither_a_number_nor_finite_is_missing():
    found = distribution(pl.Series([1.0, float("nan"), float("inf"), None]))
    assert (found.rows, found.missing) == (4, 3)


def test_frequent_categories_are_kept_and_the_rest_together():
    levels = pl.Series([f"level {number % (MOST + 10)}" for number in range(20 * (MOST + 10))])
    found = distribution(levels, "category")
    assert len(found.values) == MOST + 1
    assert found.values[-1] == OTHERS
    assert sum(found.counts) == levels.len()


@pytest.mark.parametrize("seed", range(8))
def test_a_thinned_distribution_keeps_cumulative_shares(seed):
    random = np.random.default_rng(seed)
    rows = int(random.integers(MOST + 1, 4 * MOST))
    values = random.lognormal(sigma=random.uniform(0.1, 3), size=rows)
    found = distribution(pl.Series(values), "number")
    assert sum(found.counts) == pytest.approx(rows)
    at, shares = np.array(found.values), np.cumsum(found.counts) / rows
    real = np.searchsorted(np.sort(values), at, side="right") / rows
    assert np.abs(real - shares).max() <= 2 / MOST
    assert Distribution.from_json(found.to_json()) == found
