"""What a table promises as a whole, and what only warns."""

from __future__ import annotations

from datetime import UTC, datetime

import polars as pl
import pytest

from mlops_compiler.ir.ops.intake import Check, ColumnCheck
from mlops_compiler.tables.contract import doubts, take_in
from mlops_compiler.tables.expectations import expectations

ROWS = pl.DataFrame({"x": [1.0, 2.0, None, 6.0], "at": [datetime(2024, 1, day) for day in (1, 2, 9, 4)]})  # noqa: DTZ001
NOW = datetime(2024, 1, 10, 12, tzinfo=UTC)


def column(**rules):
    return ColumnCheck(**({"name": "x", "type": "float", "nullable": True} | rules))


def check(*, rows=(None, None), fresh=None, **rules):
    return Check(columns=(column(**rules),), max_loss=0.0, rows=rows, fresh=fresh)


KEPT = {
    "nothing is promised": check(),
    "enough rows": check(rows=(4, 4)),
    "few are missing": check(missing=0.25),
    "the mean": check(mean=(3.0, 3.0)),
    "the spread": check(std=(2.6, 2.7), quantiles=(("p0", 1, 1), ("p50", 2, 2))),
    "the share of a level": check(type="int", shares=(("1.0", 0.3, 0.4),)),
    "new enough": check(fresh=("at", 2 * 86_400)),
}
BROKEN = {
    "too few rows": (check(rows=(5, None)), "contract-rows", "at least 5 rows, and there are 4"),
    "too many rows": (check(rows=(None, 3)), "contract-rows", "at most 3 rows, and there are 4"),
    "too many are missing": (check(missing=0.2), "contract-missing", "in 20.0% of the rows, and is in 25.0%"),
    "another mean": (check(mean=(0.0, 2.5)), "contract-mean", "between 0 and 2.5, and is 3"),
    "another spread": (check(std=(3, 4)), "contract-std", "must lie between 3 and 4, and is 2.64575"),
    "another median": (check(quantiles=(("p50", 3, 4),)), "contract-quantile", "p50 of column `x` must lie between 3"),
    "a rarer level": (
        check(shares=(("1.0", 0.4, 0.5),)),
        "contract-share",
        "40.0% to 50.0% of column `x`, and is 33.3%",
    ),
    "too old": (check(fresh=("at", 86_400)), "contract-stale", "2024-01-09 00:00 UTC, 36 hours ago"),
}


@pytest.mark.parametrize("promise", KEPT.values(), ids=KEPT)
def test_what_is_kept_is_not_told(promise):
    assert list(expectations(promise, ROWS, NOW)) == []


@pytest.mark.parametrize("case", BROKEN.values(), ids=BROKEN)
def test_what_is_broken_is_told(case):
    promise, code, told = case
    ((found, severity),) = expectations(promise, ROWS, NOW)
    assert (found.code, severity) == (code, "error")
    assert told in found.headline


def test_a_breach_that_only_warns_keeps_the_rows():
    promise = check(range=(0, 5), missing=0.1, severity="warn")
    rows, _ = take_in(promise, ROWS)
    assert rows["x"].to_list() == ROWS["x"].to_list()
    (found,) = doubts(promise, rows)
    assert (found.code, found.is_error) == ("contract-range", False)
    assert [severity for _, severity in expectations(promise, ROWS, NOW)] == ["warn"]
