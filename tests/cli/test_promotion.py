"""Releases are approved, promoted, rolled back and retired; each is refused where something is missing, and recorded."""

from __future__ import annotations

import json
import shutil
import sqlite3

import pytest

from mlops_compiler.store.location import StoreLocation
from mlops_compiler.store.records import Deployment
from mlops_compiler.store.writer import open_writer

HERE = "cluster.engine=in_process"


@pytest.fixture(scope="module")
def released(make_workplace, tmp_path_factory):
    """A workplace whose recipe has two releases."""
    place = make_workplace(tmp_path_factory.mktemp("released"))
    for words in ((), ("validate.seed=8", "description=better")):
        said = place.main("recipe=small", HERE, "search.trials=3", *words)
        assert said.code == 0, said.err
    return place


@pytest.fixture
def place(released, tmp_path, monkeypatch):
    """The workplace with a copy of its store, and a service that only notes what it was told."""
    store = tmp_path / "store"

    shutil.copytree(released.folder, store)
    writer = open_writer(StoreLocation(url=str(store)))
    served, ended = [], []

    def deploy(_location, target, release, *, said):
        served.append((release.number, target.rollout.kind))
        about = dict.fromkeys(("host", "address", "session", "app"), "/")
        settings = {"url": f"http://service{target.route}", "spec": {"settings": {}}}
        return Deployment(
            recipe="small",
            environment=target.environment,
            release=release.number,
            route=target.route,
            port=target.port,
            created=1.0,
            settings=settings,
            pid=1,
            **about,
        )

    def undeploy(deployment):
        ended.append(deployment.environment)
        return "running"

    monkeypatch.setattr("mlops_compiler.backends.ray.service.deploy", deploy)
    monkeypatch.setattr("mlops_compiler.backends.ray.service.undeploy", undeploy)

    def main(command, *words, actor="ann", route=None):
        """Do a command; each environment has a route of its own, where the test does not care."""
        monkeypatch.setenv("MLOPS_ACTOR", actor)
        where = next((word.partition("=")[2] for word in words if word.startswith("environment=")), "development")
        at = f"deploy.route={route or f'/{where}'}"
        return released.main(command, "recipe=small", f"store.url={store}", at, *words)

    main.store, main.served, main.ended = writer, served, ended
    return main


def codes(said):
    return [line.partition("[")[2].partition("]")[0] for line in said.err.splitlines() if line.startswith("error[")]


def test_the_notes_of_a_release_say_what_differs(place):
    facts = json.loads(place("releases", "2", "--json").out)
    assert any("validate.seed" in text for text in facts["changes"])
    assert any(text.startswith("scores: ") for text in facts["changes"])
    assert json.loads(place("releases", "1", "--json").out)["changes"] == ["the first release"]
    shown = place("releases", "2")
    assert "Changes" in shown.out
    assert "validate.seed" in shown.out


def test_a_promotion_needs_the_environment_before_and_approvals(place):
    asked = ["environment=production", "promotion={after: test, approvals: 2, four_eyes: true}"]
    assert codes(place("promote", *asked)) == ["not-promoted-before"]
    assert place("promote", "environment=test", "release=1").code == 0
    assert codes(place("promote", *asked, "release=2")) == ["not-promoted-before"]
    assert codes(place("promote", *asked)) == ["lacks-approvals"]
    for who in ("ann", "ann", "bob"):
        assert place("approve", "environment=production", "release=1", "note=ok", actor=who).code == 0
    assert codes(place("promote", *asked)) == ["lacks-approvals"]  # ann promotes what ann approved
    assert place("promote", *asked, actor="eve").code == 0
    assert [number for number, _ in place.served] == [1, 1]
    placements = {item.environment: item.release for item in place.store.placements("small")}
    assert placements == {"test": 1, "production": 1}
    listed = json.loads(place("releases", "--json").out)
    assert [item["environments"] for item in listed] == [[], ["production", "test"]]
    assert listed[0]["manifest"] != listed[1]["manifest"]


def test_no_command_goes_around_the_approvals(place):
    asked = ["environment=production", "promotion.approvals=1"]
    assert place("promote", "release=1").code == 0
    assert codes(place("promote", "release=2", *asked)) == ["lacks-approvals"]
    assert codes(place("deploy", "release=2", *asked)) == ["lacks-approvals"]
    assert place("approve", "release=1", *asked).code == 0
    assert place("deploy", "release=1", *asked).code == 0
    assert codes(place("deploy", "release=1", *asked, "deploy.rollout.roll_back_to=2")) == ["lacks-approvals"]
    assert codes(place("rollback", "to=2", *asked)) == ["lacks-approvals"]
    # Release 1 is served in production, whatever environment somebody names.
    assert codes(place("retire", "release=1", "--drain")) == ["service-of-another-environment"]
    assert place("approve", "release=2", *asked).code == 0
    assert place("deploy", "release=2", *asked).code == 0
    assert place("rollback", *asked).code == 0  # it was there, and needs nobody's word again
    assert [number for number, _ in place.served] == [1, 1, 2, 1]
    assert place("undeploy", *asked).code == 0


def test_only_approvers_approve(place):
    asked = ["promotion={approvals: 1, approvers: [bob]}", "environment=production"]
    assert codes(place("approve", "release=1", *asked)) == ["not-an-approver"]
    assert place("approve", "release=1", *asked, actor="bob").code == 0
    assert place("promote", "release=1", *asked).code == 0
    assert place("check", "promotion={approvals: 2, approvers: [bob]}").code == 1


def test_a_rollback_serves_what_was_served_before_at_once(place):
    assert codes(place("rollback")) == ["not-deployed"]
    for number in (1, 2):
        place("promote", f"release={number}")
    assert place("rollback", "reason=errors").code == 0
    assert place.served[-1] == (1, "all_at_once")
    entry = next(item for item in place.store.audit("small") if item.action == "rollback")
    assert (entry.actor, entry.release, entry.payload) == ("ann", 1, {"from": 2, "reason": "errors"})
    assert codes(place("rollback", "to=1")) == ["bad-argument"]
    assert place("rollback", "to=2").code == 0


def test_a_release_whose_model_is_gone_takes_nobodys_place(place):
    place("promote", "release=2")
    manifest = json.loads(place.store.objects.get(place.store.release("small", 1).manifest))
    for digest in manifest["model"]["files"].values():
        place.store.objects.discard(digest)
    assert codes(place("rollback", "to=1")) == ["artifact-missing"]
    assert [number for number, _ in place.served] == [2]


def test_a_retired_release_is_used_no_more(place, tmp_path):
    place("promote", "release=1")
    assert codes(place("retire", "release=1")) == ["release-served"]
    place("promote", "release=2")
    backup = f"data.snapshot.backups=[{tmp_path}/copies]"
    assert place("retire", "release=1", "reason=old", backup).code == 0
    assert list((tmp_path / "copies").rglob("*.json"))
    for words in (["promote", "release=1"], ["rollback", "to=1"], ["retire", "release=1"], ["approve", "release=1"]):
        said = place(*words)
        assert codes(said) == ["release-retired"], words
        assert "old" in said.err
    said = place("predict", "release=1", "input=x.csv", "output=y.csv")
    assert codes(said) == ["release-retired"]
    assert "retired by ann" in place("releases").out
    actions = [entry["action"] for entry in json.loads(place("audit", "--json").out)]
    assert actions[0] == "retire"
    assert codes(place("rollback")) == ["no-release-before"]


def test_what_is_done_is_listed(place):
    place("approve", "release=1", "note=looks good")
    shown = place("audit")
    assert "ann" in shown.out
    assert "looks good" in shown.out
    assert len(json.loads(place("audit", "limit=1", "--json").out)) == 1


def test_what_a_promotion_needs_a_deployment_needs_too(place):
    asked = ["environment=production", "promotion={after: test, approvals: 1}"]
    assert codes(place("deploy", "release=1", *asked)) == ["not-promoted-before"]
    assert place("deploy", "release=1", "environment=test").code == 0
    assert codes(place("deploy", "release=1", *asked)) == ["lacks-approvals"]
    assert place("approve", "release=1", *asked).code == 0
    assert codes(place("deploy", "release=2", *asked)) == ["not-promoted-before"]
    assert place("deploy", "release=1", *asked).code == 0
    placed = {item.environment: (item.release, item.actor) for item in place.store.placements("small")}
    assert placed == {"test": (1, "ann"), "production": (1, "ann")}
    assert [number for number, _ in place.served] == [1, 1]


def test_a_rollback_needs_no_approval(place):
    asked = ["environment=production", "promotion={approvals: 1}"]
    for number in (1, 2):
        place("approve", f"release={number}", *asked)
        assert place("promote", f"release={number}", *asked).code == 0
    assert place("rollback", *asked, "promotion.approvals=5").code == 0
    assert {item.release for item in place.store.placements("small")} == {1}


def test_what_was_rolled_back_from_is_not_returned_to(place):
    for number in (1, 2):
        place("deploy", f"release={number}")
    assert place("rollback").code == 0
    assert codes(place("rollback")) == ["no-release-before"]
    for number in (2, 1):
        place("deploy", f"release={number}")
    assert place("rollback").code == 0
    assert place.served[-1][0] == 2


def test_a_release_that_an_environment_has_is_retired_only_where_that_is_said(place):
    place("deploy", "release=1", "environment=test")
    place("deploy", "release=2", "environment=production")
    said = place("retire", "release=1")
    assert codes(said) == ["release-served"]
    assert "served in test" in said.err
    assert place("retire", "release=1", "--drain", "environment=test").code == 0
    assert [item.environment for item in place.store.placements("small")] == ["production"]
    assert [item.named for item in place.store.deployments()] == ["small in production"]
    assert place("retire", "release=2", "--drain", "environment=production").code == 0
    assert place.store.deployments() == []
    assert place.ended == ["test", "production"]
    (entry, *_) = place.store.audit("small")
    assert (entry.payload["drained"], entry.payload["left"]) == (["production"], ["production"])


def test_the_audit_log_is_exported_and_examined(place, tmp_path):
    for text in ("one", "two", "three"):
        place("approve", "release=1", f"note={text}")
    file = tmp_path / "audit.ndjson"
    assert place("audit", "--out", str(file)).code == 0
    kept = [json.loads(line) for line in file.read_text().splitlines()]
    assert [entry["payload"]["note"] for entry in kept] == ["one", "two", "three"]
    assert len({entry["hash"] for entry in kept}) == 3
    assert found_of(place) == ["well"]
    with sqlite3.connect(str(place.store.location.sqlite)) as connection:
        connection.execute("UPDATE audit SET actor = 'eve' WHERE id = 2")
    assert found_of(place) == ["wrong"]


def found_of(place):
    findings = json.loads(place("doctor", "--json").out)
    return [item["state"] for item in findings if item["what"] == "audit log"]


def test_the_card_tells_of_approvals_and_environments(place):
    place("approve", "release=2", "environment=test", "note=<b>fine</b>", actor="bob")
    place("deploy", "release=2", "environment=test")
    text = place("card", "2").out
    assert "Approved for test by bob" in text
    assert "In test since" in text
    assert "validate.seed" in text
    facts = json.loads(place("card", "1", "--json").out)["operation"]
    assert (facts["served"], facts["placements"], facts["approvals"]) == (False, [], [])


def served_in(place):
    return {item.environment: item.release for item in place.store.deployments("small")}


def test_environments_serve_at_once_and_each_command_is_about_its_own(place):
    for number, where in ((2, "test"), (1, "production")):
        assert place("promote", f"release={number}", f"environment={where}").code == 0
    assert served_in(place) == {"test": 2, "production": 1}
    assert place("promote", "release=2", "environment=production").code == 0
    assert place("deploy", "release=1", "environment=test").code == 0
    # What was served before is what this environment served, and what test serves is no reason to go anywhere.
    assert place("rollback", "environment=production", "reason=errors").code == 0
    assert served_in(place) == {"test": 1, "production": 1}
    listed = json.loads(place("releases", "--json").out)
    assert [item["served"] for item in listed] == [[], ["production", "test"]]
    assert "served in production, served in test" in place("releases", "1").out
    assert codes(place("undeploy")) == ["not-deployed"]
    assert "small in production" in place("undeploy").err
    assert place("undeploy", "environment=test").code == 0
    assert (place.ended, served_in(place)) == (["test"], {"production": 1})


def test_two_services_have_two_routes(place):
    assert place("deploy", "release=1", route="/small").code == 0
    said = place("promote", "release=1", "environment=production", route="/small/")
    assert codes(said) == ["route-taken"]
    assert "`small` in development" in said.err
    assert "deploy.route=/small-production" in said.err
    assert served_in(place) == {"development": 1}
    assert place("deploy", "release=2", route="/small").code == 0  # its own is no other's
    assert place("undeploy").code == 0
    assert place("promote", "release=1", "environment=production", route="/small").code == 0


def test_a_stricter_environment_is_not_retired_from_a_less_strict_one(place):
    place("deploy", "release=1", "environment=test")
    place("deploy", "release=1", "environment=production")
    assert codes(place("retire", "release=1", "--drain", "environment=test")) == ["service-of-another-environment"]
    assert place.ended == []
    assert place("retire", "release=1", "--drain", "environment=production").code == 0
    assert sorted(place.ended) == ["production", "test"]
    assert served_in(place) == {}
