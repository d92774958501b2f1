"""The plan compares what a program would do with what is recorded; it reads the store and writes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_compiler.ir.ops.lifecycle import Read
from mlops_compiler.plan.diff import why_changed
from mlops_compiler.plan.stages import New, Plan, Rebuild, Reuse, make_stages
from mlops_compiler.tables.sources import file_digest

if TYPE_CHECKING:
    from pathlib import Path

    from mlops_compiler.ir.program import Program
    from mlops_compiler.plan.stages import Action, Stage
    from mlops_compiler.store.reader import StoreReader


def build_plan(program: Program, root: Path, store: StoreReader) -> Plan:
    """Plan a program: each stage reuse, rebuild or new, with the reason.

    Args:
        program: The program after all passes.
        root: The folder that the source's path is relative to.
        store: What is recorded.
    """
    stages = make_stages(program, source_digest(root / program.the(Read)[1].path, store))
    actions: list[Action] = []
    for stage in stages:
        running = {action.stage.name for action in actions if not isinstance(action, Reuse)}
        actions.append(_action(program.name, stage, running, store))
    return Plan(recipe=program.name, program=program, actions=tuple(actions))


def source_digest(path: Path, store: StoreReader) -> str:
    """Hash the source's content, or recall the hash that a run took of the very same file."""
    stat = path.stat()
    return store.file_digest(str(path.resolve()), stat.st_size, stat.st_mtime_ns) or file_digest(path)


def _action(recipe: str, stage: Stage, running: set[str], store: StoreReader) -> Action:
    if (record := store.stage(stage.fingerprint)) is not None and not running.intersection(stage.parents):
        return Reuse(stage=stage, record=record)
    if (last := store.last_stage(recipe, stage.name)) is None:
        return New(stage=stage)
    return Rebuild(stage=stage, reason=why_changed(stage, last, running))
