"""Gathers what comes back to training from what services logged, for the commands that show it or act on it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import polars as pl

from mlops_compiler.backends.stages.context import parquet_bytes
from mlops_compiler.diagnostics import Diagnostic, UsageError
from mlops_compiler.ir.ops.feedback import FeedBack
from mlops_compiler.ir.ops.lifecycle import Split
from mlops_compiler.plan.rival import in_place
from mlops_compiler.store.collections import record_collection
from mlops_compiler.store.records import service_name

if TYPE_CHECKING:
    from mlops_compiler.driver import Planned
    from mlops_compiler.monitoring.returning import Returning
    from mlops_compiler.store.collections import Collection
    from mlops_compiler.store.reader import StoreReader
    from mlops_compiler.store.records import Release
    from mlops_compiler.store.writer import StoreWriter


@dataclass(frozen=True, slots=True, kw_only=True)
class Gathered:
    """What was logged, and what of it comes back.

    Attributes:
        recipe: The recipe's name.
        environment: Whose service logged it.
        predictions: How many were logged.
        returning: What comes back.
        failings: Where the release in place fails, and what changed there; None where nothing is released.
    """

    recipe: str
    environment: str
    predictions: int
    returning: Returning
    release: Release | None

    def to_json(self) -> dict[str, Any]:
        """Tell of it as JSON."""
        number = None if self.release is None else self.release.number
        account = self.returning.account()
        whose = {"recipe": self.recipe, "environment": self.environment, "release": number}
        return {**whose, "predictions": self.predictions, **account}


def gather(planned: Planned, called: str, now: datetime | None = None) -> Gathered:
    """Choose what comes back of what was logged for a recipe.

    Raises:
        UsageError: The recipe has no `feedback`.
        EngineError: What was logged cannot be read.
    """
    from mlops_compiler.monitoring.observed import joined
    from mlops_compiler.monitoring.returning import returning

    op = feedback_of(planned, called)
    recipe = planned.plan.recipe
    environment = planned.compiled.recipe.environment
    rows = joined(planned.location, service_name(recipe, environment))
    found = returning(rows, _answered(planned.store, recipe), op.choice, now or datetime.now(UTC))
    served = planned.store.deployment(recipe, environment)
    release = planned.store.release(recipe, served.release) if served else in_place(recipe, planned.store)
    return Gathered(recipe=recipe, environment=environment, predictions=rows.height, returning=found, release=release)


def feedback_of(planned: Planned, called: str) -> FeedBack:
    """Give what a recipe says of feedback.

    Raises:
        UsageError: It says nothing of it.
    """
    if found := planned.plan.program.of(FeedBack):
        return found[0][1]
    headline = f"`{called}` does not say what comes back to training"
    raise UsageError([Diagnostic(code="no-feedback", headline=headline, help="add a section: `feedback: {}`")])


def collect(gathered: Gathered, failings: dict[str, Any], store: StoreWriter) -> Collection:
    """Record what comes back, and where the release fails: the next plan learns from it."""
    number = None if gathered.release is None else gathered.release.number
    account = {**gathered.returning.account(), "predictions": gathered.predictions}
    account |= {"release": number, "failings": failings}
    return record_collection(store, gathered.recipe, parquet_bytes(gathered.returning.rows), account)


def failings_of(gathered: Gathered, planned: Planned) -> dict[str, Any]:
    """Find where the release in place fails, and what changed there since it learned; nothing without a release."""
    from mlops_compiler.monitoring.failings import Learned, failings

    if gathered.release is None:
        return {}
    manifest = json.loads(planned.store.objects.get(gathered.release.manifest))
    judged = gathered.returning.judged.filter(pl.col("release") == gathered.release.number)
    rows = _learned(planned, gathered.release)
    if rows is None:
        return {"rows": judged.height, "skipped": "what the release learned from is no longer in the store"}
    y = rows["label"].to_numpy()
    op = planned.plan.program.the(FeedBack)[1]
    return failings(judged, manifest, Learned(rows=rows.drop("label"), y=y), op.metric)


def _learned(planned: Planned, release: Release) -> pl.DataFrame | None:
    """Read the rows that a release learned from, with what came of them in ``label``."""
    from mlops_compiler.backends.stages.rows import LEARNS

    run = planned.store.run(release.run_id)
    seals = {} if run is None else {str(item["stage"]): str(item["fingerprint"]) for item in run.plan}
    records = [planned.store.stage(seals[name]) for name in ("snapshot", "split") if name in seals]
    if len(records) != 2 or None in records:  # noqa: PLR2004 - both
        return None
    rows, split = (
        pl.read_parquet(planned.store.objects.get(record.outputs[name]))
        for record, name in zip(records, ("snapshot", "split"), strict=True)
        if record is not None
    )
    target = planned.plan.program.the(Split)[1].target
    return rows.drop(target or ()).with_columns(split["label"]).filter(split["final"] == LEARNS)


def _answered(store: StoreReader, recipe: str) -> dict[int, Any]:
    from mlops_compiler.monitoring.wrong import Answered

    return {
        item.number: Answered(manifest=json.loads(store.objects.get(item.manifest)), metrics=item.metrics)
        for item in store.releases(recipe)
        if store.objects.exists(item.manifest)
    }
