"""`trace` follows one prediction back: to the release, the run, the recipe's words, the code and the data."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from mlops_compiler.commands.base import DONE
from mlops_compiler.console.doings import listed
from mlops_compiler.console.streams import results
from mlops_compiler.console.text import STRONG, clean, grid, line, row, styled
from mlops_compiler.diagnostics import DataError, Diagnostic, UsageError
from mlops_compiler.driver import store_location
from mlops_compiler.frontend.validate import validate
from mlops_compiler.store.reader import open_reader
from mlops_compiler.store.records import ENVIRONMENTS, service_name

if TYPE_CHECKING:
    from mlops_compiler.commands.base import Invocation
    from mlops_compiler.frontend.composed import Composed
    from mlops_compiler.store.reader import StoreReader
    from mlops_compiler.store.records import RunRecord


def trace(composed: Composed, invocation: Invocation) -> int:
    """Tell where one prediction came from.

    Raises:
        UsageError: No prediction is named.
        DataError: None of that name was logged.
    """
    from mlops_compiler.monitoring.observed import joined

    if not invocation.words:
        raise UsageError([Diagnostic(code="missing-argument", headline="`trace` needs the id of a prediction")])
    recipe = validate(composed)
    location = store_location(recipe.store)
    wanted = invocation.words[0]
    import polars as pl

    # An id is one of all environments: whoever asks need not know which of them answered.
    for environment in sorted(ENVIRONMENTS, key=lambda name: name != recipe.environment):
        found = joined(location, service_name(recipe.name, environment)).filter(pl.col("id") == wanted)
        if found.height:
            break
    else:
        raise DataError([_unknown(wanted, recipe.name)])
    prediction = {**found.row(0, named=True), "environment": environment}
    facts = {**prediction, "made_by": lineage(open_reader(location), recipe.name, int(prediction["release"]))}
    if invocation.as_json:
        invocation.print_json(facts)
    else:
        _print(facts)
    return DONE


def lineage(store: StoreReader, recipe: str, number: int) -> dict[str, Any]:
    """Tell what a release was made of: its run, the words of its command, its parameters, and the data by hash."""
    release = store.release(recipe, number)
    if release is None:
        return {"release": number, "known": False}
    manifest = json.loads(store.objects.get(release.manifest))
    run = store.run(release.run_id)
    stages = {str(item["stage"]): str(item["fingerprint"]) for item in run.plan if "fingerprint" in item} if run else {}
    snapshot = store.stage_record(stages["snapshot"]) if "snapshot" in stages else None
    model = manifest["model"]
    return {
        "release": number,
        "manifest": release.manifest,
        "model": model["kind"],
        "parameters": model["parameters"],
        "members": [{"kind": item["kind"], "weight": item["weight"]} for item in model.get("members", ())],
        "metrics": release.metrics,
        "run": release.run_id,
        "overrides": run.overrides if run else None,
        **_origins(store, run),
        "stages": stages,
        "data": None if snapshot is None else {"snapshot": snapshot.outputs["snapshot"], **_rows(snapshot.summary)},
    }


def _origins(store: StoreReader, run: RunRecord | None) -> dict[str, Any]:
    """Tell what the run recorded of itself before it started: the code, the libraries, and the composed recipe."""
    said = run.summary if run is not None else {}
    digest = said.get("recipe")
    return {
        "code": said.get("code"),
        "libraries": said.get("environment", {}).get("libraries"),
        "recipe": digest,
        "recipe_text": json.loads(store.objects.get(digest)) if digest and store.objects.exists(digest) else None,
    }


def _rows(summary: dict[str, Any]) -> dict[str, Any]:
    return {name: summary[name] for name in ("source", "rows", "columns") if name in summary}


def _print(facts: dict[str, Any]) -> None:
    console, made = results(), facts["made_by"]
    line(console, (f"prediction {clean(facts['id'])}", STRONG))
    told = {
        "answered": f"{facts['time']:%Y-%m-%d %H:%M:%S} UTC, in {facts['seconds'] * 1000:.1f} ms, as {facts['role']}",
        "environment": facts["environment"],
        "asked by": facts["client"],
        "key": facts["key"],
        "input": listed(facts["input"]),
        "output": listed(facts["output"]),
        "outcome": f"{facts['outcome']}, told by {facts['outcome_source']}" if facts["outcome"] is not None else None,
        "release": f"{facts['release']}, a {made.get('model')}",
        "manifest": made.get("manifest"),
        "parameters": listed(made.get("parameters") or {}),
        "run": made.get("run"),
        "command": " ".join(made.get("overrides") or ()),
        "code": listed({name: value for name, value in (made.get("code") or {}).items() if name != "stages"}),
        "recipe": made.get("recipe"),
        "data": listed(made.get("data") or {}),
    }
    table = grid("left", "text")
    for name, value in told.items():
        if value:
            row(table, styled(name, "dim"), styled(value))
    console.print(table)


def _unknown(wanted: str, recipe: str) -> Diagnostic:
    return Diagnostic(
        code="unknown-prediction",
        headline=f"no prediction `{wanted}` of `{recipe}` was logged",
        help="answers carry their `id`; it is on record some seconds later, and as long as `deploy.log.keep` says",
    )
