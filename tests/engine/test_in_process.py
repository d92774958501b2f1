"""A run in this process: the same search as on Ray, which it starts nothing of, and interrupted as any other."""

from __future__ import annotations

import contextlib
import signal
import threading
import time

import psutil
import pytest

from mlops_compiler.backends.local.run import run_in_process
from mlops_compiler.backends.local.search import search_at_once
from mlops_compiler.backends.stages.context import StageTask
from mlops_compiler.driver import plan_recipe
from mlops_compiler.frontend.hydra_app import launch
from mlops_compiler.runtime import here
from mlops_compiler.store.writer import open_writer

PATIENCE = 90
pytestmark = pytest.mark.engine
HERE = "cluster.engine=in_process"
NET = "+models.net={kind: torch_mlp, epochs: 2, layers: 1, hidden: 8}"


@pytest.fixture
def outputs_of(small, monkeypatch):
    """Give a function that runs the small recipe in an empty store; gives the digest of each output of its stages."""
    monkeypatch.chdir(small.root)

    def run(store, engine, *overrides):
        (planned,) = launch(["recipe=small", f"store.url={store}", *overrides], plan_recipe)
        open_writer(planned.location)
        facts = {"description": None, "owner": None, "started": 0.0, "overrides": [], "actions": []}
        root = str(planned.compiled.composed.root.absolute())
        tasks = [
            StageTask(stage=stage, recipe="small", root=root, store=planned.location, run_id="r1", facts=facts)
            for stage in planned.plan.to_run
            if stage.name != "report"
        ]
        records = run_in_process(tasks, {}, *engine)
        return {f"{name}.{key}": digest for name, record in records.items() for key, digest in record.outputs.items()}

    return run


@pytest.mark.parametrize("more", [(), ("search.scheduler=asha", "search.trials=12"), (NET, "search.trials=8")])
def test_trials_at_once_are_the_trials_one_after_another(outputs_of, more):
    alone = outputs_of("alone", (), *more)
    assert outputs_of("at_once", (search_at_once(3, threading.Event()),), *more) == alone
    assert len(alone) > 8


def test_a_run_starts_nothing_and_ends_as_on_ray(small, first_run):
    process = small.start("recipe=small", HERE)
    seen = {}
    while process.poll() is None:
        with contextlib.suppress(psutil.Error):
            children = psutil.Process(process.pid).children(recursive=True)
            seen |= {child.pid: child.name() for child in children}  # the last look: it may have been about to begin
        time.sleep(0.05)
    out, err = process.communicate()
    assert process.returncode == 0, err
    assert "release 1" in out
    assert set(seen.values()) <= {"git"}, "git is asked which code this is, and nothing else is started"
    assert small.digests() == first_run[0].digests()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
def test_a_run_that_is_interrupted_goes_on_from_there(small, first_run, number):
    process = small.start("recipe=small", HERE, "cluster.cpus=1")
    until = time.monotonic() + PATIENCE
    while not (small.store.runs() and small.events("fold_finished")):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < until
        time.sleep(0.02)
    process.send_signal(number)
    out, err = process.communicate(timeout=PATIENCE)
    assert (process.returncode, out) == (130, ""), err
    assert "Traceback" not in err
    assert small.run().status == "interrupted"
    assert small.main("recipe=small", HERE).code == 0
    planned = {item["stage"]: item["action"] for item in small.run().plan}
    assert [planned[name] for name in ("snapshot", "split", "prepare")] == ["reuse"] * 3
    assert small.digests() == first_run[0].digests()


def test_what_breaks_a_stage_is_raised_where_it_is_awaited():
    class Broken:
        @property
        def stage(self):
            raise ZeroDivisionError

    polled = []
    with pytest.raises(ZeroDivisionError):
        here.run_here([Broken()], {}, 1, lambda: polled.append(1))
    assert polled


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["cluster.address=auto"], "`address` needs Ray"),
        (["cluster.gpus=1"], "`gpus` needs Ray"),
        (["cluster.jobs=http://head:8265"], "`jobs` needs Ray"),
        (["+models.boosting.resources={gpu: 1}"], "model `boosting` asks for a GPU"),
        (["+models.boosting.resources={accelerator: H100}"], "model `boosting` asks for a GPU"),
    ],
    ids=lambda item: "".join(item)[:24],
)
def test_refuses_what_a_process_does_not_have(small, words, told):
    said = small.main("check", "recipe=small", HERE, *words)
    assert said.code == 1
    assert told in said.err
