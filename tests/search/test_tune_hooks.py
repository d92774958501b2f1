"""What Tune asks is answered by the session; what is lost is proposed again, and what no node has any more ends it."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from mlops_compiler.backends.ray import tune_hooks
from mlops_compiler.backends.ray.placing import Places
from mlops_compiler.backends.ray.resources import NodeResources, Placement
from mlops_compiler.backends.ray.tune_hooks import Held
from mlops_compiler.backends.search.race import Signal
from mlops_compiler.backends.search.session import Session
from mlops_compiler.diagnostics import EngineError

NODE = NodeResources(cpus=2, gpus=1, memory=8, name="one")
WITHOUT = NodeResources(cpus=2, gpus=0, memory=8, name="two")


@pytest.fixture
def held(sim, new_store, monkeypatch):
    """Give a function that holds a session of a search, on a node of two cores and a GPU."""
    monkeypatch.setattr(tune_hooks, "live_nodes", lambda: {"one"})

    def make(search):
        context = SimpleNamespace(
            inputs={
                "prepare": SimpleNamespace(fingerprint="rows"),
                "split": SimpleNamespace(summary={"classes": [0, 1]}),
            },
            store=new_store(),
            event=lambda *_: None,
        )
        return Held(Session(search, sim.FOLDS, context), Places(search, [NODE]))

    return make


def test_a_lost_trial_is_proposed_again_after_its_recorded_folds(sim, held):
    kept = held(sim.search_of((sim.LOGISTIC,), trials=1, scheduler="none"))
    spec = kept.next("a")
    trial = kept.session.race.trials[0]
    kept.session.report(spec.index, sim.record_of(trial, 0, kept.session._context.store))
    sim.record_of(trial, 1, kept.session._context.store)  # recorded, and its process died before it could say so
    kept.lost(spec.index, None)
    kept.ended("a")
    again = kept.next("b")
    assert (again.index, again.first_fold) == (0, 2)
    kept.lost(again.index, None)
    assert (trial.status, trial.error) == ("failed", "its process died, 2 times")


def test_tune_is_told_of_the_end_when_nothing_runs_any_more(sim, held):
    kept = held(sim.search_of((sim.LOGISTIC,), trials=2, scheduler="none"))
    kept.next("a")
    kept.next("b")
    kept.session.fail(0, "x")
    kept.ended("a")
    assert kept.next("c") is Signal.WAIT, "the other one may be lost yet"
    kept.session.fail(1, "x")
    kept.ended("b")
    assert kept.next("c") is Signal.DONE


def test_no_more_trials_run_than_there_is_room_for(sim, held):
    kept = held(sim.search_of(trials=8))
    assert [isinstance(kept.next(name), Signal) for name in "abc"] == [False, False, True]


def test_a_trial_that_ended_is_not_tried_again(sim, held):
    kept = held(sim.search_of((sim.BASELINE,), trials=1))
    kept.next("a")
    kept.session.fail(0, "no luck")
    kept.lost(0, None)
    assert kept.session.race.trials[0].error == "no luck"
    kept.ended("a")
    assert not kept.has_more()


def net(sim, gpu, wait):
    from dataclasses import replace

    return sim.search_of((replace(sim.LOGISTIC, gpu=gpu),), wait=wait)


@pytest.fixture
def cluster(monkeypatch):
    """Give the nodes that the cluster has, to be changed, and a clock that goes on by three seconds at each look."""
    nodes, clock = [NODE], iter(range(100, 1000, 3))
    monkeypatch.setattr(tune_hooks, "cluster_nodes", lambda: list(nodes))
    monkeypatch.setattr(tune_hooks.time, "monotonic", lambda: next(clock))
    return nodes


WAITING = [Placement(cpus=1, gpus=1, memory=0)]


def test_trials_wait_for_a_lost_node_as_long_as_the_recipe_says(sim, held, cluster):
    kept = held(net(sim, "auto", wait=7.0))
    assert not kept.look(lambda: WAITING)
    cluster[:] = [WITHOUT]
    assert [kept.look(lambda: WAITING) for _ in range(3)] == [False, False, True]
    assert kept.places.of(kept.session.next()).gpus == 0
    assert kept.has_more(), "they go on on the CPU"


def test_a_node_that_comes_back_in_time_is_as_if_it_was_never_lost(sim, held, cluster):
    kept = held(net(sim, "auto", wait=7.0))
    seen = []
    for nodes in ([NODE], [WITHOUT], [WITHOUT], [NODE], [WITHOUT], [WITHOUT]):
        cluster[:] = nodes
        seen.append(kept.look(lambda: WAITING))
    assert not any(seen)


def test_a_search_that_cannot_do_without_ends_with_the_reason(sim, held, cluster):
    kept = held(net(sim, 1, wait=1.0))
    assert not kept.look(lambda: WAITING)
    cluster[:] = [WITHOUT]
    assert kept.look(lambda: WAITING)
    with pytest.raises(EngineError) as caught:
        kept.has_more()
    assert caught.value.diagnostics[0].code == "infeasible-resources"


def test_nobody_waits_where_no_trial_does(sim, held, cluster):
    kept = held(net(sim, 1, wait=0.0))
    cluster[:] = []
    assert not any(kept.look(list) for _ in range(3))
