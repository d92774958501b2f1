"""A population learns in generations: the poor members go on with the weights of the good ones, and all is replayed."""

from __future__ import annotations

import itertools
import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlops_compiler.backends.local.run import run_in_process
from mlops_compiler.backends.search.resumed import Keeping, fit_resumed
from mlops_compiler.backends.stages.context import StageTask
from mlops_compiler.driver import plan_recipe
from mlops_compiler.frontend.hydra_app import launch
from mlops_compiler.ir.domain import Choice, IntUniform, LogUniform, Uniform, contains
from mlops_compiler.models.checkpointing import Checkpointing
from mlops_compiler.models.kind import FitOptions
from mlops_compiler.models.registry import MODELS
from mlops_compiler.models.schedule import SCHEDULE, UNTIL, schedule_text, segments_of
from mlops_compiler.store.scratch import FolderScratch
from mlops_compiler.testing.rows import ROWS, target_of

LAW = settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
KIND = MODELS["torch_mlp"]
PARAMETERS = {**KIND.defaults, "hidden": 8, "layers": 1, "bins": 1, "learning_rate": 0.01}
OPTIONS = FitOptions(seed=3)
Y = target_of("binary_classification")
SPACE = {
    "hidden": IntUniform(low=4, high=64),
    "learning_rate": LogUniform(low=1e-4, high=1e-1),
    "dropout": Uniform(low=0.0, high=0.5),
    "batch_size": Choice(values=(32, 64)),
}


def raced(sim, **changes):
    net = sim.candidate("net", "torch_mlp", **SPACE, epochs=changes.pop("epochs", 60))
    others = changes.pop("others", ())
    given = {"algorithm": "random", "scheduler": "population", "population": (4, 5), "trials": 20, "max_concurrent": 3}
    return sim.search_of((*others, net), **given | changes)


def told(trials):
    return [(trial.fingerprint, trial.scores, trial.status, trial.parameters) for trial in trials]


@LAW
@given(slots=st.integers(1, 3), seed=st.integers(0, 99), lost=st.sets(st.integers(0, 19), max_size=6))
def test_is_the_same_at_any_parallelism(sim, slots, seed, lost):
    search = raced(sim, others=(sim.BASELINE, sim.LOGISTIC))
    fails = {"fails": lambda trial: trial.index in lost and len(trial.scores) == 1}
    assert told(sim.run_race(search, slots=slots, seed=seed, **fails)) == told(sim.run_race(search, **fails))


@LAW
@given(slots=st.integers(1, 3), ends=st.lists(st.integers(1, 50), min_size=1, max_size=2))
def test_a_population_that_is_killed_goes_on(sim, new_store, slots, ends):
    search = raced(sim)
    wanted, _ = sim.run_session(search, new_store())
    store = new_store()
    for end in ends:
        sim.run_session(search, store, slots=slots, folds_to_run=end)
    assert sim.run_session(search, store, slots=slots)[0] == wanted
    longer, _ = sim.run_session(raced(sim, trials=28), store)
    assert {row["trial"] for row in longer["trials"]} == set(range(28))
    known = {row["trial"]: row["scores"] for row in longer["trials"]}
    assert all(known[row["trial"]] == row["scores"] for row in wanted["trials"])


def test_the_worst_go_on_with_the_weights_of_the_best(sim):
    trials = sim.run_race(raced(sim, population=(8, 5), trials=40))
    generations = list(itertools.batched(trials, 8)) if hasattr(itertools, "batched") else _of(trials, 8)
    assert len(generations) == 5
    taken = varied = 0
    for number, (before, after) in enumerate(itertools.pairwise(generations), 1):
        ranked = sorted(before, key=lambda trial: -trial.mean)
        best, worst = ranked[:2], ranked[-2:]
        for old, new in zip(before, after, strict=True):
            schedule, source = new.parameters[SCHEDULE], new.parameters[SCHEDULE][:-1]
            assert [part[UNTIL] for part in schedule] == [5 * (place + 1) for place in range(number + 1)]
            assert all(contains(domain, new.parameters[name]) for name, domain in SPACE.items())
            if old not in worst:
                assert source == old.parameters[SCHEDULE]
                assert {**new.parameters, SCHEDULE: None} == {**old.parameters, SCHEDULE: None}
                continue
            donors = [trial for trial in best if trial.parameters[SCHEDULE] == source]
            assert donors, "it goes on from one of the best quarter"
            assert {trial.parameters["hidden"] for trial in donors} == {new.parameters["hidden"]}, "of the same shape"
            taken += 1
            varied += new.parameters["learning_rate"] != donors[0].parameters["learning_rate"]
    assert taken == 8
    assert varied >= 6


def _of(trials, size):
    return [trials[start : start + size] for start in range(0, len(trials), size)]


def test_it_ends_when_all_is_learned(sim):
    trials = sim.run_race(raced(sim, epochs=12, trials=100))
    assert len(trials) == 12, "three generations of five passes reach twelve"


@pytest.mark.parametrize("slots", [1, 2, 5])
def test_a_space_that_is_smaller_than_the_population_makes_a_smaller_one(sim, slots):
    net = sim.candidate("net", "torch_mlp", batch_size=Choice(values=(32, 64)), epochs=60)
    search = sim.search_of((net,), algorithm="grid", scheduler="population", population=(4, 5), trials=6)
    trials = sim.run_race(search, slots=slots)
    assert [trial.parameters[SCHEDULE][-1][UNTIL] for trial in trials] == [5, 5, 10, 10, 15, 15]


def segments(*parts):
    return [{UNTIL: until, "learning_rate": rate, "dropout": 0.1, "batch_size": 64} for until, rate in parts]


def fit(scratch, schedule, name="fold"):
    keeping = Keeping(scratch=scratch, name=name, ground="rows")
    parameters = {**PARAMETERS, SCHEDULE: schedule}
    return fit_resumed(KIND, (ROWS, Y), parameters=parameters, options=OPTIONS, keeping=keeping)


@pytest.fixture(scope="module")
def by_hand():
    """Train by the schedule of the tests, without anything that keeps checkpoints."""
    checkpoint = None
    for until, rate in ((2, 0.01), (4, 0.002), (6, 0.02)):
        values = {**PARAMETERS, "learning_rate": rate, "dropout": 0.1, "batch_size": 64}
        going = Checkpointing(start=checkpoint, until=until)
        model, checkpoint = KIND.resume(ROWS, Y, parameters=values, options=OPTIONS, checkpointing=going)
    return model


@pytest.mark.parametrize("kept", ["nothing", "the segment before", "all of it", "a damaged one"])
def test_a_schedule_is_gone_through_to_the_same_bits(tmp_path, by_hand, kept):
    scratch, whole = FolderScratch(tmp_path), segments((2, 0.01), (4, 0.002), (6, 0.02))
    if kept != "nothing":
        fit(scratch, whole[:2] if kept != "all of it" else whole)
    if kept == "a damaged one":
        for file in (tmp_path / "tmp").iterdir():
            file.write_bytes(file.read_bytes()[:100])
    model = fit(scratch, whole)
    assert model.dump() == by_hand.dump()
    assert model.history == by_hand.history
    assert model.history.learning_rate == [0.01, 0.01, 0.002, 0.002, 0.02, 0.02]


def test_two_generations_are_kept(tmp_path):
    scratch = FolderScratch(tmp_path)
    for count in range(1, 5):
        fit(scratch, segments(*((2 * part, 0.01) for part in range(1, count + 1))))
    assert len(list((tmp_path / "tmp").iterdir())) == 2


def test_a_schedule_in_words():
    schedule = [
        {UNTIL: 5, "learning_rate": 0.01, "batch_size": 64},
        {UNTIL: 10, "learning_rate": 0.008, "batch_size": 64},
    ]
    assert (
        schedule_text(schedule)
        == "0 to 5: learning_rate 0.01, batch_size 64; 5 to 10: learning_rate 0.008, batch_size 64"
    )
    assert segments_of({"a": 1}) == []


def test_the_final_fit_goes_through_the_schedule_that_was_chosen(small, monkeypatch):
    """L-HPO-3: and a second run makes nothing again."""
    monkeypatch.chdir(small.root)
    net = "+models.net={kind: torch_mlp, hidden: 8, layers: 1, bins: 1, epochs: 6}"
    given = ["recipe=small", "~models.logistic", "~models.boosting", net, "search.trials=13", "select.rule=best"]
    given += ["search.scheduler=population", "search.population={size: 4, steps: 1}"]
    (planned,) = launch(given, plan_recipe)
    root = str(planned.compiled.composed.root.absolute())
    facts = {"description": None, "owner": None, "started": 0.0, "overrides": [], "actions": []}
    tasks = [
        StageTask(stage=stage, recipe="small", root=root, store=planned.location, run_id="r1", facts=facts)
        for stage in planned.plan.to_run
        if stage.name in ("snapshot", "split", "prepare", "search", "select", "train")
    ]
    records = run_in_process(tasks, {})
    assert records["search"].summary["complete"] == 13
    schedule = records["select"].summary["parameters"][SCHEDULE]
    (history,) = json.loads(planned.store.objects.get(records["train"].outputs["histories"]))
    rates = [part["learning_rate"] for part in schedule]
    assert history["learning_rate"] == pytest.approx(rates, rel=1e-5)
    assert len(history["learning_rate"]) == len(rates) == schedule[-1][UNTIL]
    (again,) = launch(given, plan_recipe)
    assert "search" not in {stage.name for stage in again.plan.to_run}
