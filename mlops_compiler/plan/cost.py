"""What a plan will take: from what the same work took last time, else from rough figures of each kind of model.

An estimate of the search is an upper bound in trials and folds: a scheduler ends poor trials early.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mlops_compiler.ir.budget import shares
from mlops_compiler.ir.ops import intake, preparation
from mlops_compiler.ir.ops import lifecycle as ops
from mlops_compiler.ir.ops import search as finding
from mlops_compiler.models.registry import MODELS
from mlops_compiler.models.resumable import ResumableKind

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from mlops_compiler.ir.program import Program
    from mlops_compiler.plan.stages import Plan
    from mlops_compiler.store.reader import StoreReader
    from mlops_compiler.store.records import StageRecord

_BASE_SECONDS = 0.01
"""A fold's own cost, whatever the model: scoring it, recording it."""
_COPIES = 3
"""Times that a trial holds its matrix: as it came, as the estimator keeps it, and while it is scored."""
_PROCESS_GIB = 0.25
"""What a worker with its libraries takes before it sees a row."""
_LEVELS = 10
"""Indicators of a column whose levels nobody declared."""
_GIB = 1024**3
_HOUR = 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelCost:
    """What one model of the search will take, at most.

    Attributes:
        model: Its name.
        trials: Its trials.
        fold_seconds: Seconds of one fold of one trial, on its own cores.
        cpu_seconds: Core-seconds of all its trials.
        gpu_seconds: GPU-seconds likewise; where `gpu: auto`, if there is a GPU.
        measured: Whether the figure comes from an earlier search.
    """

    model: str
    trials: int
    fold_seconds: float
    cpu_seconds: float
    gpu_seconds: float
    measured: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchCost:
    """What the search will take, at most.

    Attributes:
        models: Its models.
        folds: Folds of each trial.
        memory: GiB that one trial holds.
        cores: The cores that `seconds` counts on; None where they are not known.
        seconds: Wall time on those cores.
        share: The part of all trials that the budgets of CPU- and GPU-hours allow.
    """

    models: tuple[ModelCost, ...]
    folds: int
    memory: float
    cores: int | None
    seconds: float | None
    share: float = 1.0

    @property
    def trials(self) -> int:
        """All trials."""
        return sum(item.trials for item in self.models)

    @property
    def cpu_seconds(self) -> float:
        """Core-seconds of all trials, as far as the budget goes."""
        return self.share * sum(item.cpu_seconds for item in self.models)

    @property
    def gpu_seconds(self) -> float:
        """GPU-seconds of all trials, likewise."""
        return self.share * sum(item.gpu_seconds for item in self.models)

    @property
    def measured(self) -> bool:
        """Whether every figure comes from an earlier search."""
        return all(item.measured for item in self.models)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What a plan will take: seconds of each stage that ran before, and the search in detail."""

    seconds: dict[str, float]
    search: SearchCost | None
    nested: float | None = None
    """Seconds of the searches of outer folds, at most, where there are some and their time is known."""

    @property
    def total(self) -> float | None:
        """Seconds of all, where each is known."""
        found = dict(self.seconds)
        if self.search is not None and self.search.seconds is not None:
            found["search"] = self.search.seconds
        if self.nested is not None:
            found["nested"] = self.nested
        return sum(found.values()) if found else None


def estimate(plan: Plan, store: StoreReader, root: Path, cores: int | None) -> Cost:
    """Estimate what the stages that would run will take.

    Args:
        plan: The plan.
        store: What is recorded.
        root: The folder that the source's path is relative to.
        cores: The cores of the engine; None where they are not known.
    """
    last = {stage.name: store.last_stage(plan.recipe, stage.name) for stage in plan.to_run}
    seconds = {name: record.seconds for name, record in last.items() if record is not None and name != "search"}
    nested = next((op for _, op in plan.program.of(finding.Nested)), None) if "nested" in last else None
    if "search" not in last and nested is None:
        return Cost(seconds=seconds, search=None)
    rows = _rows(plan.program, store, root)
    made = _search(plan, store.last_stage(plan.recipe, "search"), store, rows, cores)
    outer = None if nested is None or made is None or made.seconds is None else (nested.k - 1) * made.seconds
    return Cost(seconds=seconds, search=made if "search" in last else None, nested=outer)


def _rows(program: Program, store: StoreReader, root: Path) -> int | None:
    """Count the rows of the last snapshot; else guess from the source's metadata."""
    from mlops_compiler.tables.table import about_rows

    record = store.last_stage(program.name, "snapshot")
    if record is not None:
        return int(record.summary["rows"])
    read = program.of(intake.Read)[0][1]
    return about_rows(read, root)


def _search(
    plan: Plan, last: StageRecord | None, store: StoreReader, rows: int | None, cores: int | None
) -> SearchCost | None:
    (_, search), (_, split) = plan.program.the(finding.Search), plan.program.the(ops.Split)
    known = _measured(last, store) if last is not None else {}
    if rows is None and not known.keys() >= {item.name for item in search.candidates}:
        return None
    width = features(plan.program)
    trained = int((rows or 0) * (1 - split.fraction) * (split.k - 1) / split.k)
    given = shares(search)
    models = tuple(
        _model(item, given[item.name], split.parts, known.get(item.name), trained * width * _learned(item, search))
        for item in search.candidates
    )
    slots = None if cores is None else min(search.max_concurrent, cores)
    share = _allowed(models, search)
    spent = share * sum(item.cpu_seconds for item in models)
    longest = max((item.fold_seconds * split.parts for item in models), default=0.0)
    return SearchCost(
        models=models,
        folds=split.parts,
        memory=_PROCESS_GIB + _COPIES * (rows or 0) * width * 8 / _GIB,
        cores=cores,
        seconds=None if slots is None else _capped(max(spent / slots, longest), search.time),
        share=share,
    )


def _learned(item: finding.Candidate, search: finding.Search) -> float:
    """Say which part of a whole training a trial makes: a generation of a population, else all of it."""
    epochs = dict(item.parameters).get("epochs")
    if search.population is None or not isinstance(MODELS[item.kind], ResumableKind) or not isinstance(epochs, int):
        return 1.0
    return min(1.0, search.population[1] / epochs)


def _allowed(models: Sequence[ModelCost], search: finding.Search) -> float:
    """Say which part of all trials the budgets of a search allow; models take turns, so each gives up as much."""
    spent = (
        (search.cpu_hours, sum(item.cpu_seconds for item in models)),
        (search.gpu_hours, sum(item.gpu_seconds for item in models)),
    )
    return min((1.0, *(hours * _HOUR / asked for hours, asked in spent if hours is not None and asked > 0)))


def _capped(seconds: float, budget: float | None) -> float:
    return seconds if budget is None else min(seconds, budget)


def _model(item: finding.Candidate, trials: int, folds: int, measured: float | None, cells: float) -> ModelCost:
    seconds = _BASE_SECONDS + MODELS[item.kind].seconds_per_cell * cells if measured is None else measured
    spent = seconds * folds * trials
    gpu = 1.0 if item.gpu == "auto" else float(item.gpu)
    return ModelCost(
        model=item.name,
        trials=trials,
        fold_seconds=seconds,
        cpu_seconds=spent * item.cpu,
        gpu_seconds=spent * gpu,
        measured=measured is not None,
    )


def _measured(last: StageRecord, store: StoreReader) -> dict[str, float]:
    """Take the mean seconds of a fold of each model from the last search; a search read from records took none."""
    board = json.loads(store.objects.get(last.outputs["leaderboard"]))
    spent: dict[str, list[float]] = {}
    for row in board["trials"]:
        seconds = last.summary["seconds"].get(str(row["trial"]), 0.0)
        if row["scores"] and seconds:
            spent.setdefault(row["model"], []).append(seconds / len(row["scores"]))
    return {model: sum(values) / len(values) for model, values in spent.items()}


def features(program: Program) -> int:
    """Count the features, those that only the data can name as well as the contract tells."""
    (node, _), (_, check) = program.the(preparation.Matrix), program.the(intake.Check)
    levels = {column.name: len(column.one_of) for column in check.columns if column.one_of}
    return sum(levels.get(column.name[:-2], _LEVELS) if column.is_open else 1 for column in node.schema or ())


def as_data(cost: Cost) -> dict[str, Any]:
    """Write an estimate as JSON."""
    search = cost.search
    return {
        "seconds": cost.total,
        "stages": cost.seconds,
        **({} if cost.nested is None else {"nested_seconds": cost.nested}),
        "search": None
        if search is None
        else {
            "trials": search.trials,
            "folds": search.folds,
            "cpu_hours": search.cpu_seconds / _HOUR,
            "gpu_hours": search.gpu_seconds / _HOUR,
            "memory_gib": search.memory,
            "cores": search.cores,
            "seconds": search.seconds,
            "measured": search.measured,
            "models": {
                item.model: {"trials": item.trials, "fold_seconds": item.fold_seconds} for item in search.models
            },
        },
    }
