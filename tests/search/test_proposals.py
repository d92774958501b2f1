"""A stream of proposals is a function of its seed and of the scores told to it."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlops_compiler.backends.search.proposals import Stream, seed_of, size
from mlops_compiler.ir.domain import Choice, IntLogUniform, IntUniform, LogUniform, Uniform, contains, grid
from mlops_compiler.ir.fingerprint import fingerprint
from mlops_compiler.ir.start import Start
from mlops_compiler.models.registry import MODELS

ALGORITHMS = ["grid", "random", "qmc", "tpe", "gp", "cma_es"]
LEARNING = ["tpe", "gp", "cma_es"]


def propose(candidate, algorithm, count, seed=1, score=None):
    stream = Stream(candidate=candidate, algorithm=algorithm, seed=seed, greater_is_better=True)
    made = []
    while len(made) < count and (proposal := stream.next()) is not None:
        made.append(proposal.parameters)
        if score is not None:
            stream.tell(proposal, score(proposal.parameters))
    return made


def by_hash(parameters):
    return int(fingerprint(parameters)[:6], 16) / 16**6


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("name", ["LOGISTIC", "FOREST", "BOOSTING"])
def test_the_same_seed_and_scores_give_the_same_proposals(sim, algorithm, name):
    candidate = getattr(sim, name)
    count = 9 if algorithm == "gp" else 15
    first = propose(candidate, algorithm, count, score=by_hash)
    assert propose(candidate, algorithm, count, score=by_hash) == first
    assert len({fingerprint(item) for item in first}) == len(first)
    for parameters in first:
        assert list(parameters) == [key for key, _ in candidate.parameters]
        assert all(contains(domain, parameters[key]) for key, domain in candidate.space.items())


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_another_seed_gives_another_order(sim, algorithm):
    assert propose(sim.FOREST, algorithm, 15, seed=1) != propose(sim.FOREST, algorithm, 15, seed=2)


@pytest.mark.parametrize("algorithm", LEARNING)
def test_the_model_learns_from_scores(sim, algorithm):
    by_size = lambda parameters: -abs(parameters["max_features"] - 0.8)  # noqa: E731
    count = 18 if algorithm == "gp" else 30
    told = propose(sim.FOREST, algorithm, count, score=by_size)
    untold = propose(sim.FOREST, "random" if algorithm == "gp" else algorithm, count)
    assert told[0] == untold[0]
    assert told != untold
    assert sum(map(by_size, told[count // 2 :])) > sum(map(by_size, untold[count // 2 :]))


@pytest.mark.parametrize("algorithm", ALGORITHMS[1:])
@pytest.mark.parametrize("name", ["LOGISTIC", "BOOSTING"])
def test_the_defaults_of_a_kind_come_first(sim, algorithm, name):
    candidate = getattr(sim, name)
    (first,) = propose(candidate, algorithm, 1)
    defaults = MODELS[candidate.kind].defaults
    assert {key: first[key] for key in candidate.space} == {key: defaults[key] for key in candidate.space}


@pytest.mark.parametrize("algorithm", ["random", "qmc", "tpe", "gp"])
def test_what_was_good_before_comes_after_the_defaults(sim, algorithm):
    starts = tuple(Start(model="forest", parameters=(("max_features", share),)) for share in (0.75, 0.25))
    stream = Stream(candidate=sim.FOREST, algorithm=algorithm, seed=1, greater_is_better=True, starts=starts)
    made = [stream.next().parameters for _ in range(4)]
    assert [item["max_features"] for item in made[1:3]] == [0.75, 0.25]
    assert all(contains(sim.FOREST.space["min_samples_leaf"], item["min_samples_leaf"]) for item in made)
    again = Stream(candidate=sim.FOREST, algorithm=algorithm, seed=1, greater_is_better=True, starts=starts)
    assert [again.next().parameters for _ in range(4)] == made


def test_of_a_grid_it_comes_first_where_it_lies_there(sim):
    (one, two) = propose(sim.FOREST, "grid", 1000)[10:12]
    known = [Start(model="forest", parameters=tuple(item.items())) for item in (two, one)]
    beside = Start(model="forest", parameters=(("max_features", 0.123), ("min_samples_leaf", 3)))
    stream = Stream(
        candidate=sim.FOREST, algorithm="grid", seed=1, greater_is_better=True, starts=(*known[:1], beside, *known[1:])
    )
    made = [proposal.parameters for proposal in iter(stream.next, None)]
    assert made[:2] == [two, one]
    assert len(made) == len({fingerprint(item) for item in made}) == size(sim.FOREST.space, "grid")


def test_what_was_decided_of_the_preparation_is_tried_again(sim):
    start = Start(model="logistic", parameters=(("C", 0.5),), point=(1, 0.95, 4))
    logistic = sim.prepared(sim.LOGISTIC)
    stream = Stream(candidate=logistic, algorithm="tpe", seed=1, greater_is_better=True, starts=(start,))
    stream.next()
    found = stream.next()
    assert (found.parameters["C"], found.point) == (0.5, (1, 0.95, 4))


@pytest.mark.parametrize("algorithm", ["random", "tpe"])
def test_the_portfolio_comes_after_the_defaults(sim, algorithm):
    kind = MODELS["hist_gradient_boosting"]
    candidate = replace(sim.BOOSTING, parameters=tuple(dict(kind.parameters()).items()))
    made = propose(candidate, algorithm, 1 + len(kind.portfolio))
    assert [{**kind.defaults, **start} for start in ({}, *kind.portfolio)] != [kind.defaults] * len(made)
    for found, start in zip(made, ({}, *kind.portfolio), strict=True):
        point = {**kind.defaults, **start}
        assert all(found[name] == point[name] for name in start or point)


@pytest.mark.parametrize("algorithm", ["random", "tpe"])
def test_of_the_portfolio_what_a_recipe_lets_vary_is_taken(sim, algorithm):
    kind = MODELS["hist_gradient_boosting"]
    kept = kind.parameters().max_leaf_nodes
    candidate = replace(sim.BOOSTING, parameters=(("max_leaf_nodes", kept), ("learning_rate", 0.2)))
    made = propose(candidate, algorithm, 3)
    assert [found["max_leaf_nodes"] for found in made] == [31, 8, 96]
    assert all(found["learning_rate"] == 0.2 for found in made)


def test_a_grid_is_covered_once(sim):
    points = propose(sim.FOREST, "grid", 1000)
    axes = {name: grid(domain) for name, domain in sim.FOREST.space.items()}
    wanted = {tuple(point) for point in itertools.product(*axes.values())}
    assert {tuple(point[name] for name in axes) for point in points} == wanted
    assert len(points) == len(wanted) == size(sim.FOREST.space, "grid")


def test_sobol_covers_a_space_more_evenly_than_chance(sim):
    shares = [item["max_features"] for item in propose(sim.FOREST, "qmc", 33)[1:]]
    cells = {int((share - 0.1) / 0.9 * 32) for share in shares}
    assert len(cells) >= 28, "nearly one in each of 32 cells; of draws at random about 20"


def test_a_sampler_that_is_told_on_many_threads_proposes_the_same(sim):
    import torch

    by_size = lambda parameters: -abs(parameters["max_features"] - 0.8)  # noqa: E731
    threads, made = torch.get_num_threads(), []
    for number in (1, 4):
        torch.set_num_threads(number)
        made.append(propose(sim.FOREST, "gp", 9, score=by_size))
        assert torch.get_num_threads() == number
    torch.set_num_threads(threads)
    assert made[0] == made[1]


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_small_space_is_exhausted(sim, algorithm):
    made = propose(sim.BOOSTING, algorithm, 50)
    assert sorted(item["learning_rate"] for item in made) == [0.05, 0.1, 0.2]
    assert size(sim.BOOSTING.space, algorithm) == 3


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_without_a_domain_there_is_one_proposal(sim, algorithm):
    fixed = sim.candidate("fixed", "logistic_regression", C=0.5)
    assert propose(fixed, algorithm, 5) == [{"C": 0.5}]


def test_the_size_of_a_space(sim):
    assert size(sim.FOREST.space, "random") == float("inf")
    assert size({"a": IntUniform(low=1, high=4), "b": Choice(values=(1, 2))}, "tpe") == 8
    assert size({"a": Uniform(low=0.5, high=0.5)}, "tpe") == 1


numbers = st.floats(1e-6, 1e6, allow_nan=False)
domains = st.one_of(
    st.tuples(numbers, numbers).map(lambda pair: Uniform(low=min(pair), high=max(pair))),
    st.tuples(numbers, numbers).map(lambda pair: LogUniform(low=min(pair), high=max(pair))),
    st.tuples(st.integers(1, 500), st.integers(1, 500)).map(lambda pair: IntUniform(low=min(pair), high=max(pair))),
    st.tuples(st.integers(1, 500), st.integers(1, 500)).map(lambda pair: IntLogUniform(low=min(pair), high=max(pair))),
    st.lists(st.sampled_from([1, "a", None, (8, 8)]), min_size=1, unique=True).map(lambda it: Choice(values=tuple(it))),
)


@settings(max_examples=200, deadline=None)
@given(domain=domains)
def test_a_grid_lies_within_its_domain_and_holds_both_ends(domain):
    points = grid(domain)
    assert all(contains(domain, point) for point in points)
    assert len(set(points)) == len(points)
    if not isinstance(domain, Choice):
        assert (points[0], points[-1]) == (domain.low, domain.high)


def test_seeds_differ_by_what_they_are_for():
    seeds = {seed_of(seed, name) for seed in range(20) for name in ("folds", "holdout", "fit")}
    assert len(seeds) == 60
    assert all(0 <= seed < 2**31 for seed in seeds)
