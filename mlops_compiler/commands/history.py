"""`runs`, `show` and `trials` read the recorded history."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from mlops_compiler.commands.base import DONE
from mlops_compiler.console.history import print_run, print_runs
from mlops_compiler.console.streams import results
from mlops_compiler.console.trials_view import print_trials
from mlops_compiler.diagnostics import Diagnostic, UsageError, did_you_mean
from mlops_compiler.report.leaderboard import as_selected
from mlops_compiler.report.search_end import with_facts

if TYPE_CHECKING:
    from mlops_compiler.commands.base import Invocation
    from mlops_compiler.store.reader import StoreReader
    from mlops_compiler.store.records import RunRecord, StageRecord

_LISTED = 20


def runs(store: StoreReader, recipe: str | None, invocation: Invocation) -> int:
    """List the runs of a recipe, or of all, the newest first."""
    found = store.runs(recipe, limit=invocation.number("limit") or _LISTED)
    if invocation.as_json:
        invocation.print_json([asdict(item) for item in found])
    else:
        print_runs(found, results())
    return DONE


def show(store: StoreReader, recipe: str | None, invocation: Invocation) -> int:
    """Show one run, the last one where none is named: its stages, criteria, metrics, events; as data, its trials, too.

    Raises:
        UsageError: There is no such run.
    """
    run = _wanted(store, recipe, invocation)
    events = store.events(run.run_id)
    if invocation.as_json:
        told = {**asdict(run), "events": [asdict(event) for event in events]}
        explanation = _kept(store, run, "explain", "explanation")
        invocation.print_json({**told, "explanation": explanation, "search": search_of(store, run)})
    else:
        print_run(run, events, results())
    return DONE


def trials(store: StoreReader, recipe: str | None, invocation: Invocation) -> int:
    """List the trials of one run, the last one where none is named, the best first.

    Raises:
        UsageError: There is no such run, or its search did not come to its end.
    """
    run = _wanted(store, recipe, invocation)
    found = search_of(store, run)
    if found is None:
        raise UsageError([_no_search(run)])
    if invocation.as_json:
        invocation.print_json(found)
    else:
        print_trials(run, found, results())
    return DONE


def _wanted(store: StoreReader, recipe: str | None, invocation: Invocation) -> RunRecord:
    wanted = invocation.arguments.get("run") or next(iter(invocation.words), None)
    run = next(iter(store.runs(recipe, limit=1)), None) if wanted is None else store.run(wanted)
    if run is None:
        raise UsageError([no_run(store, wanted)])
    return run


def search_of(store: StoreReader, run: RunRecord) -> dict[str, Any] | None:
    """Read the trials of a run: the leaderboard, what the selection made of it, ``chosen`` and ``importance``.

    Returns:
        None where the run did not come so far, or the object is gone.
    """
    board, record = _kept(store, run, "search", "leaderboard"), _stage(store, run, "search")
    if board is None or record is None:
        return None
    selection = _kept(store, run, "select", "selection") or {}
    timed = with_facts(board, record.summary)
    importance = _kept(store, run, "search", "importance")
    return {**as_selected(timed, selection), "chosen": selection.get("trial"), "importance": importance}


def _kept(store: StoreReader, run: RunRecord, stage: str, output: str) -> Any:
    """Read an output of a stage as JSON; None where the run did not come so far, or the object is gone."""
    record = _stage(store, run, stage)
    digest = record.outputs.get(output) if record else None
    return json.loads(store.objects.get(digest)) if digest else None


def _stage(store: StoreReader, run: RunRecord, name: str) -> StageRecord | None:
    seal = next((item["fingerprint"] for item in run.plan if item.get("stage") == name), None)
    return store.stage(seal) if seal else None


def _no_search(run: RunRecord) -> Diagnostic:
    return Diagnostic(
        code="unknown-run",
        headline=f"the search of run `{run.run_id}` did not come to its end: it has no list of trials",
        help="its events tell how far it came: mlops-compile show",
    )


def no_run(store: StoreReader, wanted: str | None) -> Diagnostic:
    """The finding that a run is not there."""
    known = [run.run_id for run in store.runs(None, limit=_LISTED)]
    return Diagnostic(
        code="unknown-run",
        headline=f"there is no run `{wanted}`" if wanted else "no run is recorded",
        help=did_you_mean(wanted, known, otherwise="the last runs are") if wanted else "run a recipe first",
    )
