"""`run plan=FILE` runs what a plan file says, under the command line that it was made with, or refuses."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from mlops_compiler.diagnostics import Diagnostic, Span, UsageError

if TYPE_CHECKING:
    from mlops_compiler.commands.base import Invocation
    from mlops_compiler.driver import Planned


def as_planned(invocation: Invocation) -> Invocation:
    """Take the command line of a plan file, where one is to be run.

    Raises:
        DataError: The file is no plan.
        UsageError: Something is overridden besides: the plan says it all.
    """
    file = invocation.arguments.get("plan")
    if file is None:
        return invocation
    if invocation.overrides:
        raise UsageError([_more_than_planned(invocation.overrides[0])])
    from mlops_compiler.plan.file import PlanFile

    plan = PlanFile.read(Path(file))
    return replace(invocation, overrides=plan.overrides, recipe_dirs=tuple(map(Path, plan.recipe_dirs)))


def require_planned(planned: Planned, invocation: Invocation) -> None:
    """Check that what would run now is what the plan file says, where one is to be run.

    Raises:
        DataError: It is not.
    """
    if (file := invocation.arguments.get("plan")) is not None:
        from mlops_compiler.plan.file import PlanFile

        PlanFile.read(Path(file)).require_same(planned.plan, planned.compiled.composed.config)


def _more_than_planned(word: str) -> Diagnostic:
    return Diagnostic(
        code="bad-argument",
        headline=f"`plan=` runs what was planned, and `{word}` would change that",
        span=Span.of_token(word),
        help="leave it out, or plan anew with it",
    )
