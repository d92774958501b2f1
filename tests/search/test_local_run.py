"""A recipe run in this process gives the same bytes each time, whole or in pieces."""

from __future__ import annotations

import pytest

from mlops_compiler.backends.local.run import run_in_process
from mlops_compiler.backends.local.search import search_in_process
from mlops_compiler.backends.stages.bodies import run_stage
from mlops_compiler.backends.stages.context import StageTask
from mlops_compiler.driver import plan_recipe
from mlops_compiler.frontend.hydra_app import launch

FACTS = {"description": None, "owner": None, "started": 0.0, "overrides": [], "actions": []}


@pytest.fixture
def tasks_of(small, monkeypatch):
    """Give a function that plans the small recipe on an empty store; gives the tasks of its stages but the report."""
    monkeypatch.chdir(small.root)

    def tasks(store, *overrides):
        (planned,) = launch(["recipe=small", f"store.url={store}", *overrides], plan_recipe)
        root = str(planned.compiled.composed.root.absolute())
        return [
            StageTask(stage=stage, recipe="small", root=root, store=planned.location, run_id="r1", facts=FACTS)
            for stage in planned.plan.to_run
            if stage.name != "report"
        ]

    return tasks


def outputs(records):
    return {f"{name}.{key}": digest for name, record in records.items() for key, digest in record.outputs.items()}


class KilledError(Exception):
    pass


def killed_after(trials):
    """Make an engine that is killed when it has run some trials."""

    def engine(session, folds, context):
        left = iter(range(trials))

        class Cut:
            report, fail = session.report, session.fail

            def next(self):
                if next(left, None) is None:
                    raise KilledError
                return session.next()

        search_in_process(Cut(), folds, context)

    return engine


def test_two_runs_give_the_same_bytes_even_where_one_was_killed(tasks_of):
    first = run_in_process(tasks_of("one"), {})
    records = {}
    tasks = {task.stage.name: task for task in tasks_of("two")}
    for name in ("snapshot", "split", "prepare"):
        records |= run_in_process([tasks[name]], records)
    with pytest.raises(KilledError):
        run_stage(tasks["search"], {name: records[name] for name in tasks["search"].stage.parents}, killed_after(3))
    again = run_in_process(
        [tasks[name] for name in ("search", "select", "train", "evaluate", "explain", "release")], records
    )
    assert outputs(again) == outputs(first)
    assert {name: record.fingerprint for name, record in again.items()} == {
        name: record.fingerprint for name, record in first.items()
    }
    assert len(outputs(first)) >= 8


def test_the_order_of_rows_in_which_nothing_else_differs_is_another_source(tasks_of, small):
    before = {task.stage.name: task.stage.fingerprint for task in tasks_of("one")}
    lines = small.rows.read_text().splitlines(keepends=True)
    small.rows.write_text("".join([lines[0], *lines[:0:-1]]))
    after = {task.stage.name: task.stage.fingerprint for task in tasks_of("one")}
    assert all(before[name] != after[name] for name in before)


def test_a_store_elsewhere_holds_the_same_bytes(tasks_of, small):
    overrides = ["search.trials=3", "search.algorithm=random"]
    here = run_in_process(tasks_of("one", *overrides), {})
    elsewhere = tasks_of(
        f"memory://{small.root.parent.name}", f"store.database=sqlite:///{small.root}/m.db", *overrides
    )
    assert outputs(run_in_process(elsewhere, {})) == outputs(here)
    assert not (small.root / "memory:").exists()


STEPS = (
    "+prepare.known={op: filter, where: 'tenure > 0', max_loss: 1.0}",
    "+prepare.once={op: deduplicate, columns: [tenure, total_charges], max_loss: 1.0}",
)


@pytest.mark.parametrize("more", [(), STEPS, STEPS[:1]], ids=["as it is", "rows dropped", "a filter"])
def test_rows_that_are_too_many_to_hold_teach_the_same(tasks_of, tmp_path, monkeypatch, more):
    """L-ACQ-1: data larger than memory work."""
    found = []
    for room in (2**29, 0):
        monkeypatch.setattr("mlops_compiler.backends.stages.training.ROOM", room)
        monkeypatch.setattr("mlops_compiler.tables.stream._MOST_ROWS", 262_144 if room else 97)
        tasks = [task for task in tasks_of(tmp_path / str(room), *more) if task.stage.name in ("snapshot", "split")]
        records = run_in_process(tasks, {})
        prepare = [task for task in tasks_of(tmp_path / str(room), *more) if task.stage.name == "prepare"]
        records = run_in_process(prepare, records)
        found.append((records["prepare"].outputs, records["prepare"].summary))
    assert found[0] == found[1]
