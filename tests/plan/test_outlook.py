"""Beside what runs, a plan says what it takes, what clients would notice, and what is worn out."""

from __future__ import annotations

import pytest

from mlops_compiler.diagnostics import DataError
from mlops_compiler.ir.budget import shares
from mlops_compiler.ir.ops.search import Search
from mlops_compiler.plan.contract import clients
from mlops_compiler.plan.cost import estimate, features
from mlops_compiler.plan.holdout import MOST, judged, reuse_of_holdout
from mlops_compiler.plan.why import chain
from mlops_compiler.store.records import RunRecord
from mlops_compiler.store.writer import open_writer

# What it takes


def cost_of(place, *overrides, cores=2):
    planned = place.planned(*overrides)
    return estimate(planned.plan, planned.store, planned.compiled.composed.root, cores)


def test_a_search_that_never_ran_is_guessed_from_its_rows(fresh):
    cost = cost_of(fresh, "search.trials=9")
    assert cost.search is not None
    assert {item.model: item.trials for item in cost.search.models} == {"baseline": 1, "logistic": 8}
    assert (cost.search.trials, cost.search.folds, cost.search.measured) == (9, 3, False)
    assert cost.total == cost.search.seconds
    assert cost.search.seconds >= cost.search.cpu_seconds / 2
    assert 0.25 < cost.search.memory < 0.3
    more = cost_of(fresh, "search.trials=90").search
    assert more.cpu_seconds > cost.search.cpu_seconds


def test_a_search_that_ran_is_measured(done):
    cost = cost_of(done, "search.trials=9")
    assert cost.search.measured
    known = [item.fold_seconds for item in cost.search.models]
    assert all(seconds > 0 for seconds in known)
    assert set(cost.seconds) == {"select", "train", "evaluate", "explain", "release", "report"}
    assert cost_of(done, "search.trials=9", "search.time=0.001").search.seconds == pytest.approx(0.001)


def test_nothing_is_counted_where_nothing_runs(done):
    cost = cost_of(done)
    assert (cost.search, cost.seconds, cost.total) == (None, {}, None)


def test_gpu_time_is_counted_for_models_that_ask(fresh):
    asked = cost_of(fresh, "+models.net={kind: torch_mlp, resources: {gpu: 0.5}}").search
    (net,) = [item for item in asked.models if item.model == "net"]
    assert asked.gpu_seconds == pytest.approx(net.cpu_seconds / 2)
    assert cost_of(fresh, cores=None).search.seconds is None


@pytest.mark.parametrize("which", ["cpu", "gpu"])
def test_no_more_is_counted_than_a_budget_allows(fresh, which):
    net = "+models.net={kind: torch_mlp, resources: {gpu: 0.5}}"
    free = getattr(cost_of(fresh, net).search, f"{which}_seconds")
    capped = cost_of(fresh, net, f"search.{which}_hours={free / 3600 / 4!r}").search
    assert getattr(capped, f"{which}_seconds") == pytest.approx(free / 4)
    assert cost_of(fresh, net, f"search.{which}_hours=99").search.cpu_seconds > capped.cpu_seconds


def test_indicators_are_counted_as_the_contract_tells(fresh):
    program = fresh.planned().compiled.optimised
    assert features(program) == 9 + 3 + 3 + 6 * 3 + 3 + 4


def test_models_take_turns_until_their_space_is_exhausted(fresh):
    overrides = ["search.trials=20", "+models.few={kind: logistic_regression, C: {choice: [1, 2, 3]}}"]
    search = fresh.planned(*overrides).compiled.program.the(Search)[1]
    assert shares(search) == {"baseline": 1, "logistic": 16, "few": 3}


# What clients would notice

CHANGES = {
    "a narrower range": (
        ["data.columns.tenure.range=[0, 80]"],
        ("tenure", "`tenure` would take 0 to 80, and takes 0 to 100", True),
    ),
    "a wider range": (
        ["data.columns.tenure.range=[0, 200]"],
        ("tenure", "`tenure` would take 0 to 200, and takes 0 to 100", False),
    ),
    "a type that holds more": (
        ["data.columns.tenure.type=float"],
        ("tenure", "`tenure` would be float, and is int", False),
    ),
    "a value less": (
        ["data.columns.contract.one_of=[Month-to-month, One year]"],
        ("contract", "`contract` would no longer take 'Two year'", True),
    ),
    "a value more": (
        ["data.columns.contract.one_of=[Month-to-month, One year, Two year, Ten years]"],
        ("contract", "`contract` would take 'Ten years' as well", False),
    ),
    "a value that may no longer be missing": (
        ["data.columns.total_charges.nullable=false"],
        ("total_charges", "`total_charges` could no longer be missing", True),
    ),
    "a column that is not used": (
        ["prepare.said_twice.columns=[phone_service, tenure]", "~prepare.monthly_rate"],
        ("tenure", "`tenure` would be taken and not used", False),
    ),
    "a column that is gone": (
        ["data.ignore=[partner]", "~data.columns.partner"],
        ("partner", "`partner` would be refused as unknown", True),
    ),
    "a column that is used again": (
        ["~prepare.said_twice"],
        ("phone_service", "`phone_service` (int) would be needed", True),
    ),
    "the other answer": (
        ["objective.positive='No'"],
        ("answer", "the positive value would be 'No', and is 'Yes'", True),
    ),
}


@pytest.fixture(scope="module")
def released(first):
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(first.root)
        first.run("~objective.accept")
    return first


@pytest.mark.parametrize("case", CHANGES.values(), ids=CHANGES)
def test_a_change_of_the_contract_is_told(released, monkeypatch, case):
    monkeypatch.chdir(released.root)
    overrides, wanted = case
    planned = released.planned("~objective.accept", *overrides)
    found = clients(planned.plan.program, planned.store)
    assert (found.release, found.url) == (1, None)
    assert [(change.field, change.text, change.breaks) for change in found.changes] == [wanted]


def test_the_same_contract_breaks_nobody(released, monkeypatch):
    monkeypatch.chdir(released.root)
    planned = released.planned("search.trials=2")
    assert clients(planned.plan.program, planned.store).changes == ()


def test_without_a_release_there_are_no_clients(fresh):
    planned = fresh.planned()
    assert clients(planned.plan.program, planned.store) is None


# Without the data


def test_a_plan_needs_no_data(done):
    path = done.root / "recipes" / "data" / "telco_churn.csv"
    content = path.read_bytes()
    path.unlink()
    planned = done.planned("search.trials=2")
    assert not planned.plan.source_is_here
    assert planned.plan.to_run[0].name == "search"
    assert planned.compiled.warnings[0].code == "source-absent"
    path.write_bytes(content)
    assert done.planned().plan.source_is_here


def test_without_data_and_a_whole_contract_there_is_no_plan(fresh):
    (fresh.root / "recipes" / "data" / "telco_churn.csv").unlink()
    assert {action.action for action in fresh.plan().values()} == {"new"}
    with pytest.raises(DataError, match="does not exist"):
        fresh.plan("data.columns.tenure.type=null")


def test_a_program_without_data_is_the_same(fresh):
    whole = fresh.planned().compiled.program
    (fresh.root / "recipes" / "data" / "telco_churn.csv").unlink()
    assert fresh.planned().compiled.program == whole


# Why


def test_a_stage_is_followed_back_to_what_changed(done):
    found = chain(done.planned("prepare.scale.op=log1p", "select.rule=best").plan, "train")
    assert [link.stage for link in found] == ["train", "select", "search", "prepare"]
    assert [cause.path for cause in found[1].causes] == ["select.rule"]
    assert [cause.path for cause in found[3].causes] == ["prepare.scale.op"]
    assert found[2].causes == ()


def test_a_reused_stage_is_the_end_of_its_way(done):
    (only,) = chain(done.planned("search.trials=2").plan, "split")
    assert (only.action, only.last.run_id) == ("reuse", "r1")


# What is worn out


def test_a_holdout_that_judged_many_models_is_told(done):
    planned = done.planned("search.trials=2")
    seals = {action.stage.name: action.stage.fingerprint for action in planned.plan.actions}
    store = open_writer(planned.location)
    for number in range(MOST):
        assert reuse_of_holdout(planned.plan, planned.store, None) is None
        plan = [{"stage": name, "fingerprint": seal} for name, seal in seals.items() if name != "evaluate"]
        record = RunRecord(
            run_id=f"r{number}",
            recipe="churn",
            status="succeeded",
            started=float(number),
            finished=1.0,
            pid=1,
            host="x",
            overrides=[],
            plan=[*plan, {"stage": "evaluate", "fingerprint": f"e{number}"}],
        )
        store.start_run(record)
        assert judged(planned.plan, planned.store) == number + 1
    assert "has judged 10 models" in reuse_of_holdout(planned.plan, planned.store, None).headline
    again = done.planned()
    assert reuse_of_holdout(again.plan, again.store, None) is None
    other = done.planned("validate.seed=8")
    assert judged(other.plan, other.store) == 0
