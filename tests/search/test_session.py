"""A search that is killed goes on where it was, and ends as if nothing had happened."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlops_compiler.backends.search.race import Signal, Verdict
from mlops_compiler.backends.search.session import Session

LAW = settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@LAW
@given(slots=st.integers(1, 8), seed=st.integers(0, 99), ends=st.lists(st.integers(1, 40), min_size=1, max_size=3))
def test_a_search_that_is_killed_goes_on(sim, new_store, slots, seed, ends):
    search = sim.search_of(trials=14)
    wanted, _ = sim.run_session(search, new_store())
    store = new_store()
    for end in ends:
        sim.run_session(search, store, slots=slots, seed=seed, folds_to_run=end)
    board, _ = sim.run_session(search, store, slots=slots, seed=seed)
    assert board == wanted
    again, events = sim.run_session(search, store, folds_to_run=1)
    assert again == wanted
    assert all(payload["cached"] for kind, payload in events if kind == "trial_finished")


def test_a_fold_whose_predictions_are_lost_runs_again(sim, new_store):
    search, store = sim.search_of(trials=6), new_store()
    wanted, _ = sim.run_session(search, store)
    store.objects.local_path(wanted["trials"][0]["predictions"][1]).unlink()
    board, events = sim.run_session(search, store)
    assert board == wanted
    rerun = [payload["trial"] for kind, payload in events if kind == "trial_finished" and not payload["cached"]]
    assert rerun == [wanted["trials"][0]["trial"]]


def test_the_leaderboard_lists_the_best_first(sim, new_store):
    board, _ = sim.run_session(sim.search_of(trials=20), new_store(), slots=4)
    groups = [row["status"] for row in board["trials"]]
    assert groups == sorted(groups, key=["complete", "stopped", "failed"].index)
    complete = [row["mean"] for row in board["trials"] if row["status"] == "complete"]
    assert complete == sorted(complete, reverse=True)
    assert sorted(row["trial"] for row in board["trials"]) == list(range(20))
    assert [row["model"] for row in board["trials"] if row["baseline"]] == ["baseline"]


def test_what_happens_is_told(sim, new_store):
    board, events = sim.run_session(sim.search_of(trials=5), new_store(), slots=2)
    kinds = [kind for kind, _ in events]
    assert kinds[0] == "search_planned"
    assert kinds.count("trial_started") == kinds.count("trial_finished") == 5
    assert kinds.count("fold_finished") == sum(len(row["scores"]) for row in board["trials"])


def session_of(sim, search, store, clock):
    context = SimpleNamespace(
        inputs={"prepare": SimpleNamespace(fingerprint="rows"), "split": SimpleNamespace(summary={"classes": [0, 1]})},
        store=store,
        event=lambda kind, payload: None,
    )
    return Session(search, sim.FOLDS, context, clock)


def test_no_trial_starts_when_the_time_is_over(sim, new_store):
    now = [0.0]
    session = session_of(sim, sim.search_of(time=10.0), new_store(), lambda: now[0])
    now[0] = 11.0
    assert not isinstance(session.next(), Signal), "one trial at least is run"
    assert session.next() is Signal.DONE


def timed(sim, store, *, seconds, slots, fold_seconds):
    """Run a session on made-up time, in which a fold of a model takes its time; give it and the time at its end."""
    now = [0.0]
    session = session_of(sim, sim.search_of(time=seconds, trials=1000), store, lambda: now[0])
    running = {}
    while True:
        while len(running) < slots and isinstance(spec := session.next(), Signal) is False:
            running[spec.index] = (now[0] + fold_seconds[spec.model], 0)
        if not running:
            return session, now[0]
        index = min(running, key=lambda item: running[item][0])
        now[0], fold = running.pop(index)
        trial = session.race.trials[index]
        took = fold_seconds[trial.candidate.name]
        record = replace(sim.record_of(trial, fold, store), seconds=took)
        if session.report(index, record) is Verdict.CONTINUE:
            running[index] = (now[0] + took, fold + 1)


@pytest.mark.parametrize("slots", [1, 2, 5])
@pytest.mark.parametrize("seconds", [23.0, 60.0, 101.5])
def test_a_search_ends_in_time(sim, new_store, slots, seconds):
    took = {"baseline": 0.1, "logistic": 0.5, "forest": 1.0, "boosting": 3.0}
    session, ended = timed(sim, new_store(), seconds=seconds, slots=slots, fold_seconds=took)
    assert session.ended()["by"] == "time"
    assert ended <= seconds + max(took.values()), "at most the fold that it is at comes after the time"
    assert ended >= seconds - sim.FOLDS * took["logistic"], "what is left is given to models that are quick enough"
    assert all(trial.status in ("complete", "stopped") for trial in session.race.trials)


def test_there_is_a_model_to_choose_when_time_is_up(sim, new_store):
    took = {"baseline": 0.1, "logistic": 20.0, "forest": 30.0, "boosting": 40.0}
    session, _ = timed(sim, new_store(), seconds=5.0, slots=3, fold_seconds=took)
    complete = [trial.candidate.name for trial in session.race.trials if trial.status == "complete"]
    assert set(complete) - {"baseline"}


@pytest.mark.parametrize("when", ["before a fold", "after its end"])
def test_a_trial_fails_once(sim, new_store, when):
    session = session_of(sim, sim.search_of((sim.BASELINE,)), store := new_store(), lambda: 0.0)
    spec = session.next()
    if when == "after its end":
        trial, verdict = session.race.trials[0], Verdict.CONTINUE
        while verdict is Verdict.CONTINUE:
            verdict = session.report(spec.index, sim.record_of(trial, len(trial.scores), store))
    session.fail(spec.index, "out of memory")
    (row,) = session.leaderboard()["trials"]
    assert (row["status"], row["error"]) == (
        ("failed", "out of memory") if when == "before a fold" else ("complete", None)
    )


def test_how_fits_went_is_told_by_trial_and_fold_also_of_those_on_record(sim, new_store):
    store, search = new_store(), sim.search_of(trials=8)
    fresh, again = {}, {}
    board, _ = sim.run_session(search, store, histories=fresh)
    sim.run_session(search, store, histories=again)
    assert fresh == again
    scores = {str(row["trial"]): row["scores"] for row in board["trials"] if not row["baseline"]}
    assert {trial: [fold["training"][0] for fold in folds] for trial, folds in fresh.items()} == scores


def test_what_a_fit_had_to_do_without_is_told_once(sim, new_store):
    from dataclasses import replace

    session = session_of(sim, sim.search_of((sim.BASELINE,)), store := new_store(), lambda: 0.0)
    spec = session.next()
    record = replace(sim.record_of(session.race.trials[0], 0, store), history={"notes": ["out of memory"]})
    store.record_fold(record)
    session.report(spec.index, record)
    assert session.notes == ["trial 0 baseline, fold 1: out of memory"]
    assert session.histories() == {}
    again = session_of(sim, sim.search_of((sim.BASELINE,)), store, lambda: 0.0)
    again.next()
    assert again.notes == [], "an earlier run told it"
