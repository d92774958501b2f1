"""`mlops-compile monitor` on real customers: what is quiet, what is noticed, what is an alert, and who is told."""

from __future__ import annotations

import json
from datetime import timedelta

import polars as pl
import pytest

DEARER = pl.col("monthly_charges") * 1.25


def check_of(served):
    return served.store.checks("telco", "development", limit=1)[0]


def fired(served):
    return {rule["rule"] for rule in check_of(served).payload["rules"] if rule["fired"]}


def rule(served, name):
    return next(rule for rule in check_of(served).payload["rules"] if rule["rule"] == name)


def test_without_any_traffic_a_check_is_blind(served):
    said = served.monitor()
    assert said.code == 0, said.err
    assert check_of(served).status == "blind"
    assert "blind" in said.out


def test_the_same_kind_of_customers_is_quiet(served, others):
    ids = served.serve(others.head(1500))
    served.label(ids[:800], others["churn"][:800].to_list())
    served.requests(_200=1500, _422=3)
    said = served.monitor()
    assert said.code == 0, said.err
    check = check_of(served)
    assert (check.status, check.payload["rows"], check.payload["labelled"]) == ("quiet", 1500, 800)
    assert {rule["kind"] for rule in check.payload["rules"] if rule["looked"]} == {
        "drift", "prediction_drift", "label_drift", "quality", "performance", "estimate", "slice",
    }  # fmt: skip
    low, high = check.payload["estimate"]["intervals"]["roc_auc"]
    assert low < check.payload["performance"]["metrics"]["roc_auc"] < high


def test_a_dearer_price_list_is_an_alert(served, others):
    served.serve(others.head(1500).with_columns(DEARER))
    said = served.monitor("--json")
    told = json.loads(said.out)
    assert said.code == 1
    assert told["status"] == "alert"
    assert "drift:monthly_charges" in fired(served)
    assert not {"drift:tenure", "drift:contract", "drift:payment_method"} & fired(served)
    assert rule(served, "drift:monthly_charges")["value"] > 0.3


def of_one_slice():
    """Make what one kind of customer pays dearer, so few of them that all together pay about the same."""
    chosen = pl.col("internet_service") == "No"
    return pl.when(chosen).then(pl.col("monthly_charges") + 3).otherwise("monthly_charges").alias("monthly_charges")


def test_one_slice_that_drifts_is_an_alert_that_is_told_once(served, others, inbox, monkeypatch):
    monkeypatch.setenv("HOOK", inbox.url)
    served.watch("slices: [internet_service], drift: {together: false}, alert: {of: [drift]}")
    path = served.root / "recipes" / "telco.yaml"
    path.write_text(f"{path.read_text()}notify: [{{when: [drift], to: {{secret: HOOK}}}}]\n")
    rows = others.head(2500)
    served.serve(rows.with_columns(of_one_slice()))
    said = served.monitor()
    assert said.code == 1
    assert fired(served) == {"drift:internet_service = No"}
    assert "where internet_service = No, monthly_charges moved by" in " ".join(said.out.split())
    (found,) = [item for item in json.loads(served.monitor("--json").out)["slice_drift"] if item["drifted"]]
    assert (found["slice"], found["column"]) == ("internet_service = No", "monthly_charges")
    assert found["rows"] == rows.filter(pl.col("internet_service") == "No").height
    assert found["effect"] > 3 * found["limit"]
    (message,) = inbox.messages
    assert "where internet_service = No, monthly_charges moved by" in message["message"]


def test_slices_are_compared_while_the_training_rows_are_there(served, others):
    store = served.store
    seals = {item["stage"]: item["fingerprint"] for item in store.run(store.release("telco").run_id).plan}
    store.objects.local_path(store.stage(seals["snapshot"]).outputs["snapshot"]).unlink()
    served.serve(others.head(800))
    assert served.monitor().code == 0
    assert not rule(served, "drift:slices")["looked"]
    assert check_of(served).payload["slice_drift"] == []


@pytest.mark.parametrize(("agree", "code", "status"), [(2, 0, "noticed"), (1, 1, "alert")])
def test_an_alert_needs_the_agreement_that_the_recipe_names(served, others, agree, code, status):
    served.watch(f"alert: {{agree: {agree}, of: [drift, quality, performance]}}")
    served.serve(others.head(800).with_columns(pl.lit("Two year").alias("contract")))
    assert served.monitor().code == code
    assert check_of(served).status == status
    assert check_of(served).payload["votes"] == ["drift"]


def test_a_rule_counts_once_it_has_fired_often_enough(served, others):
    served.watch("patience: {drift: 3}, alert: {of: [drift]}")
    served.serve(others.head(800).with_columns(DEARER))
    assert [served.monitor().code for _ in range(3)] == [0, 0, 1]
    assert rule(served, "drift:monthly_charges")["in_a_row"] == 3


def test_what_clients_send_amiss_is_found_by_column(served, others):
    broken = others.head(600).with_columns(
        pl.when(pl.int_range(pl.len()) % 4 == 0).then(None).otherwise("total_charges").alias("total_charges"),
        pl.when(pl.int_range(pl.len()) % 10 == 0).then(pl.lit("Barter")).otherwise("payment_method").alias("payment_method"),
        pl.when(pl.int_range(pl.len()) % 10 == 1).then(pl.lit(9999.0)).otherwise("monthly_charges").alias("monthly_charges"),
    )  # fmt: skip
    served.serve(broken)
    served.requests(_200=600, _422=120)
    served.monitor()
    quality = {name for name in fired(served) if name.startswith("quality")}
    assert quality == {
        "quality:refused", "quality:missing:total_charges", "quality:unseen:payment_method", "quality:beyond:monthly_charges",
    }  # fmt: skip


def test_outcomes_that_contradict_the_model_are_an_alert_by_performance(served, others, random):
    rows = others.head(1500)
    ids = served.serve(rows)
    served.label(ids, random.permutation(rows["churn"].to_numpy()).tolist())
    assert served.monitor().code == 1
    assert {"performance:roc_auc", "performance:holdout"} <= fired(served)
    assert rule(served, "performance:roc_auc")["value"] < 0.6
    assert "label_drift:target" not in fired(served)
    estimate = rule(served, "estimate:roc_auc")
    assert not estimate["looked"]
    assert "contradict" in estimate["why"]


def test_a_slice_that_goes_wrong_is_named(served, others, random):
    rows = others.head(3000)
    ids = served.serve(rows)
    mixed = random.permutation(rows["churn"].to_numpy())
    monthly = rows["contract"] == "Month-to-month"
    told = [new if bad else old for new, old, bad in zip(mixed, rows["churn"], monthly, strict=True)]
    served.label(ids, told)
    served.monitor()
    assert {name for name in fired(served) if name.startswith("slice")} == {"slice:contract = Month-to-month"}


def test_latency_errors_and_staleness_have_bounds(served, others):
    served.watch("latency_p99: 100ms, error_rate: 1%, stale_after: {traffic: 6h, release: 1d}")
    served.serve(others.head(300), ago=timedelta(hours=8), seconds=0.5)
    served.requests(_200=270, _503=30, ago=timedelta(hours=8))
    assert served.monitor().code == 1
    assert {"latency:p99", "errors:rate", "staleness:traffic"} <= fired(served)
    assert not rule(served, "staleness:release")["fired"]


def test_few_rows_are_not_looked_at(served, others):
    served.serve(others.head(20).with_columns(DEARER))
    assert served.monitor().code == 0
    assert fired(served) == set()
    assert not rule(served, "drift:monthly_charges")["looked"]


def test_a_window_that_the_command_line_names(served, others):
    served.serve(others.head(400), ago=timedelta(hours=30))
    served.serve(others.head(400).with_columns(DEARER), ago=timedelta(hours=2), start="s")
    assert served.monitor("since=3d").code == 1
    assert check_of(served).payload["rows"] == 800
    said = served.monitor("since=yesterday")
    assert said.code == 2
    assert "bad-argument" in said.err


def test_a_recipe_without_the_section_is_refused(served):
    path = served.root / "recipes" / "telco.yaml"
    path.write_text("\n".join(line for line in path.read_text().splitlines() if not line.startswith("monitor:")))
    said = served.monitor()
    assert said.code == 2
    assert "no-monitor" in said.err


def test_an_alert_is_told_once_until_it_is_over(served, others, inbox, monkeypatch):
    monkeypatch.setenv("HOOK", inbox.url)
    path = served.root / "recipes" / "telco.yaml"
    path.write_text(f"{path.read_text()}notify: [{{when: [drift, recovery], to: {{secret: HOOK}}}}]\n")
    served.serve(others.head(800).with_columns(DEARER), ago=timedelta(hours=3))
    assert [served.monitor().code for _ in range(2)] == [1, 1]
    (message,) = inbox.messages
    assert message["type"] == "failure"
    lines = message["message"].splitlines()
    assert lines[0].startswith("alert: drift")
    assert "monthly_charges moved by" in lines[1]
    assert lines[-2:] == [
        "owner: Customer analytics",
        "next: mlops-compile monitor recipe=telco environment=development",
    ]
    served.serve(others.tail(800), start="s")
    assert served.monitor("since=2h").code == 0
    assert [item["title"] for item in inbox.messages][1:] == ["telco in development: recovered: no alert any more"]


def test_a_release_can_be_watched_when_its_rows_are_gone(served, others):
    store = served.store
    release = store.release("telco")
    seals = {item["stage"]: item["fingerprint"] for item in store.run(release.run_id).plan}
    store.objects.local_path(store.stage(seals["snapshot"]).outputs["snapshot"]).unlink()
    served.serve(others.head(800).with_columns(DEARER))
    assert served.monitor().code == 1
    assert "drift:monthly_charges" in fired(served)
    together = rule(served, "drift:together")
    assert not together["looked"]
    assert "keeps the training rows no longer" in together["why"]
