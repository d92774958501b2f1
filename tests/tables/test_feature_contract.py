"""The contract after preparation, on prepared rows (L-PREP-3), and the budget of features (L-FE-1)."""

from __future__ import annotations

import polars as pl
import pytest

from mlops_compiler.ir.ops.features import CheckFeatures, FeatureCheck
from mlops_compiler.tables.feature_contract import check_features

ROWS = pl.DataFrame(
    {
        "x": [0.0, 1.0, 2.0, None],
        "y": [1.0, float("nan"), 3.0, 5.0],
        "c=a": pl.Series([1, 0, 0, 1], dtype=pl.Int8),
        "c=b": pl.Series([0, 1, 1, 0], dtype=pl.Int8),
        "late": [True, False, True, True],
    }
)
FEATURES = ("x", "y", "c=a", "c=b", "late")


def check(*features, **rules):
    return CheckFeatures(checks=(FeatureCheck(key=features[0], features=features, **rules),))


KEPT = {
    "nothing is promised": check("x"),
    "as many as there are": CheckFeatures(checks=(), at_most=5),
    "a range leaves out what is missing": check("x", range=(0, 2)),
    "as much is missing": check("x", missing=0.25),
    "NaN is missing": check("y", missing=0.25, mean=(3, 3)),
    "the share of a level": check("c=a", mean=(0.5, 0.5)),
    "all levels of an open column": check("c=*", range=(0, 1), std=(0.5, 0.6)),
    "truths are numbers": check("late", range=(0, 1), mean=(0.75, 0.75)),
    "quantiles": check("x", quantiles=(("p0", 0, 0), ("p50", 1, 1), ("p100", 2, 2))),
}
BROKEN = {
    "too many": (CheckFeatures(checks=(), at_most=4), "too-many-features", "may be 4 features, and 5 reach"),
    "a range": (check("x", range=(0, 1)), "contract-range", "feature `x` must lie between 0 and 1: 1 training rows"),
    "missing": (check("y", missing=0.2), "contract-missing", "feature `y` may be missing in 20.0%"),
    "a mean": (check("y", mean=(0, 2)), "contract-mean", "the mean of feature `y`"),
    "a deviation": (check("x", std=(2, 3)), "contract-std", "the standard deviation of feature `x`"),
    "a quantile": (check("x", quantiles=(("p50", 2, 3),)), "contract-quantile", "p50 of feature `x`"),
    "one level of two": (check("c=*", mean=(0.0, 0.4)), "contract-mean", "feature `c=a`"),
    "a level that no row has": (check("c=z", range=(0, 1)), "unknown-feature", "`c=z`"),
}


@pytest.mark.parametrize("op", KEPT.values(), ids=KEPT)
def test_what_is_kept_is_not_told(op):
    kept, found = check_features(op, FEATURES, ROWS)
    assert found == ()
    assert [item.broken for item in kept] == [0]


@pytest.mark.parametrize("case", BROKEN.values(), ids=BROKEN)
def test_what_is_broken_is_told(case):
    op, code, told = case
    _, found = check_features(op, FEATURES, ROWS)
    finding, severity = found[0]
    assert (finding.code, severity) == (code, "error")
    assert told in finding.headline


def test_a_feature_that_a_selection_removed_keeps_every_promise_but_that_it_is_there():
    (kept,), found = check_features(check("x", "late", range=(0, 1)), ("y", "late"), ROWS)
    assert (kept.features, kept.broken, found) == (1, 0, ())
    (kept,), found = check_features(check("x", range=(0, 1), severity="warn"), ("y", "late"), ROWS)
    assert [(finding.code, severity) for finding, severity in found] == [("unknown-feature", "warn")]
