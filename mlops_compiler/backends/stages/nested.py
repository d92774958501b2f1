"""Nested: the whole procedure is run again for each outer fold, and what it chose there is judged by rows it never saw.

A search that tries many models finds one that looks better than it is: its score chose it. The score of an outer fold
chose nothing (Varma and Simon, "Bias in error estimation when using cross-validation for model selection", BMC
Bioinformatics, 2006). What is judged is the procedure, from preparation to selection, and not one model.
"""

from __future__ import annotations

import io
import math
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from mlops_compiler.backends.stages.context import Context, Outcome
from mlops_compiler.backends.stages.deal import deal_within, outer_parts
from mlops_compiler.backends.stages.evaluate import evaluate_model
from mlops_compiler.backends.stages.feedback import with_rows_below
from mlops_compiler.backends.stages.prepare import fit_preparations
from mlops_compiler.backends.stages.rows import JUDGES, split_table
from mlops_compiler.backends.stages.search import search_models
from mlops_compiler.backends.stages.select import select_trial
from mlops_compiler.backends.stages.split import order_of, strata_of
from mlops_compiler.backends.stages.train import train_model
from mlops_compiler.ir.fingerprint import fingerprint
from mlops_compiler.ir.ops.lifecycle import Split
from mlops_compiler.ir.ops.search import Nested, Search
from mlops_compiler.ir.program import Program
from mlops_compiler.plan.stages import PARENTS, Stage, stage_nodes
from mlops_compiler.store.records import StageRecord
from mlops_compiler.tables.steps import NAIVE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mlops_compiler.backends.stages.deal import Dealt
    from mlops_compiler.backends.stages.search import TrialEngine
    from mlops_compiler.ir.program import Node

Records = dict[str, StageRecord]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Inner(Context):
    """A stage inside another one: of what happens in it, only how far it is is told.

    Attributes:
        outer: The number of the outer fold, from 0, and how many there are.
        counts: Trials that there will be, and those that are done.
    """

    outer: tuple[int, int]
    counts: dict[str, int] = field(default_factory=lambda: {"trials": 0, "done": 0})

    def event(self, kind: str, payload: dict[str, Any]) -> None:
        """Count trials, and tell of each that ends."""
        if kind == "search_planned":
            self.counts["trials"] = payload["trials"]
        elif kind == "trial_finished":
            self.counts["done"] += 1
            number, folds = self.outer
            told = {"fold": number, "folds": folds, **self.counts}
            self.store.add_event(self.task.run_id, "nested_trial", told)


def estimate_procedure(context: Context, engine: TrialEngine) -> Outcome:
    """Run the stage.

    Its trials are recorded as those of any search, so that one that was killed goes on where it was.
    """
    op = context.op(Nested)
    folds = []
    for number, dealt in enumerate(_outer(context, op)):
        records = _within(context, dealt, number, engine)
        selected, judged = records["select"].summary, records["evaluate"].summary
        told = {name: selected[name] for name in ("model", "kind", "parameters", "mean")}
        folds.append({**told, "rows": judged["rows"], "metrics": judged["metrics"]})
        context.event("nested_fold", {"fold": number, "folds": op.k, "model": selected["model"]})
    found = {"folds": folds, "metric": op.metric, **_summed(folds, op.metric)}
    return Outcome(outputs={"nested": context.put_json(found)}, summary=found)


def _outer(context: Context, op: Nested) -> Iterator[Dealt]:
    """Deal the rows that are not the holdout into outer folds, and what each leaves into folds of its own."""
    split = context.op(Split)
    table = context.read_table("split", "split")
    named = [name for name in dict.fromkeys((split.target, split.time, *(split.group or ()))) if name is not None]
    rows = context.read_table("snapshot", "snapshot", named or None)
    labels, order = strata_of(split, table["label"]), order_of(split, rows)
    learns = (table["final"] == 1).to_numpy()
    for part in outer_parts(replace(split, k=op.k, repeats=1), labels, order, learns):
        yield deal_within(split, labels, order, part)


def _within(context: Context, dealt: Dealt, number: int, engine: TrialEngine) -> Records:
    """Run the stages from preparation to evaluation on the rows of an outer fold, which is their holdout."""
    records = {"snapshot": context.inputs["snapshot"], "split": _split(context, dealt, number)}
    records |= _taught(context, records["split"])
    program = Program(name=context.task.recipe, nodes=tuple(map(_cold, context.task.stage.nodes)))
    bodies: dict[str, Any] = {
        "prepare": fit_preparations,
        "search": lambda inner: search_models(inner, engine, judged=False),
        "select": select_trial,
        "train": train_model,
        "evaluate": evaluate_model,
    }
    for name, body in bodies.items():
        parents = {parent: records[parent].fingerprint for parent in PARENTS[name] if parent in records}
        seal = fingerprint({"nested": context.inputs[name].fingerprint if name in context.inputs else name, **parents})
        nodes = stage_nodes(program, name)
        stage = Stage(name=name, nodes=nodes, ingredients={}, parents=PARENTS[name], fingerprint=seal)
        inner = _Inner(
            task=replace(context.task, stage=stage),
            store=context.store,
            inputs=records,
            outer=(number, context.op(Nested).k),
        )
        records = {**records, name: _kept(inner, body) if name == "prepare" else _record(inner, body(inner))}
    return records


def _kept(inner: Context, body: Callable[[Context], Outcome]) -> StageRecord:
    """Prepare the rows of an outer fold once: recorded under a name of its own, as it is no stage of a plan."""
    name, seal = inner.task.stage.name, inner.task.stage.fingerprint
    known = inner.store.stage(seal)
    if known is None:
        known = replace(_record(inner, body(inner)), name=f"nested-{name}", started=time.time())
        inner.store.record_stage(known)
    return replace(known, name=name)


def _cold(node: Node) -> Node:
    """Let a search begin with nothing: what was good before was found on the rows that judge here."""
    return replace(node, op=replace(node.op, warm=(), warm_from=())) if isinstance(node.op, Search) else node


def _split(context: Context, dealt: Dealt, number: int) -> StageRecord:
    before, known = context.inputs["split"], context.read_table("split", "split")
    naive, weight = (known[name] if name in known.columns else None for name in (NAIVE, "weight"))
    table = split_table(dealt, known["label"], naive, weight)
    held = int((table["final"] == JUDGES).sum())
    rows = {"training_rows": int(dealt.final.learns.sum()), "holdout_rows": held, "folds": len(dealt.folds)}
    return replace(
        before,
        fingerprint=fingerprint({"split": before.fingerprint, "outer": [context.op(Nested).k, number]}),
        outputs={"split": context.put_table(table)},
        summary={**before.summary, **rows},
    )


def _taught(context: Context, split: StageRecord) -> Records:
    """Let every model learn from rows that came back; where rows are in order, they came after most of these parts."""
    back = context.inputs.get("feedback")
    if back is None or context.op(Split).time is not None:
        return {}
    dealt = pl.read_parquet(io.BytesIO(context.store.objects.get(split.outputs["split"])))
    table = with_rows_below(dealt, context.read_table("feedback", "split"))
    seal = fingerprint({"feedback": back.fingerprint, "split": split.fingerprint})
    return {"feedback": replace(back, fingerprint=seal, outputs={**back.outputs, "split": context.put_table(table)})}


def _record(context: Context, outcome: Outcome) -> StageRecord:
    stage = context.task.stage
    return StageRecord(
        fingerprint=stage.fingerprint,
        recipe=context.task.recipe,
        name=stage.name,
        ingredients={},
        outputs=outcome.outputs,
        summary=outcome.summary,
        run_id=context.task.run_id,
        started=0.0,
        seconds=0.0,
    )


def _summed(folds: list[dict[str, Any]], metric: str) -> dict[str, Any]:
    """Give mean and spread of each metric over the outer folds, beside what the searches took themselves for."""
    names = folds[0]["metrics"]
    values = {name: [fold["metrics"][name] for fold in folds] for name in names}
    inner = math.fsum(fold["mean"] for fold in folds) / len(folds)
    return {
        "metrics": {
            name: {"mean": math.fsum(found) / len(found), "std": float(np.std(found, ddof=1))}
            for name, found in values.items()
        },
        "inner": inner,
        "outer": math.fsum(values[metric]) / len(folds),
    }
