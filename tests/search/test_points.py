"""A searched preparation at a point is the preparation of the recipe with these values written in (L-FE-3)."""

from __future__ import annotations

import json
import pickle
from collections import Counter
from dataclasses import dataclass

import numpy as np
import pytest

from mlops_compiler.backends.local.run import run_in_process
from mlops_compiler.backends.local.search import search_in_process
from mlops_compiler.backends.stages import points
from mlops_compiler.backends.stages.bodies import run_stage
from mlops_compiler.backends.stages.context import Context, StageTask
from mlops_compiler.backends.stages.folds import make_folds
from mlops_compiler.backends.stages.points import Kept, point_folds
from mlops_compiler.driver import plan_recipe
from mlops_compiler.frontend.hydra_app import launch
from mlops_compiler.ir.ops.preparation import Vary
from mlops_compiler.ir.ops.search import Search
from mlops_compiler.ir.space import grid_points, written
from mlops_compiler.passes.decide import preparation_at
from mlops_compiler.plan.stages import preparation_seal
from mlops_compiler.store.records import chosen_preparation
from mlops_compiler.store.writer import open_writer
from mlops_compiler.tables.preparation import fit

FACTS = {"description": None, "owner": None, "started": 0.0, "overrides": [], "actions": []}
SPACE = """\
prepare:
  known: {op: filter, where: tenure > 0, max_loss: 0.1}
  long: {op: derive, columns: {years: tenure / 12}}
  young: {op: filter, where: years < 6, max_loss: 0.3}
  no_bill_yet: {op: impute, columns: total_charges, with: {choice: [0, median]}}
  tails:
    choice:
      - null
      - {op: log1p, columns: total_charges}
      - {op: clip, columns: total_charges, upper: {uniform: [0.9, 0.999]}}
      - {op: winsorize, columns: [total_charges], share: {uniform: [0.01, 0.1]}}
  scale: {op: {choice: [standardize, robust_scale]}, columns: {choice: [numeric, [tenure, total_charges]]}}
  encode: {op: one_hot, columns: categorical, max_levels: 20, rare: group}
  best: {op: select_k_best, columns: all, k: {int_uniform: [2, 4]}}
"""
"""Choices of a value, of columns, of an op and of a whole step, ranges inside and outside of alternatives."""


@dataclass(frozen=True)
class Place:
    """The small recipe, planned with overrides."""

    tasks: dict[str, StageTask]
    program: object

    @property
    def vary(self):
        return self.program.the(Vary)[1]


@pytest.fixture
def planned(small, monkeypatch):
    """Give a function that plans the small recipe, its preparation replaced, on a store."""
    monkeypatch.chdir(small.root)
    text = small.recipe.read_text()
    start, end = text.index("prepare:"), text.index("validate:")

    def plan(prepare, store, *overrides):
        small.recipe.write_text(text[:start] + prepare + text[end:])
        (made,) = launch(["recipe=small", f"store.url={store}", *overrides], plan_recipe)
        root = str(made.compiled.composed.root.absolute())
        stages = [action.stage for action in made.plan.actions if action.stage.name != "report"]
        tasks = {
            stage.name: StageTask(stage=stage, recipe="small", root=root, store=made.location, run_id="r1", facts=FACTS)
            for stage in stages
        }
        return Place(tasks, made.compiled.optimised)

    return plan


def context_of(place, name, records):
    task = place.tasks[name]
    inputs = {parent: records[parent] for parent in task.stage.parents}
    return Context(task=task, store=open_writer(task.store), inputs=inputs)


def folds_of(place, records):
    context = context_of(place, "search", records)
    return point_folds(context, context.read_json("prepare", "preparations"))


def run(place, names, records=None):
    return run_in_process([place.tasks[name] for name in names], dict(records or {}))


BEFORE = ("snapshot", "split", "prepare")
"""The stages before the search."""


def plain(point, dimensions):
    """Write a point into the text of the preparation."""
    told = written(dimensions, point)
    tails = {
        None: "",
        "log1p": "  tails: {op: log1p, columns: total_charges}\n",
        "clip": f"  tails: {{op: clip, columns: total_charges, upper: {told.get('prepare.tails.upper')!r}}}\n",
        "winsorize": f"  tails: {{op: winsorize, columns: [total_charges], share: {told.get('prepare.tails.share')!r}}}\n",
    }
    columns = told["prepare.scale.columns"]
    return (
        "prepare:\n"
        "  known: {op: filter, where: tenure > 0, max_loss: 0.1}\n"
        "  long: {op: derive, columns: {years: tenure / 12}}\n"
        "  young: {op: filter, where: years < 6, max_loss: 0.3}\n"
        f"  no_bill_yet: {{op: impute, columns: total_charges, with: {told['prepare.no_bill_yet.with']}}}\n"
        + tails[told["prepare.tails"]]
        + f"  scale: {{op: {told['prepare.scale.op']}, columns: {json.dumps(columns)}}}\n"
        "  encode: {op: one_hot, columns: categorical, max_levels: 20, rare: group}\n"
        f"  best: {{op: select_k_best, columns: all, k: {told['prepare.best.k']}}}\n"
    )


def same(one, other):
    """Compare folds bit by bit; they may lie in memory in other ways."""
    pairs = [(getattr(one, name), getattr(other, name)) for name in one.__slots__]
    return all(
        np.array_equal(first, second, equal_nan=True) if isinstance(first, np.ndarray) else first == second
        for first, second in pairs
    )


def test_every_point_gives_the_folds_of_the_recipe_with_its_values_written_in(planned):
    searched = planned(SPACE, "one")
    dimensions = searched.vary.dimensions
    records = run(searched, BEFORE)
    folds = folds_of(searched, records)
    points = grid_points(dimensions)
    assert len(points) == 2 * 12 * 4 * 3
    for point in (points[0], *points[50::83]):
        alone = planned(plain(point, dimensions), "one")
        written_in = run(alone, BEFORE)
        nodes = preparation_at(searched.tasks["search"].stage.nodes, point)
        seal = preparation_seal(nodes, {name: records[name].fingerprint for name in ("snapshot", "split")})
        assert seal == written_in["prepare"].fingerprint
        wanted = make_folds(context_of(alone, "search", written_in), alone.program.the(Search)[1].candidates)
        assert all(same(folds.at(point, fold, "prior"), wanted.at((), fold, "prior")) for fold in range(3))


def test_folds_are_the_same_kept_or_made_anew_and_wherever_they_travel(planned):
    searched = planned(SPACE, "one")
    folds = folds_of(searched, run(searched, BEFORE))
    arrived = pickle.loads(pickle.dumps(folds))  # noqa: S301 - as an engine does
    arrived._kept = Kept(room=0)
    for point in grid_points(searched.vary.dimensions)[::37]:
        assert same(folds.at(point, 1, "prior"), arrived.at(point, 1, "prior"))
    assert len(arrived) == 3


def test_what_no_trial_changes_is_fitted_once(planned, monkeypatch):
    """L-FE-3: two scalers and three numbers of features are tried on three folds; `encode` is learned by `prepare` alone."""
    fitted = []

    def counted(groups, rows):
        fitted.extend(named.name for group in groups for named in group)
        return fit(groups, rows)

    prepare = (
        "prepare:\n"
        "  no_bill_yet: {op: impute, columns: total_charges, with: median}\n"
        "  encode: {op: one_hot, columns: categorical, max_levels: 20, rare: group}\n"
        "  scale: {op: {choice: [standardize, robust_scale]}, columns: numeric}\n"
        "  best: {op: select_k_best, columns: all, k: {int_uniform: [2, 4]}}\n"
    )
    searched = planned(prepare, "one", "search.algorithm=grid", "search.trials=30")
    records = run(searched, BEFORE)
    monkeypatch.setattr(points, "fit", counted)
    folds = folds_of(searched, records)
    for point in grid_points(searched.vary.dimensions):
        for number in range(3):
            folds.at(point, number, "prior")
    assert Counter(fitted) == {"scale": 3, "best": 3 * 5}


def told_of(board):
    return [(row["model"], row["preparation"], row["parameters"], row["scores"]) for row in board["trials"]]


def board_of(place, records):
    return json.loads(open_writer(place.tasks["search"].store).objects.get(records["search"].outputs["leaderboard"]))


def finished(place):
    """List how the trials of the last search ended: cached or not, in order."""
    events = open_writer(place.tasks["search"].store).events("r1")
    starts = [at for at, event in enumerate(events) if event.kind == "search_planned"]
    return [event.payload["cached"] for event in events[starts[-1] :] if event.kind == "trial_finished"]


CHOICES = "prepare:\n  scale: {op: {choice: [%s]}, columns: numeric}\n  encode: {op: one_hot, columns: categorical}\n"
FIXED = ("models.logistic.C=0.5", "~models.boosting", "search.trials=20")


def test_another_alternative_keeps_all_trials_and_so_does_the_winner_written_in(planned):
    fill = "prepare.fill={op: impute, columns: total_charges, with: 0}"
    grid = ("search.algorithm=grid", "+" + fill, *FIXED)
    two = planned(CHOICES % "standardize, robust_scale", "one", *grid)
    first = run(two, (*BEFORE, "search"))
    assert finished(two) == [False] * 3
    three = planned(CHOICES % "standardize, min_max_scale, robust_scale", "one", *grid)
    second = run(three, (*BEFORE, "search"))
    assert second["prepare"].fingerprint == first["prepare"].fingerprint
    assert Counter(finished(three)) == {True: 3, False: 1}
    assert [row for row in told_of(board_of(three, second)) if "min_max_scale" not in row[1].values()] == told_of(
        board_of(two, first)
    )
    alone = planned(
        "prepare:\n  scale: {op: min_max_scale, columns: numeric}\n" + CHOICES.splitlines()[2] + "\n", "one", *grid
    )
    run(alone, (*BEFORE, "search"))
    assert finished(alone) == [True, True] or finished(alone) == [False, True]


class KilledError(Exception):
    pass


def killed(session, folds, context):
    left = iter(range(3))

    class Cut:
        report, fail = session.report, session.fail

        def next(self):
            if next(left, None) is None:
                raise KilledError
            return session.next()

    search_in_process(Cut(), folds, context)


AFTER = ("select", "train", "evaluate", "release")


@pytest.mark.parametrize("algorithm", ["grid", "random", "tpe"])
def test_a_search_goes_on_where_it_was_killed_and_the_release_has_what_it_chose(planned, algorithm):
    overrides = (f"search.algorithm={algorithm}", "search.trials=12", "~models.boosting", "search.scheduler=asha")
    whole = planned(SPACE, "one", *overrides)
    wanted = run(whole, (*BEFORE, "search", *AFTER))
    cut = planned(SPACE, "two", *overrides)
    records = run(cut, BEFORE)
    with pytest.raises(KilledError):
        run_stage(cut.tasks["search"], records, killed)
    again = run(cut, ("search", *AFTER), records)
    assert {name: again[name].outputs for name in again} == {name: wanted[name].outputs for name in wanted}
    board = board_of(whole, wanted)
    base = written(whole.vary.dimensions, whole.vary.variants[0].picks)
    starts = {row["model"]: row["preparation"] for row in sorted(board["trials"], key=lambda row: -row["trial"])}
    assert starts == {"baseline": base, "logistic": base}
    for row in board["trials"]:
        assert ("prepare.tails.upper" in row["preparation"]) == (row["preparation"]["prepare.tails"] == "clip")
    _release_is_of(planned, whole, wanted)


def _release_is_of(planned, whole, records):
    """The release has the very preparation of the recipe with the chosen values written in, and tells its account."""
    store = open_writer(whole.tasks["search"].store)
    selection = json.loads(store.objects.get(records["select"].outputs["selection"]))
    alone = planned(plain(tuple(selection["point"]), whole.vary.dimensions), "one")
    prepared = run(alone, BEFORE)["prepare"]
    final = json.loads(store.objects.get(prepared.outputs["preparations"]))["final"]
    manifest = json.loads(store.objects.get(records["train"].outputs["manifest"]))
    assert (manifest["preparation"], manifest["features"]) == (final["preparation"], final["features"])
    assert chosen_preparation(records) == prepared.summary
    if "preparation" in records["train"].summary:
        assert records["train"].outputs["quarantine"] == prepared.outputs["quarantine"]
