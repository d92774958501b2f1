"""What the rows of a run broke of the contract's parts that only warn, and rows that have grown old since."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from mlops_compiler.diagnostics import Diagnostic, Note, Severity
from mlops_compiler.ir.ops.intake import Check
from mlops_compiler.tables.expectations import too_old

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlops_compiler.driver import Planned


def doubts(summary: Mapping[str, Any]) -> tuple[Diagnostic, ...]:
    """Tell again what a check recorded.

    Args:
        summary: What the stage `snapshot` recorded, or `prepare`.
    """
    return tuple(
        Diagnostic(
            code=item["code"],
            headline=item["headline"],
            notes=tuple(Note(text=text) for text in item["notes"]),
            severity=Severity.WARNING,
        )
        for item in summary.get("doubts", ())
    )


def stale(planned: Planned) -> Diagnostic | None:
    """Say that rows which a plan would use again are older by now than the recipe allows."""
    check = planned.compiled.program.the(Check)[1]
    record = planned.store.stage(planned.plan.stage("snapshot").fingerprint)
    if check.fresh is None or record is None or "newest" not in record.summary:
        return None
    name, seconds = check.fresh
    newest = datetime.fromisoformat(record.summary["newest"])
    span = planned.compiled.composed.provenance.value_span(("data", "fresh"))
    found = too_old(name, newest, seconds, datetime.now(UTC), span)
    return None if found is None else replace(found, severity=Severity.WARNING)
