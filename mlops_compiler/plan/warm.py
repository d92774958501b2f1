"""A warm start is resolved when a search is planned: what it begins with is a list of points in the program.

So the points are part of the search's fingerprint, and a run of the same plan makes the same trials. A search that was
begun before, be it shorter, goes on with the points that it began with: its own results never change it.
"""

from __future__ import annotations

import itertools
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from mlops_compiler.diagnostics import Diagnostic, RecipeError, did_you_mean
from mlops_compiler.evaluation.metrics import METRICS
from mlops_compiler.ir.budget import shares
from mlops_compiler.ir.domain import contains
from mlops_compiler.ir.ops.search import Search
from mlops_compiler.ir.start import Start, as_value
from mlops_compiler.plan.stages import stage_seal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from mlops_compiler.ir.ops.search import Candidate
    from mlops_compiler.ir.program import Program
    from mlops_compiler.ir.space import Dimension, Point
    from mlops_compiler.plan.stages import Stage
    from mlops_compiler.store.reader import StoreReader
    from mlops_compiler.store.records import StageRecord

MOST = 5
"""Points of a model at most."""
_SEARCHES = 10
"""Earlier searches that are looked at, the newest ones."""
AUTO = "auto"
_LENGTH = ("trials", "time", "cpu_hours", "gpu_hours", "patience", "min_improvement")
_HOW_LONG = frozenset(f"search.{name}" for name in _LENGTH)
"""What says how long a search goes on; two that differ in nothing else propose the same, as far as both go."""
POINTS, ASKED = "search.warm", "search.warm_start"


def warm_started(program: Program, store: StoreReader, make: Callable[[Program], Sequence[Stage]]) -> Program:
    """Write into a program what its search begins with, where its recipe asks for that.

    Args:
        program: The program.
        store: What is recorded.
        make: Makes the stages of a program.

    Raises:
        RecipeError: There is no such recipe or run to begin with.
    """
    node, search = program.the(Search)
    if search.warm_start is None:
        return program
    begun = _begun(program.name, search.warm_start, {stage.name: stage for stage in make(program)}, store)
    if begun is not None:
        found = tuple(map(Start.from_json, begun.ingredients.get(POINTS, ())))
        sources = begun.summary.get("warm_from", ())
    else:
        searches = _searches(program.name, search, store)[:_SEARCHES]
        found = tuple(_starts(search, [_board(record, store) for record in searches]))
        sources = [record.run_id for record in searches]
    warm = replace(search, warm=found, warm_from=tuple(sources) if found else ())
    return program.with_nodes(replace(item, op=warm) if item is node else item for item in program)


def _begun(recipe: str, asked: str, cold: Mapping[str, Stage], store: StoreReader) -> StageRecord | None:
    """Find the first search that differs from one at most in what it began with, and in how long it goes on."""
    like = _proposes(cold["search"].ingredients)
    reads = {name: cold[name].fingerprint for name in cold["search"].parents}
    for record in store.stages(recipe, "search"):
        source = record.ingredients.get(ASKED, AUTO if asked == AUTO else None)
        if _proposes(record.ingredients) != like or source != asked:
            continue
        if stage_seal("search", record.ingredients, reads) == record.fingerprint:
            return record
    return None


def _proposes(ingredients: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in ingredients.items() if key not in {POINTS, ASKED, *_HOW_LONG}}


def _searches(recipe: str, search: Search, store: StoreReader) -> list[StageRecord]:
    """List the searches to begin with, the newest first."""
    asked = recipe if search.warm_start == AUTO else str(search.warm_start)
    if found := store.stages(asked, "search"):
        return found[::-1]
    if search.warm_start == AUTO:
        return []
    runs = store.runs_named(asked)
    seals = [item["fingerprint"] for run in runs[:1] for item in run.plan if item.get("stage") == "search"]
    record = store.stage_record(seals[0]) if seals and len(runs) == 1 else None
    if record is None:
        raise RecipeError([_nothing_there(asked, store, search)])
    return [record]


def _board(record: StageRecord, store: StoreReader) -> list[dict[str, Any]]:
    """Read the trials of a search; none where its leaderboard is no longer there."""
    digest = record.outputs["leaderboard"]
    if not store.objects.exists(digest):
        return []
    trials: list[dict[str, Any]] = json.loads(store.objects.get(digest))["trials"]
    return trials


def _starts(search: Search, boards: Sequence[Sequence[Mapping[str, Any]]]) -> Iterator[Start]:
    """Choose for each model its best points: the best of each search in turn, the newest first, each once."""
    given = shares(search)
    for item in search.candidates:
        if not item.space and not item.preparation:
            continue
        ranked = [[found for row in _ranked(item, search, board) if (found := _start(item, row))] for board in boards]
        turns = (found for turn in itertools.zip_longest(*ranked) for found in turn if found is not None)
        yield from itertools.islice(dict.fromkeys(turns), min(MOST, max(1, given[item.name] // 3)))


def _ranked(item: Candidate, search: Search, board: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """List the complete trials of a model by what the metric of this search was, the best first."""
    sign = -1 if METRICS[search.metric].greater_is_better else 1
    rows = [
        row
        for row in board
        if (row["model"], row["kind"], row["status"]) == (item.name, item.kind, "complete")
        and search.metric in row["metrics"]
    ]
    return sorted(rows, key=lambda row: (sign * row["metrics"][search.metric], row["trial"]))


def _start(item: Candidate, row: Mapping[str, Any]) -> Start | None:
    """Take over a point where its parameters lie in the space; those that the recipe fixes now are as it fixes them."""
    known = {name: as_value(value) for name, value in row["parameters"].items() if name in item.space}
    if not all(contains(item.space[name], value) for name, value in known.items()):
        return None
    return Start(
        model=item.name,
        parameters=tuple(known.items()),
        point=_point(item.preparation, row.get("preparation") or {}),
    )


def _point(dimensions: Sequence[Dimension], chosen: Mapping[str, Any]) -> Point:
    """Find what a trial chose of the preparation among what there is to choose now; else the base."""
    point: list[int | float | None] = []
    for item in dimensions:
        point.append(_picked(item, chosen) if item.stands(point) else None)
    return tuple(point)


def _picked(item: Dimension, chosen: Mapping[str, Any]) -> int | float:
    if item.name not in chosen:
        return item.base
    wanted = chosen[item.name]
    values = getattr(item.domain, "values", None)
    if values is None:
        return wanted if contains(item.domain, wanted) else item.base
    return next((at for at in range(len(values)) if as_value(item.shown(at)) == as_value(wanted)), item.base)


def _nothing_there(asked: str, store: StoreReader, search: Search) -> Diagnostic:
    known = list(dict.fromkeys(run.recipe for run in store.runs(None)))
    return Diagnostic(
        code="unknown-run",
        headline=f"no search is recorded of a recipe or a run `{asked}`",
        span=search.warm_span,
        help=did_you_mean(asked, known, otherwise="recipes that ran are") or "run it first, or write `auto`",
    )
