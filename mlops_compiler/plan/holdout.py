"""A holdout is untouched once: each model that it judged and that was then changed makes its score less true.

Dwork et al., "The reusable holdout" (Science, 2015), measure how fast that goes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_compiler.diagnostics import Diagnostic, Severity

if TYPE_CHECKING:
    from mlops_compiler.diagnostics import Span
    from mlops_compiler.plan.stages import Plan
    from mlops_compiler.store.reader import StoreReader

MOST = 10
"""Models after which the score of a holdout is no longer taken at its word."""
_RUNS = 1000


def judged(plan: Plan, store: StoreReader) -> int:
    """Count the different models that the holdout of a plan has judged in recorded runs."""
    split = plan.stage("split").fingerprint
    found: set[str] = set()
    for run in store.runs(plan.recipe, limit=_RUNS):
        seals = {str(item["stage"]): str(item["fingerprint"]) for item in run.plan}
        if seals.get("split") == split and run.status in ("succeeded", "rejected"):
            found.add(seals["evaluate"])
    return len(found)


def reuse_of_holdout(plan: Plan, store: StoreReader, span: Span | None) -> Diagnostic | None:
    """Say that a holdout has judged so many models that its score is no longer fair; None where it has not."""
    count = judged(plan, store)
    if plan.stage("evaluate") not in plan.to_run or count < MOST:
        return None
    return Diagnostic(
        code="holdout-reused",
        headline=f"this holdout has judged {count} models already: the best of them looks better than it is",
        span=span,
        help="hold out other rows: another `validate.seed`, or data that came since",
        severity=Severity.WARNING,
    )
