"""What services met with and what checks found: summed up over time, with empty states and strange payloads."""

from __future__ import annotations

import io
import re
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from mlops_compiler.monitoring.findings import Findings, Rule
from mlops_compiler.store.segments import TRAFFIC, Segments
from mlops_compiler.store.served import TRAFFIC as COLUMNS
from mlops_compiler.ui.monitoring import drift_rows, fired, performance_figures, slice_drift_rows
from mlops_compiler.ui.steps import steps_of_rollout
from mlops_compiler.ui.traffic import traffic_of

NOW = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)
EVIL = '<img src=x onerror="alert(1)">'


def text_of(html):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))


def minute(at, status=200, requests=10, **changes):
    told = {
        "time": at,
        "replica": "a",
        "release": 1,
        "role": "answer",
        "status": status,
        "code": None,
        "rows": requests,
    }
    took = {"seconds_p50": 0.002, "seconds_p95": 0.004, "seconds_p99": 0.008, "seconds_sum": 0.02 + requests / 1000}
    return {**told, **took, "requests": requests, "lost": 0, **changes}


def log(store, *rows, to="churn"):
    content = io.BytesIO()
    pl.DataFrame(rows, schema=COLUMNS).write_parquet(content)
    Segments(store.location, TRAFFIC, to).append(content.getvalue())


def check(store, status="quiet", release=1, environment="development", **payload):
    told = Findings(window={"asked": "1d"}, rows=500, **payload)
    store.writer.add_check(
        recipe="churn", environment=environment, release=release, status=status, payload=told.to_json()
    )


def rule(name, **told):
    return Rule(rule=name, kind=name.partition(":")[0], fired=True, **told)


def moved(effect, column="tenure", **changes):
    told = {"column": column, "kind": "drift", "type": "int", "effect": effect, "measure": "wasserstein", "limit": 0.1}
    return {**told, "p": 0.001, "drifted": effect > 0.1, "rows": 500, **changes}


def test_requests_are_counted_by_how_they_ended(store):
    now = datetime.now(UTC).replace(second=0, microsecond=0)
    at = now - timedelta(minutes=5)
    log(
        store,
        minute(at),
        minute(at, status=422, requests=2, code="contract", lost=4),
        minute(at, status=503, requests=1),
        minute(at, release=2, role="canary", requests=3),
    )
    log(store, minute(at, requests=30, seconds_p50=0.006), minute(at - timedelta(hours=3), requests=7))
    log(store, minute(at, role="shadow", requests=99))
    found = traffic_of(store.location, "churn", 1, now.timestamp())
    assert (found.requests, found.refused, found.failed) == (46, 2, 1)
    assert found.counts["answered"] == [(at.timestamp(), 43.0)]
    ((_, median),) = found.latency["p50"]
    assert median == pytest.approx((13 * 0.002 + 30 * 0.006) / 43)
    assert found.codes == [(200, None, 43), (422, "contract", 2), (503, None, 1)]
    assert found.lost == 4
    assert [(row["release"], row["role"], row["requests"]) for row in found.releases] == [
        (2, "canary", 3),
        (1, "answer", 43),
    ]


def test_a_longer_span_sees_more_in_broader_bars(store):
    now = datetime.now(UTC)
    log(store, *(minute(now - timedelta(minutes=at)) for at in (5, 6, 65, 200)))
    assert traffic_of(store.location, "churn", 1).requests == 20
    wide = traffic_of(store.location, "churn", 6)
    assert wide.requests == 40
    assert all(at % 300 == 0 for at, _ in wide.counts["answered"])


def test_where_no_request_came_the_page_says_why(store, client):
    store.begin()
    assert "Nothing is served" in client.get("/recipes/churn/traffic").text
    store.deploy()
    assert "No request in this time" in client.get("/recipes/churn/traffic").text


def test_traffic_is_shown_and_a_wrong_span_is_the_shortest(store, client):
    store.begin()
    log(store, minute(datetime.now(UTC)), minute(datetime.now(UTC), status=500, requests=1))
    for query in ("", "?hours=6", "?hours=168"):
        shown = client.get(f"/recipes/churn/traffic{query}").text
        assert "11 requests" in text_of(shown), query
        assert "1 failed, 9.09 %" in text_of(shown)
        assert "answered: 10" in shown
    for query in ("?hours=7", "?hours=-1", "?hours=x", "?hours=%D9%A1"):
        assert 'href="?hours=1" aria-current="page"' in client.get(f"/recipes/churn/traffic{query}").text, query


def test_a_rollout_is_told_step_by_step(store, client):
    store.begin()
    store.deploy()
    told = {"actor": "ana", "recipe": "churn", "release": 2}
    store.writer.add_audit(
        action="canary", payload={"share": 0.5, "verdict": "passed"}, actor="ana", recipe="churn", release=1
    )
    store.writer.add_audit(action="replay", payload={"rows": 500}, **told)
    few = {"share": 0.05, "requests": 60, "errors": 0, "latency_p99": 0.006, "compared": 50, "differing": 1}
    store.writer.add_audit(action="canary", payload={**few, "verdict": "passed"}, **told)
    store.writer.add_audit(
        action="canary", payload={**few, "share": 0.25, "verdict": "taken back", "reason": "errors 2 %"}, **told
    )
    assert [entry.payload.get("share") for entry in steps_of_rollout(store.writer.audit("churn"), "development")] == [
        None,
        0.05,
        0.25,
    ]
    shown = text_of(client.get("/recipes/churn/traffic").text)
    assert "The last rollout, of release 2" in shown
    assert "taken back errors 2 %" in shown
    assert "1 of 50" in shown
    assert "canary of release 2 at 25 %: taken back" in text_of(client.get("/").text)


def test_columns_are_followed_from_check_to_check_the_farthest_first(store):
    store.begin()
    check(store, drift=(moved(0.02), moved(0.03, "charges")))
    check(store, drift=(moved(0.04), moved(0.2, "charges"), moved(0.01, "probability", kind="prediction_drift")))
    rows = drift_rows(store.writer.checks("churn", "development"))
    assert [(row.name, row.kind) for row in rows] == [
        ("probability", "prediction_drift"),
        ("charges", "drift"),
        ("tenure", "drift"),
    ]
    assert [cell.share for cell in rows[0].cells] == [None, pytest.approx(0.1)]
    assert [cell.drifted for cell in rows[1].cells] == [False, True]
    assert rows[1].cells[1].share == 1.0
    assert "wasserstein 0.2 of 0.1, p = 0.001, 500 rows" in rows[1].cells[1].told


def test_slices_are_followed_by_the_column_that_moved_farthest_in_each(store, client):
    store.begin()
    within = {"slice": "partner = 1", "moved": 0.3, "columns": ["tenure"], "compared": 8}
    check(store, slice_drift=({**moved(0.05, "charges"), **within, "columns": []},))
    check(store, slice_drift=({**moved(0.25), **within}, {**moved(0.01), **within, "slice": "partner = 0"}))
    rows = slice_drift_rows(store.writer.checks("churn", "development"))
    assert [row.name for row in rows] == ["partner = 1", "partner = 0"]
    assert [cell.drifted for cell in rows[0].cells] == [False, True]
    assert ": charges, wasserstein 0.05 of 0.1" in rows[0].cells[0].told
    shown = text_of(client.get("/recipes/churn/monitoring").text)
    assert "Drift by slice" in shown
    assert "partner = 1 tenure 0.25 of 0.1 0.3 wasserstein" in shown


def test_monitoring_shows_what_was_found_and_why(store, client):
    store.release()
    assert "Nothing was checked yet" in client.get("/recipes/churn/monitoring").text
    check(store, estimate={"metrics": {"roc_auc": 0.84}, "calibrated": False})
    moving = rule("drift:charges", value=0.2, limit=0.1, why="it moved", rows=500, in_a_row=3)
    measured = {"metrics": {"roc_auc": 0.81}, "intervals": {"roc_auc": [0.79, 0.83]}, "holdout": {"roc_auc": 0.8432}}
    asked = rule("performance:roc_auc", value=0.81, limit=0.82, why="too low")
    slices = (
        {"slice": "partner = 1", "rows": 99, "value": 0.7, "low": 0.6, "high": 0.8, "holdout": 0.8, "worse": True},
    )
    check(store, "alert", rules=(moving, asked), votes=("drift", "performance"), agree=2, drift=(moved(0.2, "charges"),), performance=measured, slices=slices)  # fmt: skip
    page = client.get("/recipes/churn/monitoring").text
    shown = text_of(page)
    assert "alert" in shown
    assert "2 of 2 that must agree" in shown
    assert "drift:charges it moved (3 checks in a row)" in shown
    assert "measured: 0.8100" in page
    assert "estimated: 0.8400" in page
    assert "on the holdout: 0.8432" in page
    assert "partner = 1 99 0.7000 0.6000 to 0.8000 0.8000 worse" in shown
    assert 'class="box alert"' in client.get("/recipes/churn").text
    assert "1 alert" in text_of(client.get("/").text)
    assert "an alert (release 1 in development)" in text_of(client.get("/").text)


def test_alerts_are_listed_with_their_rules_and_quiet_checks_are_counted(store, client):
    store.begin()
    assert "Nothing was checked yet" in client.get("/recipes/churn/alerts").text
    check(store)
    assert "1 check, and nothing was found" in text_of(client.get("/recipes/churn/alerts").text)
    check(
        store,
        "noticed",
        rules=(rule("latency", why="too slow"),),
        agree=2,
        votes=("latency",),
    )
    shown = client.get("/recipes/churn/alerts").text
    assert "noticed" in text_of(shown)
    assert "latency too slow" in text_of(shown)
    assert "1 of 2 agree" in text_of(shown)
    assert 'aria-label="2 checks: 0 alerts, 1 where a rule fired and too few agreed"' in shown


@pytest.mark.parametrize(
    "payload",
    [
        {},
        {"rules": None, "drift": {}, "performance": [], "estimate": "x", "slices": 3, "slice_drift": 7},
        {"drift": [{}], "rules": [{"rule": "x"}], "performance": {"metrics": {"roc_auc": None}}, "slices": [{"slice": "x"}], "slice_drift": [{"slice": "x"}]},
        {"drift": [{"column": EVIL, "kind": EVIL, "effect": 1.0, "measure": EVIL}], "rules": [{"rule": EVIL, "why": EVIL, "fired": True}], "slices": [{"slice": EVIL}], "slice_drift": [{"slice": EVIL, "column": EVIL, "effect": 1.0}], "performance": {"metrics": {EVIL: 0.5}}, "window": {"asked": EVIL}},
    ],
)  # fmt: skip
def test_a_payload_of_another_version_breaks_no_page(store, client, payload):
    store.begin()
    store.writer.add_check(recipe="churn", environment="development", release=1, status="noticed", payload=payload)
    for page in ("", "/monitoring", "/alerts"):
        answer = client.get(f"/recipes/churn{page}")
        assert answer.status_code == 200, page
        assert "<img" not in answer.text
    assert fired(store.writer.checks("churn", "development")[0]) in ([], [{"rule": EVIL, "why": EVIL, "fired": True}])


def test_a_metric_without_any_number_is_not_drawn(store):
    store.begin()
    check(store, performance={"metrics": {}})
    assert performance_figures(store.writer.checks("churn", "development"), ()) == []


def test_a_page_is_about_one_environment_the_strictest_that_serves_or_the_one_that_is_chosen(store, client):
    store.release()
    store.release()
    store.deploy(release=2, environment="test")
    store.deploy(release=1, environment="production")
    log(store, minute(datetime.now(UTC), requests=30), to="churn.test")
    log(store, minute(datetime.now(UTC), requests=10), to="churn.production")
    check(store, "alert", environment="test")
    assert "10 requests" in text_of(client.get("/recipes/churn/traffic").text)
    chosen = client.get("/recipes/churn/traffic?environment=test").text
    assert "30 requests" in text_of(chosen)
    assert 'href="?hours=6&amp;environment=test"' in chosen
    assert '<a href="?environment=test" aria-current="page">test</a>' in chosen
    assert "Nothing was checked yet" in client.get("/recipes/churn/monitoring").text
    assert "alert" in text_of(client.get("/recipes/churn/monitoring?environment=test").text)
    overview, releases = text_of(client.get("/").text), text_of(client.get("/recipes/churn/releases").text)
    assert "Production release 1 cannot be reached" in overview
    assert "Test release 2 cannot be reached" in overview
    assert "an alert (release 1 in test)" in overview
    assert "in service in production" in releases
    assert "in service in test" in releases
    assert "release 1 in production" in text_of(client.get("/recipes/churn").text)
