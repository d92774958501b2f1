"""When a model is trained anew: each occasion once, and patience means in a row."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from mlops_compiler.monitoring.occasions import Triggers, occasion
from mlops_compiler.store.operations import Check

LAST = datetime(2026, 3, 1, 12, tzinfo=UTC)  # a Sunday
NOW = LAST + timedelta(days=2)


def checks(*said, kind="drift"):
    """Make checks an hour apart from the last training on, the oldest named first; the newest comes first."""
    made = [
        Check(
            id=number, recipe="churn", release=1, time=(LAST + timedelta(hours=1 + number)).timestamp(), status=status,
            payload={"rules": [{"kind": kind, "fired": status in ("alert", "noticed")}]},
        )
        for number, status in enumerate(said)
    ]  # fmt: skip
    return made[::-1]


def asked(cron=None, when=(), patience=1):
    return Triggers(cron=cron, when=tuple(when), patience=patience)


@pytest.mark.parametrize(
    ("said", "patience", "due"),
    [
        (["alert"], 1, True),
        (["alert"], 2, False),
        (["alert", "alert"], 2, True),
        (["alert", "quiet", "alert"], 2, False),
        (["alert", "blind", "alert"], 2, True),
        (["alert", "alert", "noticed"], 1, False),
        ([], 1, False),
    ],
)
def test_patience_counts_checks_in_a_row(said, patience, due):
    found = occasion(asked(when=["drift"], patience=patience), checks(*said), LAST, NOW)
    assert (found is not None) == due
    assert found is None or found.cause == "drift"


def test_only_what_is_asked_for_counts():
    assert occasion(asked(when=["performance"]), checks("alert"), LAST, NOW) is None
    found = occasion(asked(when=["drift", "performance"]), checks("alert", kind="performance"), LAST, NOW)
    assert found.text == "the last check found performance"


def test_what_was_seen_before_the_last_training_is_past():
    old = checks("alert", "alert")
    assert occasion(asked(when=["drift"]), old, LAST + timedelta(hours=3), NOW) is None


def test_a_cron_fires_once():
    found = occasion(asked(cron="0 3 * * *"), [], LAST, NOW)
    assert found.text == "cron 0 3 * * * fired on 2026-03-03 at 03:00 UTC"
    assert occasion(asked(cron="0 3 * * *"), [], NOW, NOW + timedelta(hours=2)) is None
    assert occasion(asked(cron="0 3 * * 0"), [], LAST, NOW) is None
