"""From rules to an alert: who has a vote, how often a rule must fire, and what ends a row."""

from __future__ import annotations

import pytest

from mlops_compiler.monitoring.findings import Agreement, Findings, Rule, settled, votes
from mlops_compiler.store.operations import Check


def rule(name, **changes):
    return Rule(**{"rule": name, "kind": name.partition(":")[0], "fired": True, **changes})


def before(*fired):
    """Give earlier checks, the newest first; None of one that could not look."""
    return [
        Check(
            id=1, recipe="r", release=1, time=0.0, status="quiet",
            payload={"rules": [{"rule": "drift:a", "fired": bool(count), "looked": count is not None, "in_a_row": count or 0}]},
        )
        for count in fired
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("earlier", "expected"),
    [((), 1), ((0,), 1), ((2, 1), 3), ((None, 2), 3), ((0, 4), 1)],
    ids=["first", "after quiet", "goes on", "over a blind one", "ended"],
)
def test_checks_in_a_row_are_counted(earlier, expected):
    (found,) = settled([rule("drift:a")], before(*earlier))
    assert found.in_a_row == expected


def test_a_kind_has_one_vote_and_a_named_rule_its_own():
    rules = [rule("drift:a", in_a_row=1), rule("drift:b", in_a_row=1), rule("errors:rate", in_a_row=1)]
    assert votes(rules, Agreement(agree=2, of=("drift", "performance"))) == ("drift",)
    assert votes(rules, Agreement(agree=2, of=("drift:a", "drift:b"))) == ("drift:a", "drift:b")


def test_a_rule_that_fired_too_seldom_has_none():
    asked = Agreement(agree=1, of=("drift",), patience={"drift": 2})
    assert votes([rule("drift:a", in_a_row=1)], asked) == ()
    assert votes([rule("drift:a", in_a_row=2)], asked) == ("drift",)


@pytest.mark.parametrize(
    ("rules", "voted", "status"),
    [
        ((), (), "blind"),
        ((rule("drift:a", fired=False, looked=False),), (), "blind"),
        ((rule("drift:a", fired=False),), (), "quiet"),
        ((rule("drift:a"),), (), "noticed"),
        ((rule("drift:a"),), ("drift",), "alert"),
    ],
)
def test_findings_come_to_a_status(rules, voted, status):
    assert Findings(window={}, rows=0, rules=rules, votes=voted).status == status
