"""What comes back is resolved when a run is planned: the last rows that were collected, named by their content.

With them come two promises. Rows that the release in place was judged by stay held out, however the data grew, so that
neither model has seen what both are compared on. And a model that learned from rows that a model chose must beat what
the recipe says, whoever runs it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from mlops_compiler.ir.ops.feedback import FeedBack
from mlops_compiler.ir.ops.lifecycle import Release, Split
from mlops_compiler.ir.ops.search import Bound
from mlops_compiler.plan.rival import in_place
from mlops_compiler.store.collections import last_collection

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from mlops_compiler.ir.program import Program
    from mlops_compiler.plan.stages import Stage
    from mlops_compiler.store.reader import StoreReader
    from mlops_compiler.store.records import StageRecord

FROZEN = "split.frozen"
"""The ingredient that names the rows and the split by which rows stay where they are."""
_CRITERIA = "release.criteria"
_OPPONENTS = {"current": "release", "baseline": "baseline"}


def fed_back(
    program: Program, store: StoreReader, make: Callable[[Program], Sequence[Stage]], *, retrained: bool = False
) -> Program:
    """Write into a program which rows come back, where its recipe asks for any.

    Args:
        program: The program.
        store: What is recorded.
        make: Makes the stages of a program.
        retrained: Whether the run is a retraining, whose model must beat the current one even if no row came back.
    """
    if not (found := program.of(FeedBack)):
        return program
    ((node, op),) = found
    if (last := last_collection(store, program.name)) is not None and last.rows:
        op = replace(op, table=last.table, rows=last.rows, collected=last.record.started)
    program = program.with_nodes(replace(item, op=op) if item is node else item for item in program)
    program = _frozen(program, op, store, make)
    strict = _must_beat(program, op)
    if (asked := _asked_of_same(program.name, strict, store, make)) is not None:
        return strict if asked == _criteria(make(strict)) else program
    return strict if op.table is not None or retrained else program


def _asked_of_same(
    recipe: str, program: Program, store: StoreReader, make: Callable[[Program], Sequence[Stage]]
) -> object:
    """Give the criteria that the release in place had to meet, where the program makes the very same model."""
    release = in_place(recipe, store)
    run = store.run(release.run_id) if release is not None else None
    record = store.stage_record(release.fingerprint) if release is not None else None
    if run is None or record is None:
        return None
    trained = {str(item["fingerprint"]) for item in run.plan if item["stage"] == "train"}
    now = {stage.fingerprint for stage in make(program) if stage.name == "train"}
    return record.ingredients.get(_CRITERIA) if trained == now else None


def _criteria(stages: Sequence[Stage]) -> object:
    return next(stage.ingredients.get(_CRITERIA) for stage in stages if stage.name == "release")


def _must_beat(program: Program, op: FeedBack) -> Program:
    """Add what must be beaten to the criteria of the release."""
    if op.must_beat == "nothing":
        return program
    node, release = program.the(Release)
    opponent = _OPPONENTS[op.must_beat]
    bounds = {bound.metric: bound for bound in release.criteria}
    asked = bounds.get(op.metric, Bound(metric=op.metric, at_least=None, at_most=None, span=op.span))
    if opponent in asked.beats:
        return program
    bounds[op.metric] = replace(asked, beats=(*asked.beats, opponent), by=max(asked.by, 0.0))
    stricter = replace(release, criteria=tuple(bounds.values()))
    return program.with_nodes(replace(item, op=stricter) if item is node else item for item in program)


def _frozen(program: Program, op: FeedBack, store: StoreReader, make: Callable[[Program], Sequence[Stage]]) -> Program:
    """Let rows that the release in place learned from, or was judged by, stay where they are."""
    node, split = program.the(Split)
    if op.key is None or split.holdout == "time_ordered":
        return program  # what comes later is new to both
    before = _dealt_by_release(program.name, store)
    if not before:
        return program
    snapshot = next(stage.fingerprint for stage in make(program) if stage.name == "snapshot")
    if before["snapshot"].fingerprint == snapshot:
        known = before["split"].ingredients.get(FROZEN)
        frozen = None if known is None else (str(known[0]), str(known[1]), str(known[2]))
    else:
        taught = before.get("feedback")
        rows, dealt = ((taught or before[name]).outputs[name] for name in ("snapshot", "split"))
        frozen = (op.key, rows, dealt)
    kept = replace(split, frozen=frozen)
    return program.with_nodes(replace(item, op=kept) if item is node else item for item in program)


def _dealt_by_release(recipe: str, store: StoreReader) -> dict[str, StageRecord]:
    """Find the stages that dealt the rows of the release in place; none where they are no longer recorded."""
    release = in_place(recipe, store)
    run = store.run(release.run_id) if release is not None else None
    if run is None:
        return {}
    seals = {str(item["stage"]): str(item["fingerprint"]) for item in run.plan}
    named: dict[str, StageRecord | None] = {
        name: store.stage_record(seals[name]) for name in ("snapshot", "split", "feedback") if name in seals
    }
    found = {name: record for name, record in named.items() if record is not None}
    return found if {"snapshot", "split"} <= set(found) else {}
