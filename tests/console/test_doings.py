"""What the audit log says beside who did what."""

from __future__ import annotations

import pytest

from mlops_compiler.console.doings import in_words, listed

CANARY = {
    "step": "canary-ended", "share": 0.2, "verdict": "passed", "requests": 1200, "errors": 0, "latency_p99": 0.0491,
    "differing": 12, "compared": 1190, "held": 4.502540445995692,
}  # fmt: skip


def test_a_step_of_a_rollout_is_a_sentence():
    assert in_words(CANARY, 2) == (
        "at 20% of the traffic: passed; 1,200 requests, 0 errors, p99 49.1 ms, 12 of 1,190 compared differ"
    )
    back = {**CANARY, "step": "shadow-ended", "verdict": "taken back", "reason": "errors 7.1%, of 1% allowed"}
    assert in_words(back, 2) == "in the shadow: taken back; errors 7.1%, of 1% allowed"


@pytest.mark.parametrize(
    ("payload", "words"),
    [
        (
            {"before": 1, "rollout": "canary", "none": None, "empty": [], "no": False},
            "before 1, rollout canary, no False",
        ),
        ({"roles": ["predict", "label"], "expires": 1795418452.25}, "roles predict label, expires 1.795e+09"),
        ({"at": {"share": 0.123456, "step": "canary"}}, "at (share 0.1235, step canary)"),
        ({}, ""),
    ],
)
def test_anything_else_is_names_and_values(payload, words):
    assert in_words(payload, None) == words


def test_values_are_written_as_they_are_where_nobody_rounds_them():
    assert listed({"total_charges": 1301.7, "probability": 0.3926144532600149, "none": None}) == (
        "total_charges 1301.7, probability 0.3926144532600149"
    )
    assert listed(None) == ""
