"""A plan reuses what nothing changed for, and says of the rest why it runs."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from mlops_compiler.plan.stages import PARENTS

STAGES = [name for name in PARENTS if name not in ("feedback", "nested")]  # which only a recipe that asks for it has
FINGERPRINTS = """\
from mlops_compiler.driver import plan_recipe
from mlops_compiler.frontend.hydra_app import launch
(planned,) = launch(["recipe=churn"], plan_recipe)
print(*(action.stage.fingerprint for action in planned.plan.actions))
"""


def actions(plan):
    return {name: action.action for name, action in plan.items()}


def running(plan):
    return [name for name, action in plan.items() if action.action != "reuse"]


def test_all_is_new_where_nothing_is_recorded(fresh):
    plan = fresh.plan()
    assert actions(plan) == dict.fromkeys(STAGES, "new")
    assert {action.reason for action in plan.values()} == {"never run"}
    assert not (fresh.root / ".mlops").exists()


def test_all_is_reused_where_nothing_changed(done):
    plan = done.plan()
    assert actions(plan) == dict.fromkeys(STAGES, "reuse")
    assert {action.record.fingerprint for action in plan.values()} == {
        action.stage.fingerprint for action in plan.values()
    }


WORDS = {
    "the description": ("description: Which telco", "description: Those telco"),
    "why a step is there": ("because: new customers", "because: recent customers"),
    "what a column means": ("description: 65 years", "description: sixty-five years"),
    "the owner": ("Customer analytics", "Retention"),
    "a comment": ("# who it is", "# people"),
    "how it is served": ("route: /churn", "route: /leave"),
    "where it is written": ("{kind: prior}", "{ kind:   prior }"),
    "a default spelt out": ("{kind: prior}", "{kind: prior, resources: {gpu: 0}}"),
}


@pytest.mark.parametrize("change", WORDS.values(), ids=WORDS)
def test_words_rerun_nothing(done, change):
    done.edit(*change)
    assert running(done.plan()) == []


CHANGES = {
    "a parameter of a model": (
        ["models.logistic.C=0.5"],
        "search",
        "`models.logistic` changed: C log_uniform [0.01, 1] → 0.5; 6 stages after it follow",
    ),
    "more trials": (["search.trials=4"], "search", "`search.trials` changed: 3 → 4"),
    "a model less": (["~models.logistic"], "search", "`models.logistic` is gone"),
    "a step": (["prepare.encode.max_levels=3"], "prepare", "`prepare.encode` changed: max_levels 20 → 3"),
    "a step less": (["~prepare.long_tails"], "prepare", "`prepare.long_tails` is gone"),
    "the folds": (["validate.folds.k=4"], "split", "`validate.folds.k` changed: 3 → 4; 8 stages after it follow"),
    "the seed": (["validate.seed=8"], "split", "`validate.seed` changed: 7 → 8"),
    "the contract": (
        ["data.columns.tenure.range=[0, 99]"],
        "snapshot",
        "`data.columns.tenure` changed: range [0.0, 100.0] → [0.0, 99.0]",
    ),
    "the rule": (["select.rule=best"], "select", "`select.rule` changed: one_standard_error → best"),
    "what a decision is worth": (
        ["objective.value.true_positive=61"],
        "select",
        "true_positive` changed: 60.0 → 61.0",
    ),
    "what is explained": (
        ["explain.slices=[contract]"],
        "explain",
        '`explain.slices` changed: [] → ["contract"]; 1 stage after it follows',
    ),
    "a criterion": (["objective.accept.roc_auc.at_least=0.1"], "release", "changed"),
}


def follows(stage):
    """List a stage and all that read its results, directly or not."""
    found = [stage]
    for name, parents in PARENTS.items():
        if name in STAGES and set(parents) & set(found):
            found.append(name)
    return found


@pytest.mark.parametrize("case", CHANGES.values(), ids=CHANGES)
def test_a_change_reruns_what_depends_on_it_and_no_more(done, case):
    overrides, stage, reason = case
    plan = done.plan(*overrides)
    assert running(plan) == follows(stage)
    assert {plan[name].action for name in follows(stage)} == {"rebuild"}
    assert reason in plan[stage].reason
    assert all("follows" in plan[name].reason or "changed" in plan[name].reason for name in follows(stage)[1:])


def test_another_file_reruns_all(done):
    path = done.root / "recipes" / "data" / "telco_churn.csv"
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(lines[:-1]))
    plan = done.plan()
    assert running(plan) == STAGES
    assert plan["snapshot"].reason == "the source file changed; 9 stages after it follow"
    assert plan["split"].reason == "follows `snapshot`"


def test_a_file_touched_and_not_changed_reruns_nothing(done):
    path = done.root / "recipes" / "data" / "telco_churn.csv"
    os.utime(path, ns=(1, 1))
    assert running(done.plan()) == []


@pytest.mark.parametrize("stage", ["snapshot", "prepare", "search", "train"])
def test_a_lost_object_is_made_again(done, stage):
    record = done.plan()[stage].record
    for digest in record.outputs.values():
        done.planned().store.objects.local_path(digest).unlink(missing_ok=True)
    plan = done.plan()
    assert plan[stage].reason == "its result is no longer in the store"
    assert set(running(plan)) >= set(follows(stage))
    done.run()
    again = done.plan()
    assert running(again) == []
    assert again[stage].record.outputs == record.outputs


def test_what_was_changed_and_changed_back_is_reused(done):
    overrides = ["select.rule=best"]
    done.run(*overrides)
    assert running(done.plan(*overrides)) == []
    assert running(done.plan()) == []


def test_a_longer_search_goes_on_from_the_shorter_one(done):
    done.run("search.trials=5")
    folds = [event.payload for event in done.planned().store.events("r1") if event.kind == "trial_finished"]
    assert [payload["cached"] for payload in folds] == [False] * 3 + [True] * 3 + [False] * 2


def test_planning_writes_nothing(done):
    before = files_of(done)
    assert before
    done.plan("search.trials=9")
    assert files_of(done) == before


def files_of(place):
    """Give all files with the time of their last change, but for SQLite's own housekeeping."""
    found = (path for path in place.root.rglob("*") if path.is_file() and not path.name.startswith("metadata.db"))
    return {path: path.stat().st_mtime_ns for path in found}


@pytest.mark.parametrize("seed", ["1", "2"])
def test_fingerprints_are_the_same_in_every_process(fresh, seed):
    here = [action.stage.fingerprint for action in fresh.plan().values()]
    environment = {**os.environ, "PYTHONHASHSEED": seed}
    done = subprocess.run(
        [sys.executable, "-c", FINGERPRINTS], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == here
    assert len(set(here)) == len(STAGES)
