"""What an exploration finds, and what it leaves alone."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from mlops_compiler.explore.drift import stability_index
from mlops_compiler.explore.exploration import About, Exploration
from mlops_compiler.explore.explore import explore
from mlops_compiler.report.exploration import KINDS, render_exploration

ROWS = 2000
RANDOM = np.random.default_rng(7)
X = RANDOM.normal(size=ROWS)
Y = (RANDOM.random(ROWS) < 1 / (1 + np.exp(-1.5 * X))).astype(int)
NOISE = RANDOM.normal(size=ROWS)
BASE = pl.DataFrame({"y": Y, "x": X, "noise": NOISE})
ABOUT = About(name="made", target="y", positive=1)


def found(frame=None, about=ABOUT, **columns):
    """Explore the base table with more columns; give the findings by code and first column."""
    rows = (BASE if frame is None else frame).with_columns(**{name: pl.Series(v) for name, v in columns.items()})
    return {(item.kind, item.columns[0] if item.columns else ""): item for item in explore(rows, about).findings}


def with_gaps(values, gaps):
    return pl.Series(values).zip_with(~pl.Series(gaps), pl.Series([None] * len(values), dtype=pl.Float64))


FOUND = {
    "one value": ("constant", {"z": ["a"] * ROWS}),
    "no value": ("constant", {"z": pl.Series([None] * ROWS, dtype=pl.Float64)}),
    "nearly one value": ("near-constant", {"z": ["a"] * (ROWS - 5) + ["b"] * 5}),
    "a text for each row": ("id-like", {"z": [f"n{index}" for index in range(ROWS)]}),
    "many levels": ("many-levels", {"z": [f"n{index % 90}" for index in range(ROWS)]}),
    "a column twice": ("duplicate-column", {"z": NOISE}),
    "a column that says the same": ("correlated", {"z": (NOISE * 3 + 0.01 * X).tolist()}),
    "levels that say the same": (
        "correlated",
        {"u": [str(index % 5) for index in range(ROWS)], "z": [f"l{index % 5}" for index in range(ROWS)]},
    ),
    "values far out": ("outliers", {"z": np.where(np.arange(ROWS) % 40 == 0, 99.0, NOISE)}),
    "a long tail": ("skewed", {"z": np.where(np.arange(ROWS) % 200 == 0, 30.0, NOISE)}),
    "mostly missing": ("mostly-missing", {"z": with_gaps(NOISE, RANDOM.random(ROWS) < 0.8)}),
    "gaps by another number": ("missing-not-at-random", {"z": with_gaps(RANDOM.normal(size=ROWS), NOISE > 0.8)}),
    "gaps by the target": ("missing-tells", {"z": with_gaps(RANDOM.normal(size=ROWS), Y * RANDOM.random(ROWS) > 0.6)}),
    "a leak": ("leak-suspect", {"z": Y * 2.0 + RANDOM.normal(size=ROWS) * 0.01}),
    "a column that tells": ("informative", {"z": Y + RANDOM.normal(size=ROWS)}),
    "levels that tell": ("informative", {"z": np.where(X > 0.3, "high", "low")}),
}


@pytest.mark.parametrize("case", FOUND.values(), ids=FOUND)
def test_finds(case):
    code, columns = case
    there = found(**columns)
    assert any(key[0] == code and "z" in item.columns for key, item in there.items())
    assert not any("z" in item.columns for item in found().values())


NOT_FOUND = {
    "gaps at random": {"z": with_gaps(RANDOM.normal(size=ROWS), RANDOM.random(ROWS) < 0.1)},
    "noise": {"z": RANDOM.normal(size=ROWS)},
    "levels by chance": {"z": RANDOM.choice(["a", "b", "c"], ROWS)},
    "truths by chance": {"z": RANDOM.random(ROWS) < 0.5},
    "many levels by chance, which know nothing of other rows": {"z": RANDOM.choice(40, ROWS)},
}


@pytest.mark.parametrize("columns", NOT_FOUND.values(), ids=NOT_FOUND)
def test_leaves_alone(columns):
    assert [item.kind for item in found(**columns).values() if "z" in item.columns] == []


def test_the_gaps_are_explained():
    gap = np.arange(ROWS) % 4 == 0
    where = np.where(gap, "a", RANDOM.choice(["b", "c"], ROWS))
    item = found(z=with_gaps(NOISE, gap), where=where)["missing-not-at-random", "z"]
    assert item.columns == ("z", "where")
    assert "it is in 100.0% of the rows with 'a', and in 25.0% of all" in item.text


def test_a_rare_class_and_repeated_rows():
    few = BASE.with_columns(y=pl.Series(np.where(np.arange(ROWS) % 25 == 0, 1, 0)))
    assert found(few)["imbalanced", "y"].measure == pytest.approx(0.04)
    again = found(pl.concat([BASE, BASE.head(30)]))
    assert again["duplicate-rows", ""].text == "30 of 2,030 rows repeat another in all features"
    assert ("imbalanced", "y") not in again


def test_what_changes_over_time():
    start = datetime(2024, 1, 1, tzinfo=UTC)
    time = pl.Series([start + timedelta(hours=index) for index in range(ROWS)])
    grows = np.arange(ROWS) / ROWS + RANDOM.normal(size=ROWS) * 0.1
    rows = BASE.with_columns(at=time, grows=pl.Series(grows))
    seen = explore(rows, About(name="made", target="y", positive=1, time="at"))
    assert [item.columns for item in seen.findings if item.kind == "drifts"] == [("grows",)]
    assert len(seen.periods) == 12
    assert sum(period["rows"] for period in seen.periods) == ROWS
    assert seen.vs["velocity"]["rows_a_day"] == pytest.approx(24, rel=0.01)


def test_the_stability_index_is_the_sum_over_levels():
    before, after = pl.Series(["a"] * 80 + ["b"] * 20), pl.Series(["a"] * 50 + ["b"] * 50)
    wanted = (0.5 - 0.8) * np.log(0.5 / 0.8) + (0.5 - 0.2) * np.log(0.5 / 0.2)
    assert stability_index(before, after) == pytest.approx(wanted)
    assert stability_index(before, before) == 0


def test_what_the_recipe_says_of_a_column_counts():
    columns = {"late": Y * 1.0, "key": [f"n{index}" for index in range(ROWS)], "out": Y * 2.0}
    about = About(name="made", target="y", positive=1, key="key", late=("late",), ignore=("out",))
    there = {name for item in found(about=about, **columns).values() for name in item.columns}
    assert not there & {"late", "key", "out"}


def test_a_sample_is_looked_at_and_all_rows_are_counted():
    seen = explore(BASE, About(name="made", target="y", positive=1, sample=500))
    assert (seen.rows, seen.sampled) == (ROWS, 500)
    assert sum(item["rows"] for item in seen.target) == ROWS


@pytest.mark.parametrize("rows", [0, 1, 2])
def test_takes_the_smallest_tables(rows):
    seen = explore(BASE.head(rows), ABOUT)
    assert seen.rows == rows
    assert "made" in render_exploration(seen)


def test_survives_json_and_is_the_same_again():
    rows = BASE.with_columns(z=with_gaps(NOISE, NOISE > 1), inf=pl.Series([float("inf"), *[1.0] * (ROWS - 1)]))
    seen = explore(rows, ABOUT)
    assert explore(rows, ABOUT) == seen
    again = Exploration.from_json(json.loads(json.dumps(seen.to_json(), allow_nan=False)))
    assert again == seen
    assert render_exploration(again) == render_exploration(seen)


def test_the_page_trusts_no_text_and_loads_nothing():
    name = "<script>alert(1)</script>"
    page = render_exploration(explore(BASE.with_columns(pl.lit(name).alias(name)), ABOUT))
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert "http" not in page.replace("http-equiv", "")


def test_every_code_has_a_title():
    from mlops_compiler.explore.explore import _ORDER

    assert tuple(KINDS) == _ORDER
