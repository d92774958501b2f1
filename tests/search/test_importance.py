"""What made the difference is found among a model's own trials, and where nobody can tell, that is said."""

from __future__ import annotations

import random

import pytest

from mlops_compiler.backends.search.importance import FEWEST, importance_of

FOLDS = 3


def board_of(rows, *, spaces, dimensions=(), up=True):
    return {"greater_is_better": up, "folds": FOLDS, "spaces": spaces, "dimensions": dimensions, "trials": rows}


def trial(number, score, *, model="net", point=(), folds=FOLDS, **parameters):
    easier = (0.0, 0.2, -0.1)
    return {
        "trial": number,
        "model": model,
        "parameters": parameters,
        "point": list(point),
        "status": "complete" if folds == FOLDS else "stopped",
        "baseline": False,
        "scores": [score + easier[fold] for fold in range(folds)],
    }


def rate_decides(trials, *, sign=1, stopped=0, **more):
    """Make trials whose score follows from the learning rate, and from nothing else."""
    drawn = random.Random(5)  # noqa: S311 - trials, no secret
    rows = []
    for number in range(trials):
        rate, dropout = 10 ** drawn.uniform(-4, 0), drawn.uniform(0, 0.5)
        activation = drawn.choice(["relu", "tanh"])
        score = sign * -abs(drawn.gauss(0, 0.002) + rate**0.25 - 0.2)
        folds = 1 if number < stopped else FOLDS
        parameters = {"rate": rate, "dropout": dropout, "activation": activation}
        rows.append(trial(number, score, folds=folds, **parameters, **more))
    return rows


SPACE = {
    "rate": {"log_uniform": [0.0001, 1]},
    "dropout": {"uniform": [0, 0.5]},
    "activation": {"choice": ["relu", "tanh"]},
}


@pytest.mark.parametrize("up", [True, False], ids=["a score", "a loss"])
def test_the_parameter_that_decides_comes_first(up):
    found = importance_of(board_of(rate_decides(24, sign=1 if up else -1), spaces={"net": SPACE}, up=up))["net"]
    assert found["why_not"] is None
    assert found["trials"] == 24
    first, *others = found["parameters"]
    assert first["name"] == "rate"
    assert first["share"] > 2 * sum(item["share"] for item in others)
    assert sum(item["share"] for item in found["parameters"]) == pytest.approx(1, abs=0.001)
    assert all(item["spread"] >= 0 for item in found["parameters"])


def test_trials_stopped_after_an_easy_fold_are_seen_beside_the_others_at_that_fold():
    rows = rate_decides(24, stopped=8)
    first = importance_of(board_of(rows, spaces={"net": SPACE}))["net"]["parameters"][0]
    for row in rows[:8]:
        row["scores"] = [row["scores"][0] + 5]
    for row in rows[8:]:
        row["scores"][0] += 5
    assert importance_of(board_of(rows, spaces={"net": SPACE}))["net"]["parameters"][0] == first


def test_too_few_trials_are_told():
    found = importance_of(board_of(rate_decides(FEWEST - 1), spaces={"net": SPACE}))["net"]
    assert (found["why_not"], found["parameters"]) == (f"too few trials to tell, {FEWEST - 1} of {FEWEST}", [])


def test_trials_that_all_score_the_same_tell_nothing():
    rows = [trial(number, 0.7, rate=0.01 * (number + 1), dropout=0.01 * number) for number in range(12)]
    two = {name: SPACE[name] for name in ("rate", "dropout")}
    assert importance_of(board_of(rows, spaces={"net": two}))["net"]["why_not"] == "every trial scored the same"
    alone = importance_of(board_of(rows, spaces={"net": {"rate": SPACE["rate"]}}))["net"]
    assert alone["why_not"] == "one parameter alone has no other to be compared with"


def test_what_only_some_trials_have_is_told_apart():
    dimensions = [
        {"name": "prepare.tails", "domain": {"choice": [None, {"op": "clip"}]}, "given": []},
        {"name": "prepare.tails.upper", "domain": {"uniform": [0.9, 1.0]}, "given": [[0, 1]]},
    ]
    rows = rate_decides(20)
    for number, row in enumerate(rows):
        row["point"] = [0, None] if number % 4 else [1, 0.9 + number / 1000]
    found = importance_of(board_of(rows, spaces={"net": SPACE}, dimensions=dimensions))["net"]
    assert found["conditional"] == [{"name": "prepare.tails.upper", "trials": 5}]
    assert "prepare.tails" in [item["name"] for item in found["parameters"]]


def test_a_model_with_nothing_to_search_is_left_out():
    rows = [trial(number, 0.5, model="baseline") for number in range(12)]
    assert importance_of(board_of(rows, spaces={"baseline": {}})) == {}
