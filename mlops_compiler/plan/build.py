"""The plan compares what a program would do with what is recorded; it reads the store and writes nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from mlops_compiler.ir.ops.intake import Read
from mlops_compiler.plan.diff import causes, summary
from mlops_compiler.plan.feedback import fed_back
from mlops_compiler.plan.ingredients import digest_key
from mlops_compiler.plan.rival import against
from mlops_compiler.plan.stages import New, Plan, Rebuild, Reuse, make_stages
from mlops_compiler.plan.taken import taken_since
from mlops_compiler.plan.warm import warm_started
from mlops_compiler.tables.table import digest

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from mlops_compiler.ir.program import Program
    from mlops_compiler.plan.stages import Action, Stage
    from mlops_compiler.store.reader import StoreReader

_UNKNOWN = "unknown"


def build_plan(program: Program, root: Path, store: StoreReader, *, retrained: bool = False) -> Plan:
    """Plan a program: each stage reuse, rebuild or new, with the reason.

    Where the source is not here, the plan supposes that it holds what was read last.

    Args:
        program: The program after all passes.
        root: The folder that the source's path is relative to.
        store: What is recorded.
        retrained: As for `fed_back`.

    Raises:
        RecipeError: Its search shall begin with a run that is not recorded.
    """
    found = {node.name: source_digest(read, root, store) for node, read in program.of(Read)}
    digests = {name: value or _last_digest(program.name, name, store) for name, value in found.items()}
    program = fed_back(program, store, lambda bare: make_stages(bare, digests), retrained=retrained)
    program = warm_started(program, store, lambda cold: make_stages(cold, digests))
    stages = against(program, store, lambda rival: make_stages(program, digests, rival))
    actions: list[Action] = []
    for stage in stages:
        running = {action.stage.name for action in actions if not isinstance(action, Reuse)}
        actions.append(_action(program.name, stage, running, store))
    told = tuple(_with_followers(action, actions) for action in actions)
    return Plan(recipe=program.name, program=program, actions=told, source_is_here=None not in found.values())


def source_digest(read: Read, root: Path, store: StoreReader) -> str | None:
    """Hash a source's content, or recall the hashes that a run took of the same files; None where it is not here."""

    def recall(path: Path) -> str | None:
        stat = path.stat()
        return store.file_digest(str(path.resolve()), stat.st_size, stat.st_mtime_ns)

    return digest(read, root, recall)


def _last_digest(recipe: str, node: str, store: StoreReader) -> str:
    last = store.last_stage(recipe, "snapshot")
    return str(last.ingredients.get(digest_key(node), _UNKNOWN)) if last else _UNKNOWN


def _action(recipe: str, stage: Stage, running: set[str], store: StoreReader) -> Action:
    if (record := store.stage(stage.fingerprint)) is not None and not running.intersection(stage.parents):
        return Reuse(stage=stage, record=record)
    if (last := store.last_stage(recipe, stage.name)) is None:
        return New(stage=stage)
    found = causes(stage, last)
    follows = tuple(name for name in stage.parents if name in running)
    if not found and not follows and "snapshot" in stage.parents:
        took = taken_since(store, recipe, last.started)
        found = () if took is None else (took,)
    if found:
        reason = summary(found)
    elif follows:
        reason = f"follows `{follows[-1]}`"
    elif last.fingerprint == stage.fingerprint:
        reason = "its result is no longer in the store"
    else:
        reason = "what it reads was made by other stages than last time"
    return Rebuild(stage=stage, reason=reason, last=last, causes=found, follows=follows)


def _with_followers(action: Action, actions: Sequence[Action]) -> Action:
    """Say of a stage that changed by itself how many run because of it."""
    if not isinstance(action, Rebuild) or not action.causes:
        return action
    following = {action.stage.name}
    for other in actions:
        if following.intersection(other.stage.parents):
            following.add(other.stage.name)
    count = len(following) - 1
    if count == 0:
        return action
    told = f"{count} stages after it follow" if count > 1 else "1 stage after it follows"
    return replace(action, reason=f"{action.reason}; {told}")
