"""What came back to training and what came of it, as the dashboard tells it; with empty states and strange accounts."""

from __future__ import annotations

import re

import pytest

from mlops_compiler.store.collections import record_collection, refuse_collection
from mlops_compiler.ui.feedback import collected, collected_figure, retrained

PAGE = "/recipes/churn/feedback"
EVIL = '<img src=x onerror="alert(1)">'
SOURCES = {
    "key:crm": {"labels": 400, "wrong": 60, "expected": 55.2, "returns": 41, "held_back": False, "times": 0.9, "p": 0.4, "why": None},
    "key:bad": {"labels": 90, "wrong": 50, "expected": 12.0, "returns": 0, "held_back": True, "times": 3.1, "p": 1e-9, "why": "its labels call 3.1 times as much wrong"},
}  # fmt: skip
SLICE = {
    "slice": "plan = c", "rows": 120, "value": 0.61, "rest": 0.84, "q": 0.001, "significant": True, "worse": True,
    "outcome": {"then": 0.2, "now": 0.45, "p": 0.001}, "calibration": {"predicted": 0.21},
    "changed": [{"column": "price", "level": None, "then": 20.0, "now": 30.5}, {"column": "kind", "level": "new", "then": 0.1, "now": 0.4}],
}  # fmt: skip
FAILINGS = {
    "rows": 490, "wrong": 0.22, "metric": "roc_auc", "measure": "roc_auc", "overall": 0.79,
    "slices": {"tested": 30, "significant": 1, "worst": [SLICE, {**SLICE, "slice": "plan = a", "significant": False}]},
    "leaves": [{"where": "price over 25", "rows": 80, "wrong": 0.5, "expected": 0.3, "rest": 0.1, "q": 0.01}],
}  # fmt: skip


def text_of(html):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))


def collect(store, rows=41, **changes):
    account = {"rows": rows, "dropped": {"it was right": 380}, "sources": SOURCES, "predictions": 2000}
    account |= {"failings": FAILINGS, "release": 1, **changes}
    return record_collection(store.writer, "churn", f"rows {rows}".encode(), account)


def retrain(store, outcome, cause="drift", **more):
    release = more.pop("release", None)
    told = {"cause": cause, "reason": "each of the last 3 checks found drift", "collection": 1, "rows": 41}
    store.writer.add_audit(
        actor="ana@host",
        action="retrain",
        recipe="churn",
        release=release,
        payload={**told, "outcome": outcome, **more},
    )


def test_where_nothing_came_back_the_page_says_what_to_type(store, client):
    store.begin()
    shown = text_of(client.get(PAGE).text)
    assert "Nothing came back yet" in shown
    assert "mlops-compile feedback recipe=churn" in shown


def test_a_collection_is_told_by_its_sources_its_failings_and_why_others_stay_away(store, client):
    store.release()
    collect(store)
    page = client.get(PAGE).text
    shown = text_of(page)
    assert "41 rows of wrong predictions came back, of 2,000 that were logged" in shown
    assert "key:bad is held back: its labels call 3.1 times as much wrong" in shown
    assert "key:crm 400 60 55.2 41 0.9 times" in shown
    assert "380 it was right" in shown
    assert "Where release 1 fails" in shown
    assert "490 rows with their outcome, 22.0 % of them wrong; ROC AUC 0.7900" in shown
    assert "plan = c 120 0.6100 0.8400 p = 0.001 came 0.45, 0.2 where it learned" in shown
    assert "price 30.5, was 20" in shown
    assert "kind = new 40.0 %, was 10.0 %" in shown
    assert "plan = a" not in shown
    assert "price over 25 : 50.0 % wrong, 30.0 % expected, 10.0 % elsewhere" in shown
    assert "the next run learns from it" in shown
    assert 'aria-current="page">Feedback' in page


def test_retrainings_say_why_they_were_and_what_came_of_them(store, client):
    run_id = store.release()
    retrain(store, "failed", error="the engine is away")
    retrain(store, "rejected", run=run_id)
    retrain(store, "succeeded", cause="hand", run=run_id, release=2)
    shown = text_of(client.get(PAGE).text)
    assert "hand each of the last 3 checks found drift 41 collection 1 succeeded 2" in shown
    assert "drift each of the last 3 checks found drift 41 collection 1 rejected" in shown
    assert "failed the engine is away" in shown
    assert f'href="/recipes/churn/runs/{run_id}"' in client.get(PAGE).text
    assert [item.outcome for item in retrained(store.writer.audit("churn"))] == ["succeeded", "rejected", "failed"]


def test_what_a_refused_model_learned_from_is_learned_from_no_more(store, client):
    run_id = store.release()
    refuse_collection(store.writer, collect(store), run_id)
    assert "refused the model of run" in text_of(client.get(PAGE).text)
    collect(store, 55)
    found = collected(store.writer, "churn")
    assert [(item.number, item.rows, item.refused) for item in found] == [(2, 55, None), (1, 41, run_id)]
    assert collected_figure(found[:1]) is None
    assert collected_figure(found) is not None
    assert "Rows that came back" in client.get(PAGE).text


@pytest.mark.parametrize(
    "account",
    [
        {"sources": None, "dropped": 3, "failings": "x", "predictions": "many", "release": "one"},
        {"sources": {"": None}, "dropped": {}, "failings": {"slices": 1, "leaves": {}}},
        {"failings": {"skipped": "too few to tell"}},
        {"failings": {"slices": {"worst": [{"significant": True, "changed": [{}], "outcome": 3}]}, "leaves": [{"q": 0.0}], "wrong": None}},
        {"sources": {EVIL: {"held_back": True, "why": EVIL}}, "dropped": {EVIL: 1}, "failings": {"slices": {"worst": [{"slice": EVIL, "significant": True, "changed": [{"column": EVIL, "level": EVIL}]}]}, "leaves": [{"where": EVIL, "q": 0}]}},
    ],
)  # fmt: skip
def test_an_account_of_another_version_breaks_no_page(store, client, account):
    store.begin()
    collect(store, **account)
    retrain(store, EVIL, cause=EVIL, error=EVIL)
    store.writer.add_audit(actor="ana", action="retrain", recipe="churn", payload={})
    answer = client.get(PAGE)
    assert answer.status_code == 200
    assert "<img" not in answer.text
