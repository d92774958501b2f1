"""Each model's trials are drawn on axes of their own: where a value stands, what is missing, what was chosen."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mlops_compiler.report.page import render_report
from mlops_compiler.report.parallel import BOTTOM, NOWHERE, TOP, drawings
from mlops_compiler.report.search_charts import epochs, history

SPACE = {
    "rate": {"log_uniform": [0.001, 10]},
    "depth": {"int_uniform": [2, 10]},
    "kernel": {"choice": ["rbf", None, "poly"]},
    "fixed": {"uniform": [0.5, 0.5]},
}
DIMENSIONS = [
    {"name": "prepare.tails", "domain": {"choice": [None, {"op": "clip"}]}, "given": []},
    {"name": "prepare.tails.upper", "domain": {"uniform": [0.9, 1.0]}, "given": [[0, 1]]},
]


def trial(number, score, *, model="net", status="complete", rate=0.1, kernel="rbf", upper=None, **more):
    point = [0, None] if upper is None else [1, upper]
    preparation = {"prepare.tails": None} if upper is None else {"prepare.tails": "clip", "prepare.tails.upper": upper}
    return {
        "trial": number,
        "model": model,
        "parameters": {"rate": rate, "depth": 6, "kernel": kernel, "fixed": 0.5},
        "preparation": preparation,
        "point": point,
        "status": status,
        "mean": score,
        "scores": [score, score] if status == "complete" else [score] if status == "stopped" else [],
        "baseline": False,
        **more,
    }


def board(*trials, **more):
    given = {"metric": "roc_auc", "greater_is_better": True, "folds": 2, "spaces": {"net": SPACE}, "dimensions": []}
    return {**given, "trials": list(trials), **more}


def drawn(chart, layer):
    """The data of a layer of a chart."""
    made = chart.to_dict()
    data = made["layer"][layer].get("data") or made["data"]
    return data["values"] if "values" in data else made["datasets"][data["name"]]


def axes(drawing):
    return {axis.full: axis for axis in drawing.axes}


def heights(drawing, place=0):
    return [float(y) if y else None for y in drawing.lines[place].at.split(",")]


def test_a_value_stands_where_its_domain_has_it():
    (drawing,) = drawings(board(trial(1, 0.8), trial(2, 0.7, rate=10, kernel=None)), None)
    names = [axis.full for axis in drawing.axes]
    at = dict(zip(names, heights(drawing), strict=True))
    assert names == ["rate", "depth", "kernel", "fixed", "roc_auc"]
    middle = (TOP + BOTTOM) / 2
    assert at["rate"] == at["depth"] == at["fixed"] == middle, "0.1 is the middle of 0.001 to 10 on its own scale"
    assert at["roc_auc"] == TOP
    assert at["kernel"] > middle
    assert dict(zip(names, heights(drawing, 1), strict=True)) == at | {"rate": TOP, "kernel": middle, "roc_auc": BOTTOM}
    assert [tick.text for tick in axes(drawing)["kernel"].ticks] == ["rbf", "null", "poly"]
    assert [tick.text for tick in axes(drawing)["rate"].ticks] == ["0.001", "0.1", "10"]


def test_what_a_trial_does_not_have_stands_below_the_axis():
    found = board(trial(1, 0.8), trial(2, 0.7, upper=0.95), dimensions=DIMENSIONS)
    (drawing,) = drawings(found, None)
    place = [axis.full for axis in drawing.axes].index("prepare.tails.upper")
    assert [heights(drawing, line)[place] for line in (0, 1)] == [None, (TOP + BOTTOM) / 2]
    assert f",{NOWHERE} " in drawing.lines[0].path
    assert axes(drawing)["prepare.tails.upper"].name == "tails.upper"


def test_axes_stand_by_importance_and_say_it():
    judged = {"name": "depth", "share": 0.64, "spread": 0.09}
    net = {"trials": 2, "parameters": [judged], "conditional": [{"name": "x", "trials": 1}], "why_not": None}
    (drawing,) = drawings(board(trial(1, 0.8), trial(2, 0.7)), {"net": net})
    assert drawing.axes[0].full == "depth"
    assert drawing.axes[0].share == "64 % ± 9"
    assert drawing.note == "x stands in 1 of 2 trials only, and is not judged."


def test_what_was_chosen_is_drawn_last_and_what_was_stopped_first():
    behind = {"folds": 1, "place": 7, "of": 9}
    rows = [
        trial(1, 0.8),
        trial(2, 0.7, status="stopped", behind=behind),
        trial(3, 0.6),
        trial(4, None, status="failed"),
    ]
    (drawing,) = drawings(board(*rows), None, chosen=1)
    assert [line.mark for line in drawing.lines] == ["stopped", "", "chosen"]
    assert drawing.lines[0].told.endswith("stopped after 1 of 2 folds, 7th of 9")
    assert "trial 1: roc_auc 0.8000, rate 0.1, depth 6, kernel rbf" in drawing.lines[2].told


@pytest.mark.parametrize(
    "found",
    [None, board(trial(1, 0.8)), board(trial(1, 0.8), trial(2, 0.7), spaces={}), {"trials": [trial(1, 0.8)]}],
    ids=["no search", "one trial", "nothing to search", "an earlier version"],
)
def test_where_there_is_nothing_to_compare_there_is_no_drawing(found):
    assert drawings(found, None) == ()


@pytest.mark.parametrize("up", [True, False], ids=["a score", "a loss"])
def test_the_best_so_far_never_gets_worse(up):
    means = [0.5, 0.9, 0.7, 0.2, 0.8]
    rows = [trial(number, mean) for number, mean in enumerate(means)] + [trial(9, 0.95, status="stopped")]
    best = [step["y"] for step in drawn(history(board(*reversed(rows), greater_is_better=up)), 0)]
    assert best == ([0.5, 0.9, 0.9, 0.9, 0.9, 0.9] if up else [0.5, 0.5, 0.5, 0.2, 0.2, 0.2])


def test_a_trial_far_behind_does_not_press_the_others_together():
    rows = [trial(number, 0.8 + number / 1000) for number in range(12)] + [trial(20, 0.1)]
    dots = drawn(history(board(*rows)), 1)
    assert min(dot["y"] for dot in dots) > 0.7


def test_epochs_are_a_line_for_each_fold_and_kind_of_rows():
    fold = {"unit": "epoch", "loss": "log_loss", "best": 2, "steps": [1, 2, 3], "training": [0.7, 0.5, 0.4]}
    chart = epochs([fold | {"validation": [0.8, 0.6, None]}, fold])
    lines = drawn(chart, 1)
    assert len(lines) == 3 + 2 + 3
    assert {(line["fold"], line["rows"]) for line in lines} == {
        (0, "rows learned from"),
        (0, "rows held back by the fit"),
        (1, "rows learned from"),
    }
    assert [rule["x"] for rule in drawn(chart, 0)] == [2, 2]
    assert epochs([]) is None


def test_the_report_shows_how_the_chosen_trial_learned(facts):
    fold = {"unit": "round", "loss": "log_loss", "best": 2, "steps": [1, 2], "training": [0.7, 0.5]}
    trial = str(facts.selection["trial"])
    page = render_report(replace(facts, histories={trial: [fold]}))
    assert f"How {facts.selection['model']} learned" in page
    assert f"Trial {trial}: a line for each fold." in page
