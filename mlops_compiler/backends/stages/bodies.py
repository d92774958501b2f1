"""Runs one stage and records it; the same function in this process, in a Ray worker, and under test."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from mlops_compiler.backends.stages.context import Context, Outcome
from mlops_compiler.diagnostics import MlopsError
from mlops_compiler.store.records import StageRecord
from mlops_compiler.store.writer import open_writer

if TYPE_CHECKING:
    from mlops_compiler.backends.stages.context import StageTask
    from mlops_compiler.backends.stages.search import TrialEngine


def run_stage(task: StageTask, inputs: dict[str, StageRecord], engine: TrialEngine | None = None) -> StageRecord:
    """Run a stage and record what it gave.

    Args:
        task: What to run.
        inputs: The records of the stages that it reads.
        engine: Runs the trials, where the stage is the search.

    Returns:
        The record. It is in the store when this returns: a run that is killed after that goes on from here.

    Raises:
        MlopsError: The stage failed; said in an event too.
    """
    record = make_stage(task, inputs, engine)
    open_writer(task.store).record_stage(record)
    announce(task, record)
    return record


def make_stage(task: StageTask, inputs: dict[str, StageRecord], engine: TrialEngine | None = None) -> StageRecord:
    """Run a stage and leave its record to the caller; its outputs are in the store.

    Raises:
        MlopsError: The stage failed; said in an event too.
    """
    store = open_writer(task.store)
    name = task.stage.name
    store.add_event(task.run_id, "stage_started", {"stage": name})
    started, clock = time.time(), time.perf_counter()
    try:
        outcome = _body(Context(task=task, store=store, inputs=inputs), engine)
    except MlopsError as error:
        store.add_event(task.run_id, "stage_failed", {"stage": name, "headline": error.diagnostics[0].headline})
        raise
    return _record(task, outcome, started, time.perf_counter() - clock)


def _record(task: StageTask, outcome: Outcome, started: float, seconds: float) -> StageRecord:
    return StageRecord(
        fingerprint=task.stage.fingerprint,
        recipe=task.recipe,
        name=task.stage.name,
        ingredients=task.stage.ingredients,
        outputs=outcome.outputs,
        summary=outcome.summary,
        run_id=task.run_id,
        started=started,
        seconds=seconds,
    )


def announce(task: StageTask, record: StageRecord) -> None:
    """Say that a stage is recorded."""
    payload = {"stage": task.stage.name, "seconds": record.seconds, "summary": record.summary}
    open_writer(task.store).add_event(task.run_id, "stage_finished", payload)


def _body(context: Context, engine: TrialEngine | None) -> Outcome:  # noqa: C901, PLR0912 - one case a stage
    match context.task.stage.name:
        case "snapshot":
            from mlops_compiler.backends.stages.intake import take_snapshot as body
        case "split":
            from mlops_compiler.backends.stages.split import split_rows as body
        case "feedback":
            from mlops_compiler.backends.stages.feedback import put_back as body
        case "prepare":
            from mlops_compiler.backends.stages.prepare import fit_preparations as body
        case "search" if engine is not None:
            from mlops_compiler.backends.stages.search import search_models

            return search_models(context, engine)
        case "nested" if engine is not None:
            from mlops_compiler.backends.stages.nested import estimate_procedure

            return estimate_procedure(context, engine)
        case "select":
            from mlops_compiler.backends.stages.select import select_trial as body
        case "train":
            from mlops_compiler.backends.stages.train import train_model as body
        case "evaluate":
            from mlops_compiler.backends.stages.evaluate import evaluate_model as body
        case "explain":
            from mlops_compiler.backends.stages.explain import explain_model as body
        case "release":
            from mlops_compiler.backends.stages.release import release_model as body
        case "report":
            from mlops_compiler.backends.stages.report import write_report as body
        case name:
            raise ValueError(f"no body for stage {name!r}")
    return body(context)
