"""`why STAGE` follows one stage back to what changed, and to where the recipe says it now."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from mlops_compiler.commands.base import DONE
from mlops_compiler.console.streams import results
from mlops_compiler.console.why_view import WhyRow, print_why
from mlops_compiler.diagnostics import Diagnostic, Span, UsageError, did_you_mean
from mlops_compiler.driver import plan_recipe
from mlops_compiler.plan.stages import PARENTS
from mlops_compiler.plan.why import chain

if TYPE_CHECKING:
    from mlops_compiler.commands.base import Invocation
    from mlops_compiler.frontend.composed import Composed
    from mlops_compiler.frontend.provenance import Provenance
    from mlops_compiler.plan.diff import Cause
    from mlops_compiler.plan.why import Link


def why(composed: Composed, invocation: Invocation) -> int:
    """Say why a stage would run, or why it would not.

    Raises:
        UsageError: There is no such stage, or none is named.
    """
    stage = next(iter(invocation.words), None)
    if stage not in PARENTS:
        raise UsageError([_no_stage(stage)])
    links = chain(plan_recipe(composed).plan, stage)
    rows = [_row(link, composed.provenance) for link in links]
    if invocation.as_json:
        invocation.print_json({"recipe": composed.recipe_name, "stage": stage, "chain": [_data(row) for row in rows]})
    else:
        print_why(rows, time.time(), results())
    return DONE


def _row(link: Link, places: Provenance) -> WhyRow:
    return WhyRow(
        stage=link.stage,
        action=link.action,
        reason=link.reason,
        causes=tuple((cause.text, _place(cause, places)) for cause in link.causes),
        run=None if link.last is None else link.last.run_id,
        made=None if link.last is None else link.last.started,
    )


def _place(cause: Cause, places: Provenance) -> str | None:
    """Find where the recipe says today what changed; what is gone stands nowhere."""
    path = tuple(int(part) if part.isdigit() else part for part in cause.path.split("."))
    origin = places.origins.get(path)
    return origin.value.place if origin is not None else None


def _data(row: WhyRow) -> dict[str, Any]:
    return {
        "stage": row.stage,
        "action": row.action,
        "reason": row.reason,
        "causes": [{"text": text, "place": place} for text, place in row.causes],
        "last_run": row.run,
    }


def _no_stage(word: str | None) -> Diagnostic:
    if word is None:
        headline, span = "`why` needs a stage", None
    else:
        headline, span = f"there is no stage `{word}`", Span.of_token(word)
    return Diagnostic(
        code="unknown-stage",
        headline=headline,
        span=span,
        help=did_you_mean(word or "", PARENTS, otherwise="the stages are"),
    )
