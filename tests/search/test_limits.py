"""A search that has a limit ends where the limit says, whatever the parallelism, and says what ended it."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlops_compiler.backends.search.limits import Spent
from mlops_compiler.backends.search.race import Race, Signal, Verdict
from mlops_compiler.report.search_end import ended_text, spent_text

LAW = settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
LIMITS = st.fixed_dictionaries(
    {},
    optional={
        "patience": st.integers(1, 12),
        "min_improvement": st.sampled_from([0.01, 0.1]),
        "cpu_hours": st.integers(10, 400).map(lambda seconds: seconds / 3600),
        "gpu_hours": st.integers(2, 60).map(lambda seconds: seconds / 3600),
    },
)


@pytest.mark.parametrize("scheduler", ["none", "asha", "median", "race"])
@LAW
@given(slots=st.integers(1, 8), seed=st.integers(0, 99), limits=LIMITS, width=st.integers(1, 8))
def test_ends_alike_at_any_parallelism(sim, scheduler, slots, seed, limits, width):
    search = sim.search_of(algorithm="random", scheduler=scheduler, trials=30, max_concurrent=width, **limits)
    told = [
        [(trial.fingerprint, trial.scores, trial.status) for trial in sim.run_race(search, slots=used, seed=seed)]
        for used in (1, min(slots, width))
    ]
    assert told[0] == told[1]
    assert len(told[0]) >= width


@LAW
@given(limits=LIMITS, ends=st.lists(st.integers(1, 60), min_size=1, max_size=3), slots=st.integers(1, 8))
def test_a_search_that_is_killed_ends_where_it_would_have_ended(sim, new_store, limits, ends, slots):
    search = sim.search_of(algorithm="random", trials=20, **limits)
    board, events = sim.run_session(search, new_store())
    store = new_store()
    for end in ends:
        sim.run_session(search, store, slots=slots, folds_to_run=end)
    again, told = sim.run_session(search, store, slots=slots)
    assert again == board
    assert told[-1] == events[-1], "what was replayed counts as what it once took"


def raced(sim, scores, costs=(), **changes):
    """Race trials of one fold, one at a time, with these scores; return the race."""
    search = sim.search_of((sim.LOGISTIC,), **{"max_concurrent": 1, "algorithm": "random", "trials": 9, **changes})
    race = Race(search, folds=1, greater_is_better=True, context=lambda _point: "rows")
    for number, score in enumerate(scores):
        if isinstance(trial := race.propose(), Signal):
            break
        assert race.report(trial.index, score, costs[number] if costs else Spent()) is Verdict.COMPLETE
    assert not isinstance(race.propose(), Signal) or race.ended is not None
    return race


@pytest.mark.parametrize(
    ("changes", "made"),
    [
        ({"patience": 2}, 6),
        ({"patience": 2, "min_improvement": 0.015}, 5),  # two small steps are a gain together
        ({"patience": 2, "min_improvement": 0.05}, 3),
        ({"patience": 1}, 5),
    ],
    ids=["any gain counts", "small gains add up", "gains too small", "no patience"],
)
def test_patience_ends_a_search_without_gain(sim, changes, made):
    race = raced(sim, [0.50, 0.51, 0.52, 0.53, 0.53, 0.52, 0.99, 0.99], **changes)
    assert (len(race.trials), race.ended) == (made, "patience")


def test_trials_that_fail_try_patience(sim):
    search = sim.search_of((sim.LOGISTIC,), max_concurrent=1, algorithm="random", patience=2)
    race = Race(search, folds=1, greater_is_better=False, context=lambda _point: "rows")
    race.report(race.propose().index, 0.5)
    for _ in range(2):
        race.fail(race.propose().index, "diverged")
    assert (race.propose(), race.ended, len(race.trials)) == (Signal.DONE, "patience", 3)


@pytest.mark.parametrize("name", ["cpu", "gpu"])
def test_a_budget_ends_a_search(sim, name):
    costs = [Spent(**{name: seconds}) for seconds in (10.0, 20.0, 5.0, 5.0, 5.0)]
    race = raced(sim, [0.5] * 5, costs, **{f"{name}_hours": 35 / 3600})
    assert (len(race.trials), race.ended) == (3, f"{name}_hours")


def test_trials_under_way_count_as_others_of_their_model(sim):
    search = sim.search_of((sim.LOGISTIC,), max_concurrent=3, algorithm="random", cpu_hours=100 / 3600, trials=50)
    race = Race(search, folds=1, greater_is_better=True, context=lambda _point: "rows")
    started = []
    while not isinstance(found := race.propose(), Signal) or found is Signal.WAIT:
        if found is Signal.WAIT:
            race.report(started.pop(0), 0.5, Spent(cpu=10.0))
        else:
            started.append(found.index)
    assert race.ended == "cpu_hours"
    assert len(race.trials) == 10, "none too many, although two were always under way"


@pytest.mark.parametrize(("trials", "end"), [(3, "trials"), (100, "space")])
def test_what_ended_a_search_without_limits(sim, new_store, trials, end):
    _, events = sim.run_session(sim.search_of((sim.BASELINE, sim.BOOSTING), trials=trials), new_store())
    _, told = events[-1]
    assert (told["by"], told["trials"], told["of"]) == (end, min(trials, 4), trials)


@pytest.mark.parametrize(
    ("by", "text"),
    [
        ("patience", "ended by patience after 41 of 80 trials"),
        ("time", "ended by its time after 41 of 80 trials"),
        ("cpu_hours", "ended by its CPU-hours after 41 of 80 trials"),
        ("gpu_hours", "ended by its GPU-hours after 41 of 80 trials"),
        ("space", "ended after 41 of 80 trials: every point of the space was tried"),
        ("trials", ""),
    ],
)
def test_what_ended_a_search_in_words(by, text):
    assert ended_text({"by": by, "trials": 41, "of": 80}) == text
    assert ended_text(None) == ""


def test_what_a_search_took_in_words():
    assert spent_text({"cpu_seconds": 90.0, "gpu_seconds": 4.0}) == "1 min 30 s of a core, 4.00 s of a GPU"
    assert spent_text({"cpu_seconds": 90.0, "gpu_seconds": 0.0}) == "1 min 30 s of a core"
    assert spent_text(None) == ""
