"""`runs` and `show` read the recorded history."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from mlops_compiler.commands.base import DONE
from mlops_compiler.console.history import print_run, print_runs
from mlops_compiler.console.streams import results
from mlops_compiler.diagnostics import Diagnostic, UsageError, did_you_mean

if TYPE_CHECKING:
    from mlops_compiler.commands.base import Invocation
    from mlops_compiler.store.reader import StoreReader
    from mlops_compiler.store.records import RunRecord

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
    """Show one run, the last one where none is named: its stages, criteria, metrics, events; as data, what explains it.

    Raises:
        UsageError: There is no such run.
    """
    wanted = invocation.arguments.get("run") or next(iter(invocation.words), None)
    found = store.runs(recipe, limit=1) if wanted is None else [run for run in [store.run(wanted)] if run]
    if not found:
        raise UsageError([no_run(store, wanted)])
    events = store.events(found[0].run_id)
    if invocation.as_json:
        told = {**asdict(found[0]), "events": [asdict(event) for event in events]}
        invocation.print_json({**told, "explanation": explanation_of(store, found[0])})
    else:
        print_run(found[0], events, results())
    return DONE


def explanation_of(store: StoreReader, run: RunRecord) -> Any:
    """Read what a run found out of its model; None where it did not come so far, or the object is gone."""
    seal = next((item["fingerprint"] for item in run.plan if item.get("stage") == "explain"), None)
    record = store.stage(seal) if seal else None
    return json.loads(store.objects.get(record.outputs["explanation"])) if record else None


def no_run(store: StoreReader, wanted: str | None) -> Diagnostic:
    """The finding that a run is not there."""
    known = [run.run_id for run in store.runs(None, limit=_LISTED)]
    return Diagnostic(
        code="unknown-run",
        headline=f"there is no run `{wanted}`" if wanted else "no run is recorded",
        help=did_you_mean(wanted, known, otherwise="the last runs are") if wanted else "run a recipe first",
    )
