"""A race makes the same trials and stops the same ones, however many workers run it and in whatever order they report."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlops_compiler.backends.search.race import Race, Signal, Verdict

LAW = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def told(trials):
    return [
        (trial.candidate.name, trial.parameters, trial.point, trial.status, trial.scores, trial.fingerprint)
        for trial in trials
    ]


@pytest.mark.parametrize("scheduler", ["none", "asha", "median", "race"])
@pytest.mark.parametrize("algorithm", ["grid", "random", "tpe"])
@LAW
@given(slots=st.integers(1, 8), seed=st.integers(0, 2**16), trials=st.integers(4, 26))
def test_is_the_same_at_any_parallelism(sim, algorithm, scheduler, slots, seed, trials):
    search = sim.search_of(algorithm=algorithm, scheduler=scheduler, trials=trials)
    alone = sim.run_race(search)
    assert told(sim.run_race(search, slots=slots, seed=seed)) == told(alone)


@pytest.mark.parametrize("algorithm", ["gp", "cma_es"])
def test_slow_samplers_are_the_same_at_any_parallelism(sim, algorithm):
    models = [sim.BASELINE, *([sim.prepared(sim.FOREST)] if algorithm == "gp" else [sim.FOREST])]
    search = sim.search_of(models, algorithm=algorithm, trials=14, max_concurrent=4)
    alone = sim.run_race(search)
    assert told(sim.run_race(search, slots=4, seed=3)) == told(alone)
    assert len({trial.fingerprint for trial in alone}) == len(alone) == 14


@LAW
@given(slots=st.integers(1, 8), seed=st.integers(0, 2**16), lost=st.sets(st.integers(0, 15)))
def test_a_trial_that_fails_stops_no_other(sim, slots, seed, lost):
    search = sim.search_of(trials=16)
    fails = {"fails": lambda trial: trial.index in lost and len(trial.scores) == trial.index % 3}
    alone = sim.run_race(search, **fails)
    assert told(sim.run_race(search, slots=slots, seed=seed, **fails)) == told(alone)
    assert len(alone) == 16
    failed = {trial.index for trial in alone if trial.status == "failed"}
    assert failed <= lost
    assert all(trial.error == "no memory" for trial in alone if trial.index in failed)
    assert all(trial.status in {"complete", "stopped"} for trial in alone if trial.index not in failed)


@pytest.mark.parametrize("width", [1, 2, 4])
def test_a_narrower_race_waits_for_what_it_may_know(sim, width):
    race = Race(sim.search_of(max_concurrent=width), folds=2, greater_is_better=True, context=lambda _point: "rows")
    started = []
    while not isinstance(trial := race.propose(), Signal):
        started.append(trial)
    assert (trial, len(started)) == (Signal.WAIT, width)
    race.fail(started[0].index, "gone")
    assert not isinstance(race.propose(), Signal)
    assert race.propose() is Signal.WAIT


def test_poor_trials_are_stopped_and_good_ones_are_not(sim):
    trials = sim.run_race(sim.search_of(trials=40, algorithm="random"))
    stopped = [trial for trial in trials if trial.status == "stopped"]
    complete = [trial for trial in trials if trial.status == "complete"]
    assert len(stopped) > len(complete) // 2
    assert {len(trial.scores) for trial in stopped} <= {1, 3}
    assert max(trial.mean for trial in trials) == max(trial.mean for trial in complete)
    ends = [sum(trial.mean for trial in some) / len(some) for some in (stopped, complete)]
    assert ends[0] < ends[1]


def test_a_trial_below_the_median_of_earlier_ones_is_stopped_after_that_fold(sim):
    search = sim.search_of((sim.LOGISTIC,), scheduler="median", max_concurrent=1, algorithm="random", trials=6)
    race = Race(search, folds=4, greater_is_better=True, context=lambda _point: "rows")
    ended = []
    for scores in ([0.5] * 4, [0.6] * 4, [0.7] * 4, [0.6, 0.4, 0.9, 0.9], [0.2] * 4, [0.60, 0.61, 0.62, 0.63]):
        trial, verdict, left = race.propose(), Verdict.CONTINUE, iter(scores)
        while verdict is Verdict.CONTINUE:
            verdict = race.report(trial.index, next(left))
        ended.append((trial.status, len(trial.scores)))
    # Three are needed to judge by; means over the same folds are compared, and ties go on.
    assert ended == [*[("complete", 4)] * 3, ("stopped", 2), ("stopped", 1), ("complete", 4)]


def test_a_baseline_is_never_stopped(sim):
    worst = lambda trial, fold: 0.1 if trial.is_baseline else sim.score_of(trial, fold)  # noqa: E731
    late = sim.search_of((sim.LOGISTIC, sim.FOREST, sim.BASELINE), trials=20, max_concurrent=1)
    (baseline,) = (trial for trial in sim.run_race(late, score=worst) if trial.is_baseline)
    assert (baseline.status, len(baseline.scores)) == ("complete", sim.FOLDS)


def test_without_a_scheduler_every_trial_is_complete(sim):
    trials = sim.run_race(sim.search_of(scheduler="none"))
    assert {trial.status for trial in trials} == {"complete"}
    assert {len(trial.scores) for trial in trials} == {sim.FOLDS}


def test_less_is_better_where_the_metric_says_so(sim):
    search = sim.search_of((sim.LOGISTIC,), trials=12, max_concurrent=1, algorithm="random")
    race = Race(search, folds=3, greater_is_better=False, context=lambda _point: "rows")
    for loss in (0.5, 0.6, 0.9, 0.1):
        trial = race.propose()
        verdict = race.report(trial.index, loss)
        while verdict is Verdict.CONTINUE:
            verdict = race.report(trial.index, loss)
    assert [trial.status for trial in race.trials] == ["complete", "complete", "stopped", "complete"]
    assert race.best == pytest.approx(0.1)


@pytest.mark.parametrize("trials", [1, 4, 9])
def test_the_budget_is_kept(sim, trials):
    assert len(sim.run_race(sim.search_of(trials=trials), slots=3)) == trials


def test_models_take_turns_until_their_space_is_exhausted(sim):
    names = [trial.candidate.name for trial in sim.run_race(sim.search_of(trials=12, algorithm="random"))]
    assert names[:4] == ["baseline", "logistic", "forest", "boosting"]
    assert names.count("baseline") == 1
    assert names.count("boosting") == 3
    assert names.count("logistic") == names.count("forest") == 4


def test_a_search_ends_where_all_is_tried(sim):
    assert len(sim.run_race(sim.search_of((sim.BASELINE, sim.BOOSTING), trials=100), slots=4)) == 4


def test_another_model_leaves_the_trials_of_the_others_as_they_were(sim):
    both = sim.run_race(sim.search_of((sim.LOGISTIC, sim.FOREST), trials=12, algorithm="random"))
    alone = sim.run_race(sim.search_of((sim.LOGISTIC,), trials=6, algorithm="random"))
    assert [trial.fingerprint for trial in both if trial.candidate.name == "logistic"] == [
        trial.fingerprint for trial in alone
    ]


@pytest.mark.parametrize("change", [{"seed": 8}, {"candidates": ("cpu",)}], ids=["another seed", "other threads"])
def test_a_trial_is_named_by_all_that_changes_it(sim, change):
    from dataclasses import replace

    fixed = sim.candidate("logistic", "logistic_regression", C=1.0)
    other = replace(fixed, cpu=2) if "candidates" in change else fixed
    seed = change.get("seed", 7)
    (one,) = sim.run_race(sim.search_of((fixed,)))
    (two,) = sim.run_race(sim.search_of((other,), seed=seed))
    (same,) = sim.run_race(sim.search_of((replace(fixed, name="renamed", description="said otherwise"),)))
    assert one.parameters == two.parameters
    assert one.fingerprint != two.fingerprint
    assert one.fingerprint == same.fingerprint


@pytest.mark.parametrize("algorithm", ["grid", "random", "qmc", "tpe"])
@LAW
@given(slots=st.integers(1, 8), seed=st.integers(0, 2**16), trials=st.integers(4, 26))
def test_a_searched_preparation_is_raced_alike(sim, algorithm, slots, seed, trials):
    """L-FE-3: at any parallelism; its base comes first, and what lies inside an alternative is asked only there."""
    candidates = tuple(sim.prepared(item) for item in (sim.LOGISTIC, sim.BOOSTING))
    search = sim.search_of((sim.BASELINE, *candidates), algorithm=algorithm, trials=trials)
    alone = sim.run_race(search)
    assert told(sim.run_race(search, slots=slots, seed=seed)) == told(alone)
    firsts = {trial.candidate.name: trial.point for trial in reversed(alone)}
    assert set(firsts.values()) == {(0, None, 2)}
    assert all((trial.point[1] is None) == (trial.point[0] != 1) for trial in alone)
    assert len({(trial.candidate.name, str(trial.parameters), trial.point) for trial in alone}) == len(alone)


@pytest.mark.parametrize("width", [1, 8])
def test_a_trial_that_is_stopped_says_how_far_it_was_behind(sim, width):
    trials = sim.run_race(sim.search_of(trials=40, algorithm="random", max_concurrent=width), slots=width)
    stopped = [trial for trial in trials if trial.status == "stopped"]
    for trial in stopped:
        earlier = [other for other in trials[: trial.index] if not other.is_baseline]
        rung = len(trial.scores)
        at = [sum(other.scores[:rung]) for other in earlier if len(other.scores) >= rung]
        ahead = sum(score > sum(trial.scores) for score in at)
        assert trial.behind == {"folds": rung, "place": ahead + 1, "of": len(at) + 1}
        assert 3 * ahead >= len(at) + 1
    assert stopped
    assert all(trial.behind is None for trial in trials if trial.status != "stopped")


def test_a_trial_that_is_behind_the_best_by_more_than_chance_is_stopped(sim):
    search = sim.search_of((sim.LOGISTIC,), scheduler="race", max_concurrent=1, algorithm="random", trials=7)
    race = Race(search, folds=3, greater_is_better=True, context=lambda _point: "rows")
    ended = []
    for scores in (
        [0.50, 0.60, 0.70],
        [0.49],  # one trial tells nothing of chance: only what is as good goes on
        [0.56, 0.60, 0.76],  # differences of 0.06, 0 and 0.06: folds matter, and are the same for all
        [0.55, 0.60, 0.75],  # a little behind, and less than half a standard error: it goes on
        [0.50],
        [0.56, 0.50],
        [0.57, 0.62, 0.78],
    ):
        trial, verdict, left = race.propose(), Verdict.CONTINUE, iter(scores)
        while verdict is Verdict.CONTINUE:
            verdict = race.report(trial.index, next(left))
        ended.append((trial.status, len(trial.scores)))
    complete = ("complete", 3)
    assert ended == [complete, ("stopped", 1), complete, complete, ("stopped", 1), ("stopped", 2), complete]
    assert race.trials[5].behind == {"folds": 2, "place": 4, "of": 4}


def test_a_judgement_waits_for_the_trials_before_and_nobody_else_does(sim):
    search = sim.search_of((sim.LOGISTIC,), scheduler="race", max_concurrent=8, algorithm="random", trials=8)
    race = Race(search, folds=3, greater_is_better=True, context=lambda _point: "rows")
    slow, poor, good = race.propose(), race.propose(), race.propose()
    assert race.report(poor.index, 0.5) is Verdict.CONTINUE, "what the first one scores there is not known yet"
    assert race.report(good.index, 0.9) is Verdict.CONTINUE
    assert race.report(poor.index, 0.5) is Verdict.CONTINUE
    assert race.report(good.index, 0.9) is Verdict.CONTINUE
    assert race.report(good.index, 0.9) is Verdict.COMPLETE, "nothing of it is left to run"
    assert (race.settled(), good.status) == ([], "running")
    race.report(slow.index, 0.7)
    assert (poor.status, poor.scores) == ("stopped", [0.5]), "the fold that it ran meanwhile does not count"
    assert race.settled() == [poor]
    race.report(slow.index, 0.7)
    assert good.status == "complete", "as the first one came as far as it must be compared"
    assert race.settled() == [good]
    assert race.report(poor.index, 0.5) is Verdict.STOP
    race.fail(slow.index, "gone")
    assert slow.status == "failed"


def test_a_trial_that_failed_in_a_fold_that_does_not_count_was_stopped(sim):
    search = sim.search_of((sim.LOGISTIC,), scheduler="race", max_concurrent=8, algorithm="random", trials=8)
    race = Race(search, folds=3, greater_is_better=True, context=lambda _point: "rows")
    slow, poor = race.propose(), race.propose()
    race.report(poor.index, 0.5)
    race.fail(poor.index, "no memory")
    assert poor.status == "running"
    race.report(slow.index, 0.7)
    assert (poor.status, poor.error) == ("stopped", None)
