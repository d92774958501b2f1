"""L-GOV-1: the model card says what was recorded, and of what nobody wrote down that it is missing."""

from __future__ import annotations

import json

import pytest

from mlops_compiler.report.card import card_of, render_html, render_markdown

SLICES = {
    "measure": "roc_auc",
    "overall": 0.84,
    "declared": [
        {"slice": "plan = <B>", "columns": ["plan"], "rows": 50, "value": 0.6, "low": 0.5, "high": 0.7, "rest": 0.85}
        | {"p": 0.001, "q": 0.002, "worse": True, "significant": True}
        | {"calibration": {"predicted": 0.2, "observed": 0.5, "p": 0.001, "q": 0.001}}
    ],
    "found": {"tested": 12, "significant": 0, "worst": []},
}
EXPLANATION = {
    "task": "binary_classification",
    "metric": "roc_auc",
    "rows": 500,
    "importance": {
        "rows": 500,
        "repeats": 5,
        "columns": [
            {"name": "tenure", "mean": 0.1, "std": 0.01, "losses": [0.1]},
            {"name": "odd", "mean": None, "std": None, "losses": None},
        ],
        "features": [{"name": "tenure", "mean": 0.1, "std": 0.01, "losses": [0.1]}],
    },
    "contributions": {"skipped": "the rows are too few"},
    "dependence": [
        {
            "column": "tenure",
            "kind": "number",
            "values": [1, 2, 3],
            "mean": [[0.1, 0.2, 0.3]],
            "lines": [[0.1, 0.2, 0.3]],
            "rows": 9,
        },
        {"column": "plan", "kind": "level", "values": ["A", "<B>"], "mean": [[0.1, 0.2]], "rows": 9},
    ],
    "slices": SLICES,
    "thresholds": [
        {"threshold": 0.3, "chosen": True, "decided": 100, "precision": 0.4, "recall": 0.9, "value": 12.0},
        {"threshold": 0.5, "chosen": False, "decided": 50, "precision": 0.6, "recall": 0.5, "value": None},
    ],
}
KEPT = {
    "about": {"licence": "CC-BY-4.0", "personal": ["email"], "retention": None},
    "period": ["2024-01-01", "2024-06-30"],
    "doubts": ["column `age` is missing in 3 % of the rows"],
    "notes": [],
}


@pytest.fixture
def explained(facts):
    from dataclasses import replace

    return replace(facts, explanation=EXPLANATION)


def test_a_card_tells_of_use_data_metrics_slices_and_limits(explained):
    card = card_of(explained, KEPT)
    assert json.loads(json.dumps(card)) == card
    text = render_markdown(card)
    for said in (explained.description, explained.owner["name"], "CC-BY-4.0", "`email`", "2024-01-01 to 2024-06-30"):
        assert said in text
    assert "| plan = <B> | 50 | 0.600 (0.500 to 0.700) | 0.850 | 0.002 | worse |" in text
    assert "- `tenure`: roc_auc gets 0.1000 worse where it is shuffled (± 0.0100)" in text
    assert "Of 12 slices that were searched, none is significantly worse" in text
    assert "Column `age` is missing in 3 % of the rows." in card["limits"]
    assert "Where plan = <B>, it predicts 0.200, and 0.500 came." in card["limits"]
    assert "\n\n\n" not in text.replace("\n\n\n## ", "\n\n## ")


def test_the_page_of_a_card_escapes_what_the_data_say(explained):
    page = render_html(card_of(explained, KEPT))
    assert "plan = &lt;B&gt;" in page
    assert "plan = <B>" not in page
    assert "<script" not in page


def test_a_card_of_a_run_that_says_little_says_what_is_missing(facts):
    from dataclasses import replace

    bare = replace(facts, description=None, owner=None, evaluation=None, criteria=(), data=None)
    text = render_markdown(card_of(bare, {}))
    assert "The recipe does not say what the model is for" in text
    assert "nobody is named" in text
    assert "Slices were not looked at." in text
    assert "Importance was not measured." in text
    assert "The recipe asks for no acceptance criteria." in text


def test_the_report_shows_what_explains_the_model(explained):
    from mlops_compiler.report.page import render_report

    page = render_report(explained)
    for section in ('<section id="explain">', '<section id="slices">', '<section id="thresholds">'):
        assert section in page
    assert "Not shuffled, as the preparation refuses the rows: <code>odd</code>." in page
    assert "the rows are too few" in page
    assert "plan = &lt;B&gt;" in page
    assert "<B>" not in page
    assert page == render_report(explained)


def test_the_report_of_a_task_without_a_target_has_no_such_sections(facts):
    from dataclasses import replace

    from mlops_compiler.report.page import render_report

    page = render_report(replace(facts, explanation=None))
    assert 'id="explain"' not in page
    assert 'id="slices"' not in page


PURPOSE = {
    "goal": "Fewer customers leave.",
    "stakeholders": {"Retention <team>": "calls them"},
    "deliverables": {
        "list": {"what": "whom to call", "due": "2026-11-30"},
        "study": {"what": "what a call is worth", "due": "2026-11-22"},
        "talk": {"what": "what was learned", "due": None},
    },
    "assumptions": ["a call costs 15"],
    "out_of_scope": ["business customers"],
}


def test_stakeholders_and_deliverables_are_on_the_card_and_the_report(facts):
    """L-BIZ-1."""
    from dataclasses import replace

    from mlops_compiler.report.page import render_report

    told = replace(facts, purpose=PURPOSE, started=1795392000.0)  # 2026-11-23
    card = card_of(told, KEPT)
    text = render_markdown(card)
    assert "Goal: Fewer customers leave." in text
    assert "- Retention <team>: calls them" in text
    assert "- list: whom to call, due 2026-11-30 (in 7 days)" in text
    assert "- study: what a call is worth, due 2026-11-22 (overdue by 1 day)" in text
    assert "- talk: what was learned\n" in text
    assert "- a call costs 15\n" in text
    assert "- business customers\n" in text
    for page in (render_html(card), render_report(told)):
        assert '<section id="purpose">' in page
        assert "Retention &lt;team&gt;" in page
        assert '<td class="bad">overdue by 1 day</td>' in page
    assert '<section id="purpose">' not in render_report(facts)


def test_a_card_of_an_earlier_version_has_no_purpose(facts):
    card = card_of(facts, KEPT)
    card["use"] = {name: card["use"][name] for name in ("description", "owner", "threshold")}
    assert "Goal:" not in render_markdown(card)
    assert '<section id="purpose">' not in render_html(card)
