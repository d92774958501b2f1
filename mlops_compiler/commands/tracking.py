"""Beside a run go its trackers: what they are told, and how their failures are told to the user."""

from __future__ import annotations

import os
from functools import partial
from typing import TYPE_CHECKING, Any

from mlops_compiler.diagnostics import Diagnostic, Note, Severity, mask
from mlops_compiler.report.card import render_html
from mlops_compiler.store.reader import open_reader
from mlops_compiler.track.following import Following
from mlops_compiler.track.registry import TRACKERS
from mlops_compiler.track.tracker import EndFacts, RunFacts

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mlops_compiler.driver import Planned
    from mlops_compiler.recipe.recipe import Recipe
    from mlops_compiler.store.reader import StoreReader
    from mlops_compiler.store.records import Event, FoldRecord, RunRecord, StageRecord

_LITTLE = 5.0
"""Seconds that trackers may take after a run that failed or was interrupted."""


class Tracking:
    """The trackers of one run; of a recipe without any, and of a run that runs nothing, it does nothing."""

    def __init__(self, planned: Planned, record: RunRecord) -> None:
        self._recipe = planned.compiled.recipe
        self._place = planned.compiled.composed.provenance
        self._following: Following | None = None
        if self._recipe.track and planned.plan.to_run:
            location = planned.location

            def find(seals: Sequence[str]) -> dict[str, FoldRecord]:
                return open_reader(location).folds(seals)

            self._following = Following(_begun(self._recipe, record), find)

    def feed(self, event: Event) -> None:
        """Take one event of the run."""
        if self._following is not None:
            self._following.feed(event)

    def stopped(self, status: str) -> tuple[Diagnostic, ...]:
        """Tell the trackers of a run that did not come to its end; gives a warning for each that failed."""
        if self._following is None:
            return ()
        return self._told(self._following.end(EndFacts(status=status), _LITTLE))

    def ended(self, status: str, records: Mapping[str, StageRecord], store: StoreReader) -> tuple[Diagnostic, ...]:
        """Tell the trackers how the run ended; gives a warning for each that failed."""
        if self._following is None:
            return ()
        return self._told(self._following.end(_end(status, records, store)))

    def _told(self, failures: Mapping[str, str]) -> tuple[Diagnostic, ...]:
        return tuple(
            Diagnostic(
                code="tracking-failed",
                headline=f"tracker `{name}` could not note the run down",
                span=self._place.key_span(("track", name)),
                notes=(Note(text=mask(why)),),
                help="the run itself is recorded in the store; mend the place, and later runs are noted down",
                severity=Severity.WARNING,
            )
            for name, why in failures.items()
        )


def _begun(recipe: Recipe, record: RunRecord) -> dict[str, Any]:
    run = RunFacts(
        run_id=record.run_id,
        recipe=recipe.name,
        started=record.started,
        description=recipe.description,
        commit=(record.summary.get("code") or {}).get("commit"),
        overrides=record.overrides,
        fingerprints={item["stage"]: item["fingerprint"] for item in record.plan},
    )
    return {
        name: partial(TRACKERS[settings.kind].begin, settings, run, os.environ)
        for name, settings in recipe.track.items()
    }


def _end(status: str, records: Mapping[str, StageRecord], store: StoreReader) -> EndFacts:
    import json

    report, selected = records["report"], records["select"].summary
    card = json.loads(store.objects.get(report.outputs["card"]))
    return EndFacts(
        status=status,
        metrics=records["evaluate"].summary["metrics"],
        chosen={name: selected.get(name) for name in ("model", "kind", "parameters", "trial")},
        release=records["release"].summary["release"],
        data=records["snapshot"].summary["snapshot"],
        pages={
            "report.html": store.objects.get(report.outputs["report"]).decode(),
            "model-card.html": render_html(card),
        },
    )
