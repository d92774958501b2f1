"""Runs a plan's stages in this process, one after another: the oracle, and the engine of small tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_compiler.backends.local.search import search_in_process
from mlops_compiler.backends.stages.bodies import run_stage

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mlops_compiler.backends.stages.context import StageTask
    from mlops_compiler.backends.stages.search import TrialEngine
    from mlops_compiler.store.records import StageRecord


def run_in_process(
    tasks: Iterable[StageTask], done: dict[str, StageRecord], engine: TrialEngine = search_in_process
) -> dict[str, StageRecord]:
    """Run stages in order.

    Args:
        tasks: The stages to run.
        done: The records of those that are reused.
        engine: Runs the trials of a search.

    Returns:
        All records by stage.
    """
    records = dict(done)
    for task in tasks:
        inputs = {name: records[name] for name in task.stage.parents}
        records[task.stage.name] = run_stage(task, inputs, engine)
    return records
